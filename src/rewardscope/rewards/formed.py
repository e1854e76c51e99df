"""Truth combined with form, gated or summed, so that the effect of a format term is an arm of its
own.
"""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.rewards.base import verdicts
from rewardscope.seeds import Address
from rewardscope.types import Rewards


def _parts(view: View) -> dict[str, tuple[float | None, ...]]:
    return {
        "truth": verdicts(view),
        "form": tuple(float(grade.well_formed) for grade in view.grades),
    }


@dataclass(frozen=True)
class FormTimesTruth:
    """1 for a completion that is correct and well-formed, 0 otherwise: form gates the truth, and
    earns nothing alone.

    Source:
        DeepSeek-AI 2025, arXiv:2501.12948, section 2.2.2 names the two terms; most code gates.
    """

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The product of both parts; None if the completion could not be graded."""
        parts = _parts(view)
        pairs = zip(parts["truth"], parts["form"], strict=True)
        return Rewards(
            tuple(None if truth is None else truth * (form or 0.0) for truth, form in pairs), parts
        )


@dataclass(frozen=True)
class FormPlusTruth:
    """Truth + ``form_weight`` x well-formed: form alone is rewarded, so a policy that is never
    right still learns to look right.
    """

    form_weight: float = 0.5

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.form_weight >= 0:
            raise ComponentError(
                "A form weight is 0 or more",
                value=self.form_weight,
                allowed="form_weight >= 0",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The weighted sum of both parts; None if the completion could not be graded."""
        parts = _parts(view)
        pairs = zip(parts["truth"], parts["form"], strict=True)
        return Rewards(
            tuple(
                None if truth is None else truth + self.form_weight * (form or 0.0)
                for truth, form in pairs
            ),
            parts,
        )
