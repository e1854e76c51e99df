"""Twenty-five functions from a string to a string, under names that say nothing, and two ways to
join two strings.

A prompt may quote them, so each is written as a reader should see it, and its source is what is
quoted.
"""

import inspect
from collections.abc import Callable


def _func_0(s):  # type: ignore[no-untyped-def]
    return s[::-1]


def _func_1(s):  # type: ignore[no-untyped-def]
    return "".join(c for c in s if c not in "aeiou")


def _func_2(s):  # type: ignore[no-untyped-def]
    return "".join(sorted(s))


def _func_3(s):  # type: ignore[no-untyped-def]
    return "".join(chr((ord(c) - 97 + 3) % 26 + 97) if "a" <= c <= "z" else c for c in s)


def _func_4(s):  # type: ignore[no-untyped-def]
    return "".join(c + c for c in s)


def _func_5(s):  # type: ignore[no-untyped-def]
    return s[2:] + s[:2]


def _func_6(s):  # type: ignore[no-untyped-def]
    return "qz" + s


def _func_7(s):  # type: ignore[no-untyped-def]
    return s + "mo"


def _func_8(s):  # type: ignore[no-untyped-def]
    return s + s[::-1]


def _func_9(s):  # type: ignore[no-untyped-def]
    return (
        s.replace("a", "1").replace("e", "2").replace("i", "3").replace("o", "4").replace("u", "5")
    )


def _func_10(s):  # type: ignore[no-untyped-def]
    return "-".join(s)


def _func_11(s):  # type: ignore[no-untyped-def]
    return "".join(s[i] for i in range(len(s)) if i == 0 or s[i] != s[i - 1])


def _func_12(s):  # type: ignore[no-untyped-def]
    return s if len(s) < 2 else s[-1] + s[1:-1] + s[0]


def _func_13(s):  # type: ignore[no-untyped-def]
    return s[-1:] + s[:-1]


def _func_14(s):  # type: ignore[no-untyped-def]
    return s[::2]


def _func_15(s):  # type: ignore[no-untyped-def]
    return "".join(s[i].upper() if i % 2 else s[i] for i in range(len(s)))


def _func_16(s):  # type: ignore[no-untyped-def]
    return s[:-1] if len(s) % 2 else s


def _func_17(s):  # type: ignore[no-untyped-def]
    return s + s


def _func_18(s):  # type: ignore[no-untyped-def]
    return "".join(chr((ord(c) - 97 - 1) % 26 + 97) if "a" <= c <= "z" else c for c in s)


def _func_19(s):  # type: ignore[no-untyped-def]
    return "".join(s[i] for i in range(len(s)) if s[i] not in s[:i])


def _func_20(s):  # type: ignore[no-untyped-def]
    return "".join(s[i : i + 2][::-1] for i in range(0, len(s), 2))


def _func_21(s):  # type: ignore[no-untyped-def]
    return "[" + s + "]"


def _func_22(s):  # type: ignore[no-untyped-def]
    return "".join(c for c in s if c in "aeiou") + "".join(c for c in s if c not in "aeiou")


def _func_23(s):  # type: ignore[no-untyped-def]
    return s + str(len(s))


def _func_24(s):  # type: ignore[no-untyped-def]
    return s[len(s) // 2 :] + s[: len(s) // 2]


def _interlace(s, t):  # type: ignore[no-untyped-def]
    return "".join(s[i : i + 1] + t[i : i + 1] for i in range(max(len(s), len(t))))


_UNARY = (
    *(
        _func_0,
        _func_1,
        _func_2,
        _func_3,
        _func_4,
        _func_5,
        _func_6,
        _func_7,
        _func_8,
        _func_9,
        _func_10,
        _func_11,
        _func_12,
    ),
    *(
        _func_13,
        _func_14,
        _func_15,
        _func_16,
        _func_17,
        _func_18,
        _func_19,
        _func_20,
        _func_21,
        _func_22,
        _func_23,
        _func_24,
    ),
)
FUNCTIONS: dict[str, Callable[[str], str]] = {
    function.__name__[1:]: function for function in _UNARY
}
"""Name in a prompt -> the function."""
TRAINED = tuple(f"func_{number}" for number in range(13))
"""Those of ``train`` and ``heldout``."""
UNSEEN = tuple(f"func_{number}" for number in range(13, 25))
"""Those of ``unseen``: none of them is in any other split."""
CONCATENATE, INTERLACE = "+", "interlace"
JOIN: Callable[[str, str], str] = _interlace


def join(operator: str, left: str, right: str) -> str:
    """Both strings one behind the other, or letter by letter in turn."""
    return left + right if operator == CONCATENATE else JOIN(left, right)


def definition(name: str) -> str:
    """The Python source of a function, under the name that a prompt uses."""
    source = inspect.getsource(_interlace if name == INTERLACE else FUNCTIONS[name])
    return (
        source.replace("def _", "def ", 1).replace("  # type: ignore[no-untyped-def]", "").strip()
    )


DEFINITIONS: dict[str, str] = {name: definition(name) for name in (*FUNCTIONS, INTERLACE)}
"""Name -> its source."""
