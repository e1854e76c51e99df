"""Completions that nobody should write, for every environment to survive: addressed, so the same in
every run.

``python benchmarks/environments.py 10000`` grades that many in every environment of the contract
tests.
"""

from collections.abc import Iterator

import numpy as np

from rewardscope.seeds import generator

PIECES = (
    *(
        "<answer>",
        "</answer>",
        "<answer",
        "answer>",
        "\\boxed{",
        "}",
        "{",
        "<confidence>",
        "</confidence>",
        "0.5",
        "answer is",
        "Answer:",
    ),
    *(
        "```python\n",
        "```",
        "```\n",
        "def ",
        "def f(",
        "def affine(n):\n    return ",
        "lambda",
        "return",
        "import os\n",
        "\n    ",
        "\t",
    ),
    *(
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-1e-999",
        "1/0",
        "0/0",
        "9" * 400,
        "-" * 50,
        "²",
        "١٢٣",
        "½",
        "\u2212",
        "0x1F",
        "1_000",
        "=",
    ),
    *(
        "\u202e",
        "\u2066",
        "\u200f",
        "\ufeff",
        "\ud800",
        "\x00",
        "\x1b[2J",
        "\r",
        "\u2028",
        "\x85",
        "e\u0301" * 20,
        "👩‍👩‍👧",
        "ﷺ",
        "1,2,3",
    ),
    *(
        "->",
        "→",
        "Alder",
        " -> Brigg",
        "Kelso",
        "func_0(",
        "'",
        '"',
        "`",
        "$",
        "%s%n",
        "{0}",
        "${x}",
        "__class__",
        "''.join",
        "7",
        " ",
    ),
    *(
        "[",
        "]",
        "[[",
        "null",
        '{"output": "',
        "True",
        "()",
        "- ",
        "\\times",
        "¬",
        "∧",
        "(P ∨ ¬P)",
        "True\nFalse",
        "Q" * 30,
    ),
    *("seven", "+", "*", "(", ")"),
)
"""Markup, code, numbers that are none, and characters that are not what they look like."""


def junk(count: int) -> Iterator[str]:
    """``count`` texts: bytes, pieces of markup glued together, one piece over and over, and lines
    of a megabyte.
    """
    for index in range(count):
        random = generator("junk", index)
        kind = index % 8
        if kind == 0:
            yield random.bytes(int(random.integers(400))).decode("latin-1")
        elif kind == 1:
            yield random.bytes(int(random.integers(400))).decode(errors="replace")
        elif kind == 2 and index % 400 == 2:
            piece = _piece(random)
            yield (piece * (10**6 // len(piece) + 1))[: 10**6]
        elif kind == 3:
            yield _piece(random) * int(random.integers(1, 2000))
        elif kind == 4:
            yield "<answer>" + _glued(random, 8) + "</answer>"
        elif kind == 5:
            yield "```python\n" + _glued(random, 8) + "\n```"
        else:
            yield _glued(random, int(random.integers(1, 40)))


def _piece(random: np.random.Generator) -> str:
    return PIECES[int(random.integers(len(PIECES)))]


def _glued(random: np.random.Generator, count: int) -> str:
    return "".join(PIECES[place] for place in random.integers(len(PIECES), size=count))
