"""What others wrote, for a policy to learn from."""

from rewardscope.experience.demonstrations import Demonstrations, Oracle, Stored

DEMONSTRATIONS: dict[str, type[Demonstrations]] = {cls.__name__: cls for cls in (Oracle, Stored)}
"""Every source of demonstrations there is, by name."""

__all__ = ["DEMONSTRATIONS", "Demonstrations", "Oracle", "Stored"]
