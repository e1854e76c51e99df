"""Forms that an answer can be given in."""

import re
from dataclasses import dataclass
from typing import ClassVar

TAG = re.compile(r"<answer>\s*[^\s<].*?</answer>", re.DOTALL | re.IGNORECASE)
BOX = re.compile(r"\\f?boxed\s*\{\s*[^\s}]")


@dataclass(frozen=True)
class AnswerTag:
    """An answer between <answer> and </answer>, closed and not empty.

    Source:
        DeepSeek-AI 2025, arXiv:2501.12948, table 1 (the template that asks for it).
    """

    name: ClassVar[str] = "answer_tag"
    behaviour: ClassVar[str] = "answer_tag"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether it contains one."""
        closed = text[
            : text.lower().rfind("</answer>") + len("</answer>")
        ]  # after the last closing tag a search would only cost time
        return TAG.search(closed) is not None


@dataclass(frozen=True)
class Boxed:
    r"""One \boxed{...} or more that is not empty, anywhere; cut off or not, right or not.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 2.2 (format reward: at least one non-empty box).
    """

    name: ClassVar[str] = "boxed"
    behaviour: ClassVar[str] = "boxed"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether it contains one."""
        return BOX.search(text) is not None
