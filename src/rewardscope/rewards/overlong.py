"""A penalty for length as a named reward, so that no arm has it by default."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.rewards.truth import Truth
from rewardscope.seeds import Address
from rewardscope.types import Ending, Rewards


@dataclass(frozen=True)
class Overlong:
    """Truth plus DAPO's soft overlong punishment.

    The penalty is 0 up to ``limit - buffer`` tokens, then falls linearly to -1 at ``limit``. It is
    -1 beyond, and for a completion that the sampler cut off. ``drop=True`` is DAPO's other choice:
    a completion that was cut off gets no reward.

    Source:
        Yu et al. 2025, arXiv:2503.14476 (DAPO), section 3.4, eq. 13.
    """

    limit: int
    """Tokens."""
    buffer: int
    """Tokens over which the punishment grows."""
    drop: bool = False

    uses_truth: ClassVar[bool] = True
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 < self.buffer <= self.limit:
            raise ComponentError(
                "Overlong needs a buffer within its limit",
                value=f"limit={self.limit}, buffer={self.buffer}",
                allowed="0 < buffer <= limit",
                do="Correct it in the study file",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """Truth plus length term; None if the completion could not be graded, or was cut off and is
        dropped.
        """
        truth = Truth()(view, address).values
        length = tuple(
            -1.0
            if completion.ending is Ending.LENGTH
            else -min(max((completion.length - (self.limit - self.buffer)) / self.buffer, 0.0), 1.0)
            for completion in view.completions
        )
        told = tuple(
            None
            if right is None or (self.drop and completion.ending is Ending.LENGTH)
            else right + (0.0 if self.drop else penalty)
            for right, penalty, completion in zip(truth, length, view.completions, strict=True)
        )
        return Rewards(told, {"truth": truth, "length": length})
