"""Small Python functions, graded by tests that a model never sees; what a model writes runs in a
sandbox and nowhere else.
"""

from rewardscope.environments.code.environment import Code

__all__ = ["Code"]
