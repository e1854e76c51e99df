"""Reward for a behaviour in the text, by the detector that also measures it."""

from dataclasses import dataclass
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.protocols import Detector, View
from rewardscope.seeds import Address
from rewardscope.types import Rewards


@dataclass(frozen=True)
class Detected:
    """1 for a completion that shows the behaviour, 0 otherwise; with ``absent=True`` the reverse.

    ``Detected(MentionsPython())`` is the paper's python reward, ``Detected(Boxed())`` its format
    reward, and ``Detected(Repetition(), absent=True)`` its reward for no repetition. None is called
    a placebo: what a text shows may go with being right, as python does in Qwen2.5-Math.

    Source:
        Shao et al. 2025, arXiv:2506.10947, sections 2.2 and 4.3, appendix E.
    """

    detector: Detector
    absent: bool = False
    """Whether the completion is paid for not showing it."""

    uses_truth: ClassVar[bool] = False
    placebo: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.detector, type) or not callable(self.detector):
            raise ComponentError(
                "Detected needs a detector",
                value=f"detector={self.detector!r}",
                allowed="an instance of one that `rewardscope methods` lists, or of your own",
                do="Write, for instance, Detected(MentionsPython())",
            )

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """1 or 0 by what each completion says."""
        prompt = view.problem.prompt
        return Rewards(
            tuple(
                float(self.detector(prompt, completion.said) is not self.absent)
                for completion in view.completions
            )
        )
