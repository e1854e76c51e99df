"""What a detector is."""

from typing import ClassVar, Protocol


class Detector(Protocol):
    """Says of a completion whether a behaviour shows in its text: a pattern, not an
    understanding.
    """

    name: ClassVar[str]
    """What its rows are labelled with."""
    behaviour: ClassVar[str]
    """What it stands for: the file of labelled texts that it is judged on."""
    published: ClassVar[bool]
    """Whether it is kept as a paper has it, mistakes included."""

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the behaviour shows in the completion ``text`` of ``prompt``."""
