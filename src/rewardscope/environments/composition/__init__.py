"""Functions on strings under names that say nothing, composed; what does the composition return?"""

from rewardscope.environments.composition.environment import Composition

__all__ = ["Composition"]
