"""Where a policy lives, and in which number format."""

from collections.abc import Callable
from dataclasses import dataclass

from rewardscope.policy.policy import Policy
from rewardscope.policy.precision import Precision


@dataclass(frozen=True)
class Placement:
    """A device and a number format."""

    device: str = "cpu"
    precision: Precision | None = None
    """None = the usual one of the device."""

    def load(self, read: Callable[..., Policy]) -> Policy:
        """The policy that ``read`` gives for a device, here and in this format.

        A format other than float32 is made in the machine's memory, so that the device never holds
        the float32 weights.
        """
        precision = self.precision or Precision.of(self.device)
        if precision == Precision():
            return read(device=self.device)
        return read(device="cpu").cast(precision, self.device)
