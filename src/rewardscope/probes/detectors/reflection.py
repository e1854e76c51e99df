"""Turning back and checking, by the phrases in which English solutions do it."""

import re
from dataclasses import dataclass
from typing import ClassVar

OPENING = r"(?:^|[.!?:;,…—–\n(-]\s*|\b(?:oh|but|hmm|no|and|oops)[,.…]?\s+)"
"""Where an interjection can occur: at the start of an utterance, not inside a clause."""
LET = r"\blet(?:['’]s| me| us) "
BACK = re.compile(
    OPENING
    + r"(?:wait(?=\s*[,.!?…—–-]|\s+(?:a|no|that|this|but|i|actually)\b)|hold on(?=\s*[,.!?…—–-])"
    r"|oops|scratch that|on second thought)"
    rf"|{LET}(?:try (?:again|another|a different)|start (?:over|again)|redo|rethink|recalculate|go "
    rf"back|reconsider|backtrack)"
    r"|\b(?:i|we)(?:['’]ve| have)? (?:made|must have made|seem to have made) (?:a|an|some) (?:\w+ "
    r")?(?:mistake|error|slip)"
    r"|\b(?:that|this)(?: \w+){0,2} (?:is(?:n['’]t| not)|can(?:['’]t|not| not) be|doesn['’]t "
    r"(?:seem|look))"
    r" (?:right|correct|possible|true)\b"
    r"|\b(?:trying|try) again\b|\bthis approach (?:fails|does(?:n['’]t| not) work)|\bi was "
    r"wrong\b|\brecheck|\brethink",
    re.IGNORECASE,
)
CHECK = re.compile(
    rf"{LET}(?:(?:now|just|quickly|also|first) )?(?:double[- ]check|verify|check|confirm|test|make "
    rf"sure|plug|substitute)\b"
    r"|\b(?:to|we can|i(?:['’]ll| will)|we(?:['’]ll| will)?|can|should) (?:now |also |quickly "
    r"|easily )?"
    r"(?:verify|double[- ]check|confirm|check)"
    r" (?:(?:that|if|whether|our|my|this answer|the answer|the result|the solution|the "
    r"work|by|it|:)|this\b)"
    r"|\b(?:plugging|substituting|putting)(?: \S+){0,6} back\b|\bplug(?:ging)?(?: \S+){0,4} back "
    r"in\b|\bsubstitute(?: \S+){0,4} back\b"
    r"|(?:^|\n)\s*\**(?:check|verification|sanity check)\**\s*:|\b(?:as a|a quick) (?:sanity "
    r")?check\b|\bdouble[- ]checking\b|\bverifying\b"
    r"|\bto (?:check|verify),",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Backtracking:
    """Giving up what was just written: "wait,", "let me try again", "that is not right", "I made a
    mistake".

    English phrases alone; going back without saying so is missed, and an announced return that then
    changes nothing counts.

    Source:
        Gandhi et al. 2025, arXiv:2503.01307 (the behaviour, which they have a language model find);
            Wang et al. 2025, arXiv:2504.20571 (rethink, recheck, recalculate). The phrases are
            ours.
    """

    name: ClassVar[str] = "backtracking"
    behaviour: ClassVar[str] = "backtracking"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether one of the phrases is there."""
        return BACK.search(text) is not None


@dataclass(frozen=True)
class Verification:
    """Checking what was found: "let me check", "plugging it back in", "to verify that", "Check:".

    English phrases alone; an announced check that is not carried out counts, and one that is
    carried out silently is missed.

    Source:
        Gandhi et al. 2025, arXiv:2503.01307 (the behaviour, which they have a language model find).
            The phrases are ours.
    """

    name: ClassVar[str] = "verification"
    behaviour: ClassVar[str] = "verification"
    published: ClassVar[bool] = False

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether one of the phrases is there."""
        return CHECK.search(text) is not None
