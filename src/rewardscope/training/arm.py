"""An arm: one treatment."""

from dataclasses import dataclass
from typing import get_args, get_type_hints

from rewardscope.conformance import MEMBERS, check_component, instead
from rewardscope.credit.group_mean import GroupMean
from rewardscope.environments.regimes import AllProblems
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.experience.bank import SkillBank
from rewardscope.learner.learner import Learner
from rewardscope.policy import Sampling
from rewardscope.protocols import (
    Credit,
    Demonstrations,
    Environment,
    Preference,
    Regime,
    Reward,
    Start,
)
from rewardscope.training.signals import check_signals


@dataclass(frozen=True)
class Arm:
    """One treatment: everything except the seed that determines a trained policy."""

    name: str
    start: Start
    environment: Environment
    reward: Reward
    credit: Credit | Preference = GroupMean()
    learner: Learner = Learner()
    sampling: Sampling = Sampling()
    regime: Regime = AllProblems()
    demonstrations: Demonstrations | None = None
    """Completions to train on instead of the policy's own; None = the policy's own."""
    bank: SkillBank | None = None
    """Experience to recall before each problem; None = no recall."""
    sampling_rounds: int = 1
    """Most rounds of sampling per step until ``problems_per_step`` groups have rewards that differ
    (DAPO's dynamic sampling).
    """
    steps: int = 30
    problems_per_step: int = 32
    completions_per_problem: int = 16
    checkpoint_every: int = 10
    """Steps between checkpoints; a killed run loses at most this many."""

    def __post_init__(self) -> None:
        self._check_parts()
        if self.completions_per_problem < (2 if self.demonstrations is None else 1):
            raise ComponentError(
                f"Arm '{self.name}' samples groups of one, so no completion has a sibling to "
                "compare with",
                value=f"completions_per_problem={self.completions_per_problem}",
                allowed="2 or more",
                do="Raise completions_per_problem",
            )
        counts = {
            name: getattr(self, name)
            for name in ("steps", "problems_per_step", "checkpoint_every", "sampling_rounds")
        }
        if low := ", ".join(f"{name}={count}" for name, count in counts.items() if count < 1):
            raise ComponentError(
                f"Arm '{self.name}' has a count below 1",
                value=low,
                allowed="1 or more",
                do="Correct the study file",
            )
        check_signals(self.name, self.credit, self.learner)
        if self.bank is not None and self.bank.reads_evolve:
            try:
                self.environment.problem("evolve", 0)
            except EnvironmentFault as fault:
                raise ComponentError(
                    f"Arm '{self.name}' has a bank that learns from the split evolve, and an "
                    "environment without one",
                    value=fault.value,
                    allowed="an environment with a split evolve; Reserved(environment) gives it to "
                    "any",
                    do="Give all arms Reserved(...), or let the bank learn from training alone: "
                    "first_problems=0, evolve_every=0",
                ) from fault

    def _check_parts(self) -> None:
        """Raises if a part has another type than its field, such as a name or a class instead of an
        instance.
        """
        owner = f"Arm {self.name!r}"
        for name, kind in get_type_hints(type(self)).items():
            part = getattr(self, name)
            kinds = tuple(
                option for option in get_args(kind) or (kind,) if option is not type(None)
            )
            if part is None and type(None) in get_args(kind):
                continue
            interfaces = tuple(option for option in kinds if option in MEMBERS)
            if interfaces and not isinstance(part, type):
                check_component(part, interfaces, name, owner)
            elif isinstance(part, (type, bool)) or not isinstance(part, kind):
                raise ComponentError(
                    f"{owner} cannot take this as its {name}",
                    value=f"{name}={part.__name__}, a class"
                    if isinstance(part, type)
                    else f"{name}={part!r}",
                    allowed=f"instances of {' or '.join(option.__name__ for option in kinds)}",
                    do=f"Write {instead(name, part, kinds[0])}",
                )

    @property
    def uses_truth(self) -> dict[str, bool]:
        """Each part of the arm that could read the answer key, and whether it does."""
        return {
            "reward": self.reward.uses_truth,
            "credit": self.credit.uses_truth,
            "regime": self.regime.uses_truth,
            "demonstrations": self.demonstrations is not None and self.demonstrations.uses_truth,
            "mask": self.learner.mask is not None and self.learner.mask.uses_truth,
            "bank": self.bank is not None and self.bank.uses_truth,
        }
