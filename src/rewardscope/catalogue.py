"""Every component there is: what the command line lists, what the tests run over, and what codec can read back."""

import dataclasses
from collections.abc import Mapping

from rewardscope.credit import CREDITS
from rewardscope.environments import ENVIRONMENTS
from rewardscope.learner import PolicyGradient
from rewardscope.organisms import Organism
from rewardscope.policy import Sampling
from rewardscope.policy.start import Pretrained
from rewardscope.probes import PROBES
from rewardscope.rewards import REWARDS
from rewardscope.study import Evaluation, Study
from rewardscope.training import Arm
from rewardscope.types import Claim

STARTS: dict[str, type] = {cls.__name__: cls for cls in (Organism, Pretrained)}
LEARNERS: dict[str, type] = {cls.__name__: cls for cls in (PolicyGradient,)}
KINDS: dict[str, Mapping[str, type]] = {
    "environments": ENVIRONMENTS,
    "rewards": REWARDS,
    "credit": CREDITS,
    "learner": LEARNERS,
    "starts": STARTS,
    "probes": PROBES,
}
"""Kind -> its table."""
COMPONENTS: dict[str, type] = {name: cls for table in KINDS.values() for name, cls in table.items()} | {
    cls.__name__: cls for cls in (Arm, Claim, Evaluation, Sampling, Study)
}
"""Everything that :func:`rewardscope.codec.decode` may make of a study on disk."""


def first_line(cls: type) -> str:
    """What the class is, as its docstring's first sentence says."""
    return (cls.__doc__ or "").strip().splitlines()[0]


def fields_of(cls: type) -> str:
    """Fields with their defaults, as one would write them."""
    found = []
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        found.append(field.name if missing else f"{field.name}={field.default!r}")
    return ", ".join(found)
