"""Working written as a program: two detectors from papers, and a stricter one."""

import re
from dataclasses import dataclass
from typing import ClassVar

LANGUAGES = (
    "python|python3|py|javascript|js|typescript|java|c|cpp|c\\+\\+|go|rust|r|julia|matlab|octave|"
    "bash|sh|sql|haskell|ruby"
)
FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?P<language>[\w+]*)[ \t]*\n(?P<body>.*?)(?:^[ \t]*```|\Z)",
    re.DOTALL | re.MULTILINE,
)
LANGUAGE = re.compile(LANGUAGES, re.IGNORECASE)
STATEMENT = re.compile(
    r"^[ \t]*(?:def \w+\(.*\).*:|import \w+|from \w+ import |print\(.*\)|(?:for|while) "
    r".+:$|return\b|\w+ = \w+\()",
    re.MULTILINE,
)
FUNCTION = re.compile(
    r"^(?P<indent>[ \t]*)def \w+\([^)\n]*\)[^:\n]*:[ \t]*(?:\S.*|\n(?:[ \t]*\n)*(?P=indent)[ "
    r"\t]+\S)",
    re.MULTILINE,
)
TOOL = re.compile(r"<llm-code>\s*\S")


@dataclass(frozen=True)
class MentionsPython:
    """The word python anywhere, in any case: how the paper on spurious rewards counts code
    reasoning.

    It does not tell whether a program follows. A story with a snake in it counts, and a program
    without the word does not.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 4.1.
    """

    name: ClassVar[str] = "mentions_python"
    behaviour: ClassVar[str] = "code"
    published: ClassVar[bool] = True

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the word occurs."""
        return "python" in text.casefold()


@dataclass(frozen=True)
class MentionsDef:
    """The letters def anywhere: how the paper on the echo chamber tells programs from prose.

    "define", "undefined" and "deficit" count too.

    Source:
        Zhao et al. 2025, arXiv:2504.07912; rosieyzh/openrlhf-pretrain at 34d239d,
            openrlhf/utils/math_verifier.py.
    """

    name: ClassVar[str] = "mentions_def"
    behaviour: ClassVar[str] = "code"
    published: ClassVar[bool] = True

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the letters occur."""
        return "def" in text


@dataclass(frozen=True)
class WrittenCode:
    """A program with a body: a fenced block that names a language or holds statements, a def with a
    body, or a tool call <llm-code>.

    A fence around figures or prose does not count, nor does a bare formula; a one-line expression
    without a fence is missed.
    """

    name: ClassVar[str] = "written_code"
    behaviour: ClassVar[str] = "code"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether it contains one."""
        if FUNCTION.search(text) or TOOL.search(text):
            return True
        return any(
            block["body"].strip()
            and bool(LANGUAGE.fullmatch(block["language"]) or STATEMENT.search(block["body"]))
            for block in FENCE.finditer(text)
        )
