"""Reward for being right and for a calibrated confidence: correctness minus a proper score of the
stated confidence.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards

Rule = Literal["brier", "logarithmic", "spherical"]


def brier(confidence: float, correct: bool) -> float:
    """(confidence - correct)^2, in [0, 1]."""
    return (confidence - correct) ** 2


def logarithmic(confidence: float, correct: bool) -> float:
    """-ln of the probability of the outcome, in nats; unbounded at 0 and 1."""
    return -math.log(confidence if correct else 1 - confidence)


def spherical(confidence: float, correct: bool) -> float:
    """1 - (probability of the outcome) / norm of (q, 1 - q), in [0, 1]."""
    return 1 - (confidence if correct else 1 - confidence) / math.hypot(confidence, 1 - confidence)


RULES: dict[str, Callable[[float, bool], float]] = {
    "brier": brier,
    "logarithmic": logarithmic,
    "spherical": spherical,
}


@dataclass(frozen=True)
class Calibrated:
    """R = correctness_weight x correct - S(q, correct) for the stated confidence q, with S the
    Brier, logarithmic or spherical score.

    With a proper S, an honest q is best for any answer. For a likelier answer to also be better
    than an unlikelier one, the score must be bounded: S(p, 1) - S(p, 0) <= correctness_weight for
    all p. Brier and spherical scores need a weight of 1. The logarithmic score is unbounded. With
    confidences clipped to [clip, 1 - clip] it needs a weight of ln((1 - clip) / clip). Outside the
    theorem, a policy can earn more with an answer that is wrong on purpose and a confidence of 0.
    Such a reward is refused unless ``outside_theorem=True``.

    A completion without a stated confidence is scored as confidently wrong.

    Source:
        Damani et al. 2025, arXiv:2507.16806 (RLCR), theorem 1. Its code pays 0.5 x (form + correct
            + 1 - Brier) for a well-formed completion and 0 for any other. Here form does not count.
    """

    rule: Rule = "brier"
    correctness_weight: float = 1.0
    clip: float = 0.0
    """Confidences are clipped to [clip, 1 - clip] before scoring."""
    outside_theorem: bool = False

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if (
            self.rule not in RULES
            or not 0 <= self.clip < 0.5
            or not 0 <= self.correctness_weight < math.inf
        ):
            raise ComponentError(
                "Calibrated cannot score with these settings",
                value=self,
                allowed=f"rule one of {', '.join(RULES)}; 0 <= clip < 0.5; correctness_weight 0 or "
                "more",
                do="Correct it in the study file",
            )
        if self.rule == "logarithmic" and self.clip == 0:
            raise ComponentError(
                "The logarithmic score is infinite at confidences of 0 and 1",
                value=f"clip={self.clip}",
                allowed="0 < clip < 0.5",
                do="Set clip, for instance 0.01",
            )
        if not self.outside_theorem and self.correctness_weight < self.least_weight - 1e-9:
            raise ComponentError(
                f"The {self.rule} score is outside the theorem here: a wrong answer with "
                "confidence 0 can earn more than an honest one",
                value=f"correctness_weight={self.correctness_weight}",
                allowed=f"correctness_weight >= {self.least_weight:.3f}, the largest S(p, 1) - "
                "S(p, 0)",
                do="Raise it, or set outside_theorem=True to study what the policy does with the "
                "loophole",
            )

    @property
    def least_weight(self) -> float:
        """Largest S(p, 1) - S(p, 0) over all clipped confidences. For all three rules it falls with
        p, so it is at p = clip.
        """
        return self._score(0.0, True) - self._score(0.0, False)

    def _score(self, confidence: float, correct: bool) -> float:
        return RULES[self.rule](min(max(confidence, self.clip), 1 - self.clip), correct)

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Correctness minus score; None if the completion could not be graded."""
        terms = [self._terms(grade.correct, grade.confidence) for grade in view.grades]
        told = tuple(
            None if truth is None or score is None else self.correctness_weight * truth - score
            for truth, score in terms
        )
        return Rewards(
            told,
            {
                "truth": tuple(truth for truth, _ in terms),
                "score": tuple(score for _, score in terms),
            },
        )

    def _terms(
        self, correct: bool | None, confidence: float | None
    ) -> tuple[float | None, float | None]:
        """Correctness as it counts, and the score of the confidence."""
        if correct is None:
            return None, None
        if confidence is None or not math.isfinite(confidence):
            return 0.0, self._score(1.0, False)
        return float(correct), self._score(confidence, correct)
