"""Families over a list of whole numbers."""

from itertools import accumulate, combinations
from typing import Any

from rewardscope.environments.words.code.family import (
    Family,
    Parameters,
    Random,
    between,
    numbers,
    one_of,
)


def _any_numbers(random: Random, parameters: Parameters) -> list[int]:
    return numbers(random)


def _near(*names: str) -> Any:
    """Numbers of which a third are at one of these parameters, or one beside it."""

    def example(random: Random, parameters: Parameters) -> list[int]:
        edges = [int(parameters[name]) for name in names]
        return [
            one_of(random, *edges) + between(random, -1, 1) if random.random() < 1 / 3 else value
            for value in numbers(random)
        ]

    return example


def _bounds(random: Random) -> Parameters:
    low = between(random, -15, 8)
    return {"low": low, "high": low + between(random, 2, 15)}


def _windows(parameters: Parameters, values: list[int]) -> int:
    sums = [
        sum(values[start : start + parameters["k"]])
        for start in range(len(values) - parameters["k"] + 1)
    ]
    return max(sums, default=parameters["d"])


def _first_seen(parameters: Parameters, values: list[int]) -> list[int]:
    return [value + parameters["b"] for value in dict.fromkeys(values) if value % parameters["k"]]


def _rotated(parameters: Parameters, values: list[int]) -> list[int]:
    turn = parameters["k"] % len(values) if values else 0
    return (values[turn:] + values[:turn])[: parameters["m"]]


LISTS = (
    Family(
        "sum_above",
        "numbers",
        1,
        lambda random: {"t": between(random, -12, 15), "k": between(random, 2, 12)},
        (
            "{k} times the sum of the numbers that are greater than {t}",
            "the sum of all numbers above {t}, multiplied by {k}",
            "the total of those numbers that exceed {t}, times {k}",
        ),
        "def sum_above(numbers):\n    return $k * sum(x for x in numbers if x > $t)\n",
        lambda p, values: (
            p["k"] * (sum(values) - sum(value for value in values if value <= p["t"]))
        ),
        _near("t"),
    ),
    Family(
        "scaled_residues",
        "numbers",
        2,
        lambda random: {
            "m": (m := between(random, 2, 7)),
            "r": between(random, 0, m - 1),
            "k": between(random, 2, 15),
        },
        (
            "a list of {k} times each number whose remainder modulo {m} is {r}, in the same order",
            "the numbers that leave the remainder {r} when divided by {m}, each multiplied by {k}, "
            "as a list in their order",
        ),
        "def scaled_residues(numbers):\n    return [$k * x for x in numbers if x % $m == $r]\n",
        lambda p, values: [
            value * p["k"] for value in filter(lambda value: (value - p["r"]) % p["m"] == 0, values)
        ],
        _any_numbers,
    ),
    Family(
        "clamp",
        "numbers",
        2,
        _bounds,
        (
            "the list with every number below {low} replaced by {low} and every number above "
            "{high} replaced by {high}",
            "a list of the same numbers, each raised to {low} where it is smaller and lowered to "
            "{high} where it is larger",
        ),
        "def clamp(numbers):\n    return [min(max(x, $low), $high) for x in numbers]\n",
        lambda p, values: [sorted((p["low"], value, p["high"]))[1] for value in values],
        _near("low", "high"),
    ),
    Family(
        "every_kth",
        "numbers",
        1,
        lambda random: {
            "s": between(random, 0, 3),
            "k": between(random, 2, 5),
            "b": between(random, 1, 20),
        },
        (
            "a list of the element at index {s} and of every element {k} places further on, each "
            "increased by {b}",
            "the elements at the indices {s}, {s} + {k}, {s} + 2 * {k} and so on, with {b} added "
            "to each, as a list",
        ),
        "def every_kth(numbers):\n    return [x + $b for x in numbers[$s::$k]]\n",
        lambda p, values: [
            v + p["b"] for i, v in enumerate(values) if i >= p["s"] and (i - p["s"]) % p["k"] == 0
        ],
        _any_numbers,
    ),
    Family(
        "running_total",
        "numbers",
        2,
        lambda random: {"m": between(random, 5, 40), "s": between(random, 0, 20)},
        (
            "the list of running totals modulo {m}, where the total starts at {s} before the first "
            "number",
            "a list that holds, for each number, the sum of {s} and all numbers up to and "
            "including it, reduced modulo {m}",
        ),
        "def running_total(numbers):\n    total = $s\n    result = []\n    for x in numbers:\n     "
        "   total = (total + x) % $m\n"
        "        result.append(total)\n    return result\n",
        lambda p, values: [total % p["m"] for total in accumulate(values, initial=p["s"])][1:],
        _any_numbers,
    ),
    Family(
        "best_window",
        "numbers",
        3,
        lambda random: {"k": between(random, 2, 4), "d": between(random, -40, 40)},
        (
            "the largest sum of {k} consecutive numbers, or {d} if there are fewer than {k} "
            "numbers",
            "{d} for a list shorter than {k}, and otherwise the maximum over all sums of {k} "
            "neighbouring numbers",
        ),
        "def best_window(numbers):\n    if len(numbers) < $k:\n        return $d\n    best = total "
        "= sum(numbers[:$k])\n"
        "    for i in range($k, len(numbers)):\n        total += numbers[i] - numbers[i - $k]\n    "
        "    if total > best:\n"
        "            best = total\n    return best\n",
        _windows,
        _any_numbers,
    ),
    Family(
        "rotate_and_take",
        "numbers",
        2,
        lambda random: {"k": between(random, 1, 12), "m": between(random, 2, 7)},
        (
            "the first {m} elements of the list after it was rotated to the left by {k} places",
            "what stands in the first {m} places once the first element has been moved to the end "
            "{k} times",
        ),
        "def rotate_and_take(numbers):\n    result = list(numbers)\n    if len(result) > 0:\n      "
        "  for _ in range($k):\n"
        "            result = result[1:] + result[:1]\n    return result[:$m]\n",
        _rotated,
        _any_numbers,
    ),
    Family(
        "count_pairs",
        "numbers",
        3,
        lambda random: {
            "m": (m := between(random, 2, 9)),
            "r": between(random, 0, m - 1),
            "c": between(random, 1, 9),
        },
        (
            "{c} plus the number of pairs of positions i < j whose numbers add up to {r} modulo "
            "{m}",
            "how many pairs of elements at different positions have a sum that leaves the "
            "remainder {r} modulo {m}, plus {c}",
        ),
        "def count_pairs(numbers):\n    count = $c\n    for i in range(len(numbers)):\n        for "
        "j in range(i + 1, len(numbers)):\n"
        "            if (numbers[i] + numbers[j]) % $m == $r:\n                count += 1\n    "
        "return count\n",
        lambda p, values: (
            p["c"] + sum((a + b - p["r"]) % p["m"] == 0 for a, b in combinations(values, 2))
        ),
        lambda random, p: numbers(random, longest=7),
    ),
    Family(
        "first_seen",
        "numbers",
        3,
        lambda random: {"k": between(random, 2, 9), "b": between(random, 1, 30)},
        (
            "the numbers that are not multiples of {k}, each only where it first occurs, increased "
            "by {b}, as a list in their order",
            "a list without repeats and without multiples of {k}, in the order of first "
            "occurrence, with {b} added to each number",
        ),
        "def first_seen(numbers):\n    seen = set()\n    result = []\n    for x in numbers:\n      "
        "  if x % $k != 0 and x not in seen:\n"
        "            seen.add(x)\n            result.append(x + $b)\n    return result\n",
        _first_seen,
        lambda random, p: numbers(random, -6, 6),
    ),
)
"""Every family over a list of whole numbers."""
