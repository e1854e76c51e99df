"""Families over a text of lower-case letters and spaces."""

import re
import string
from collections import Counter
from typing import Any

from rewardscope.environments.words.code.family import (
    Family,
    Parameters,
    Random,
    between,
    distinct_letters,
    letters,
    one_of,
)

SHORT = "abcde"
"""Few letters, so that they repeat."""


def _word(random: Random, parameters: Parameters) -> str:
    return letters(random, between(random, 0, 9))


def _rich_in(*names: str, longest: int = 10) -> Any:
    """Letters of which a half are among these parameters."""

    def example(random: Random, parameters: Parameters) -> str:
        wanted = "".join(parameters[name] for name in names)
        return letters(
            random,
            between(random, 0, longest),
            string.ascii_lowercase + wanted * (26 // len(wanted)),
        )

    return example


def _sentence(random: Random, parameters: Parameters) -> str:
    return " ".join(letters(random, between(random, 1, 8)) for _ in range(between(random, 0, 5)))


def _shift(parameters: Parameters, text: str) -> str:
    alphabet = string.ascii_lowercase
    turned = text.translate(
        str.maketrans(alphabet, alphabet[parameters["k"] :] + alphabet[: parameters["k"]])
    )
    return "".join(turned[i] if i % parameters["p"] == 0 else text[i] for i in range(len(text)))


def _two_letters(random: Random) -> Parameters:
    first, second = distinct_letters(random, 2)
    return {"a": first, "b": second, "k": between(random, 1, 3)}


def _three_letters(random: Random) -> Parameters:
    first, second, third = sorted(distinct_letters(random, 3))
    return {"a": first, "b": second, "c": third, "k": between(random, 1, 5)}


TEXTS = (
    Family(
        "shift_letters",
        "text",
        3,
        lambda random: {"k": between(random, 1, 25), "p": between(random, 2, 5)},
        (
            "the text with the letters at the indices divisible by {p} moved {k} places on in the "
            "alphabet, from z back to a",
            "the text in which each letter whose index is a multiple of {p} is shifted forward by "
            "{k} in a to z, wrapping around",
        ),
        "def shift_letters(text):\n    result = ''\n    for i in range(len(text)):\n        if i % "
        "$p == 0:\n"
        "            result += chr((ord(text[i]) - 97 + $k) % 26 + 97)\n        else:\n            "
        "result += text[i]\n    return result\n",
        _shift,
        _word,
    ),
    Family(
        "replace_and_repeat",
        "text",
        1,
        _two_letters,
        (
            "the text with every {a} replaced by {b}, repeated {k} times",
            "{k} copies of the text, one after another, in which each {a} has become {b}",
        ),
        "def replace_and_repeat(text):\n    return text.replace($a, $b) * $k\n",
        lambda p, text: "".join(
            [p["b"] if letter == p["a"] else letter for letter in text] * p["k"]
        ),
        _rich_in("a", "b"),
    ),
    Family(
        "count_letters",
        "text",
        1,
        _three_letters,
        (
            "{k} times the number of letters in the text that are {a}, {b} or {c}",
            "how many letters of the text are {a}, {b} or {c}, multiplied by {k}",
        ),
        "def count_letters(text):\n    return $k * (text.count($a) + text.count($b) + "
        "text.count($c))\n",
        lambda p, text: sum(Counter(text)[p[name]] for name in "abc") * p["k"],
        _rich_in("a", "b", "c"),
    ),
    Family(
        "long_words",
        "text",
        2,
        lambda random: {
            "k": between(random, 2, 5),
            "s": one_of(random, "-", "+", "/", "_", ".", ":", ";", "~"),
            "e": letters(random, 1),
        },
        (
            "the words longer than {k} letters, joined by {s}, with {e} behind it all",
            "those words of the text that have more than {k} letters, with {s} between them and "
            "{e} at the very end",
        ),
        "def long_words(text):\n    kept = []\n    for word in text.split():\n        if len(word) "
        "> $k:\n            kept.append(word)\n"
        "    return $s.join(kept) + $e\n",
        lambda p, text: p["s"].join(re.findall(rf"\b\w{{{p['k'] + 1},}}\b", text)) + p["e"],
        _sentence,
    ),
    Family(
        "every_kth_reversed",
        "text",
        2,
        lambda random: {"k": between(random, 2, 4), "e": letters(random, 2)},
        (
            "the first letter and every letter {k} places further on, in reverse order, with {e} "
            "in front",
            "{e} followed by the letters at the indices 0, {k}, 2 * {k} and so on, read from the "
            "last to the first",
        ),
        "def every_kth_reversed(text):\n    return $e + text[::$k][::-1]\n",
        lambda p, text: (
            p["e"] + "".join(text[i] for i in sorted(range(0, len(text), p["k"]), reverse=True))
        ),
        _word,
    ),
    Family(
        "longest_run",
        "text",
        3,
        lambda random: {
            "a": one_of(random, *SHORT),
            "k": between(random, 2, 20),
            "b": between(random, 1, 20),
        },
        (
            "{k} times the length of the longest run of {a} in the text, plus {b}",
            "{b} plus {k} times the largest number of letters {a} that follow each other directly",
        ),
        "def longest_run(text):\n    best = 0\n    run = 0\n    for letter in text:\n        if "
        "letter == $a:\n            run += 1\n"
        "        else:\n            run = 0\n        best = max(best, run)\n    return $k * best + "
        "$b\n",
        lambda p, text: (
            p["b"] + p["k"] * max((len(run) for run in re.findall(rf"{p['a']}+", text)), default=0)
        ),
        _rich_in("a", longest=14),
    ),
    Family(
        "count_pieces",
        "text",
        2,
        lambda random: {
            "a": one_of(random, *SHORT),
            "k": between(random, 2, 4),
            "b": between(random, 1, 30),
        },
        (
            "how many pieces of {k} letters or more there are when the text is split at each {a}, "
            "plus {b}",
            "{b} plus the number of pieces between the letters {a} of the text that are at least "
            "{k} letters long",
        ),
        "def count_pieces(text):\n    return $b + len([piece for piece in text.split($a) if "
        "len(piece) >= $k])\n",
        lambda p, text: (
            p["b"] + sum(len(piece) >= p["k"] for piece in re.findall(rf"[^{p['a']}]+", text))
        ),
        _rich_in("a", longest=24),
    ),
)
"""Every family over a text."""
