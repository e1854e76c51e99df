"""What is asked, and how it is checked."""

from rewardscope.environments.base import Environment
from rewardscope.environments.chain import Chain

ENVIRONMENTS: dict[str, type[Environment]] = {cls.__name__: cls for cls in (Chain,)}
"""Every environment there is, by name."""

__all__ = ["ENVIRONMENTS", "Chain", "Environment"]
