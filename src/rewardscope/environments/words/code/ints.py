"""Families over one whole number."""

from typing import Any

from rewardscope.environments.words.code.family import Family, Parameters, Random, between, one_of


def _near(low: int, high: int) -> Any:
    return lambda random, parameters: between(random, low, high)


def _branch(random: Random) -> Parameters:
    return {"t": between(random, -20, 40), "a": between(random, 2, 12), "b": between(random, 1, 30)}


def _at_threshold(random: Random, parameters: Parameters) -> int:
    return int(parameters["t"] + one_of(random, -1, 0, 1, between(random, -40, 40)))


def _two_divisors(random: Random) -> Parameters:
    first = between(random, 2, 11)
    return {"a": first, "b": first + between(random, 1, 9), "c": between(random, 1, 9)}


def _recurrence(parameters: Parameters, rounds: int) -> int:
    value, p, q, m = map(int, (parameters[name] for name in "spqm"))
    for _ in range(rounds):
        value = (value * p + q) % m
    return value


def _steps_down(parameters: Parameters, n: int) -> int:
    if n < parameters["t"]:
        return 0
    return 1 + _steps_down(
        parameters, n // parameters["d"] if n % parameters["d"] == 0 else n - parameters["s"]
    )


def _digits_in_base(parameters: Parameters, n: int) -> int:
    rest, total, base = n, 0, int(parameters["b"])
    while rest:
        rest, digit = divmod(rest, base)
        total += digit == parameters["d"]
    return total * int(parameters["k"])


INTS = (
    Family(
        "affine",
        "n",
        1,
        lambda random: {"a": between(random, 2, 30), "b": between(random, 1, 60)},
        (
            "{a} times n, plus {b}",
            "n multiplied by {a} and then increased by {b}",
            "the sum of {b} and {a} times n",
        ),
        "def affine(n):\n    return $a * n + $b\n",
        lambda p, n: p["b"] + sum([n] * p["a"]),
        _near(-50, 50),
    ),
    Family(
        "remainders",
        "n",
        1,
        lambda random: {"a": between(random, 2, 20), "b": between(random, 21, 50)},
        (
            "the remainder of n divided by {a} plus the remainder of n divided by {b}",
            "the sum of the two remainders of n, once divided by {a} and once by {b}",
        ),
        "def remainders(n):\n    return n % $a + n % $b\n",
        lambda p, n: n - n // p["a"] * p["a"] + n - n // p["b"] * p["b"],
        _near(0, 300),
    ),
    Family(
        "branch",
        "n",
        1,
        _branch,
        (
            "{a} times n if n is less than {t}, and n minus {b} otherwise",
            "n minus {b} if n is {t} or more; for a smaller n, it returns {a} times n",
        ),
        "def branch(n):\n    if n < $t:\n        return $a * n\n    return n - $b\n",
        lambda p, n: n - p["b"] if n >= p["t"] else n * p["a"],
        _at_threshold,
    ),
    Family(
        "digit_sum",
        "n",
        2,
        lambda random: {"k": between(random, 2, 20), "b": between(random, 1, 30)},
        (
            "the sum of the decimal digits of n, times {k}, plus {b}",
            "{k} times the digit sum of n, increased by {b}",
        ),
        "def digit_sum(n):\n    total = 0\n    while n > 0:\n        total += n % 10\n        n = "
        "n // 10\n    return $k * total + $b\n",
        lambda p, n: sum(int(digit) for digit in str(n)) * p["k"] + p["b"],
        _near(0, 99_999),
    ),
    Family(
        "count_divisible",
        "n",
        2,
        _two_divisors,
        (
            "how many whole numbers from 1 to n are divisible by {a} or by {b}, plus {c}",
            "{c} plus the count of whole numbers from 1 up to and including n that are multiples "
            "of {a} or of {b}",
        ),
        "def count_divisible(n):\n    return $c + sum(1 for i in range(1, n + 1) if i % $a == 0 or "
        "i % $b == 0)\n",
        lambda p, n: (
            p["c"] + len(set(range(p["a"], n + 1, p["a"])) | set(range(p["b"], n + 1, p["b"])))
        ),
        _near(0, 90),
    ),
    Family(
        "recurrence",
        "n",
        2,
        lambda random: {
            "s": between(random, 0, 9),
            "p": between(random, 2, 9),
            "q": between(random, 1, 9),
            "m": between(random, 11, 60),
        },
        (
            "the value after n rounds, where the value starts at {s} and each round replaces it by "
            "(value * {p} + {q}) modulo {m}",
            "what {s} becomes when it is multiplied by {p}, increased by {q} and reduced modulo "
            "{m}, n times in a row",
        ),
        "def recurrence(n):\n    value = $s\n    for _ in range(n):\n        value = (value * $p + "
        "$q) % $m\n    return value\n",
        _recurrence,
        _near(0, 40),
    ),
    Family(
        "steps_down",
        "n",
        3,
        lambda random: {
            "d": between(random, 2, 6),
            "s": between(random, 1, 7),
            "t": between(random, 1, 12),
        },
        (
            "the number of steps until n is less than {t}; a step divides n by {d} if {d} divides "
            "n, and subtracts {s} otherwise",
            "how many steps it takes to bring n below {t}: n becomes n / {d} when {d} divides it "
            "exactly, and n - {s} when not",
        ),
        "def steps_down(n):\n    steps = 0\n    while n >= $t:\n        if n % $d == 0:\n          "
        "  n = n // $d\n        else:\n"
        "            n = n - $s\n        steps += 1\n    return steps\n",
        _steps_down,
        _near(1, 400),
    ),
    Family(
        "digits_in_base",
        "n",
        3,
        lambda random: {
            "b": between(random, 3, 9),
            "d": between(random, 1, 2),
            "k": between(random, 1, 20),
        },
        (
            "{k} times the number of digits {d} in n written in base {b}",
            "how often the digit {d} occurs in the base {b} form of n, multiplied by {k}",
        ),
        "def digits_in_base(n):\n    count = 0\n    while n > 0:\n        if n % $b == $d:\n       "
        "     count += 1\n        n = n // $b\n"
        "    return $k * count\n",
        _digits_in_base,
        _near(0, 5_000),
    ),
)
"""Every family over a whole number."""
