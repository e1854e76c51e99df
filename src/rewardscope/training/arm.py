"""An arm: one treatment."""

from dataclasses import dataclass

from rewardscope.credit import Credit, GroupMean
from rewardscope.environments import AllProblems, Environment, Regime
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.experience import Demonstrations, SkillBank
from rewardscope.learner import Learner
from rewardscope.policy import Sampling
from rewardscope.policy.start import Start
from rewardscope.preference import Preference
from rewardscope.rewards import Reward


@dataclass(frozen=True)
class Arm:
    """One treatment: everything that determines a trained policy, but for the seed."""

    name: str
    start: Start
    environment: Environment
    reward: Reward
    credit: Credit | Preference = GroupMean()
    learner: Learner = Learner()
    sampling: Sampling = Sampling()
    regime: Regime = AllProblems()
    demonstrations: Demonstrations | None = None
    """Whose completions stand in the place of the policy's own; None = it writes them itself."""
    bank: SkillBank | None = None
    """What earlier attempts taught, recalled before each problem; None = problems stand alone."""
    sampling_rounds: int = 1
    """Up to how many times a step samples to have ``problems_per_step`` groups whose told rewards differ (DAPO's dynamic sampling)."""
    steps: int = 30
    problems_per_step: int = 32
    completions_per_problem: int = 16
    checkpoint_every: int = 10
    """Steps between checkpoints; a killed run loses at most this many."""

    def __post_init__(self) -> None:
        if self.completions_per_problem < (2 if self.demonstrations is None else 1):
            raise ComponentError(
                f"Arm '{self.name}' samples groups of one, in which no completion has a sibling to be compared with",
                value=f"completions_per_problem={self.completions_per_problem}",
                allowed="2 or more",
                do="Raise completions_per_problem",
            )
        if min(self.steps, self.problems_per_step, self.checkpoint_every, self.sampling_rounds) < 1:
            counts = "steps, problems_per_step, checkpoint_every and sampling_rounds"
            raise ComponentError(f"Arm '{self.name}' needs {counts} of 1 or more", do="Mend the study")
        for signal, part in (("value_NT", "critic"), ("implicit_NT", "implicit"), ("teaching", "teacher")):
            if signal in self.credit.needs and getattr(self.learner, part) is None:
                raise ComponentError(
                    f"Arm '{self.name}' has a credit method that reads {signal}, and a learner that does not make it",
                    value=f"credit={self.credit}",
                    allowed=f"Learner({part}=...)",
                    do=f"Give the learner a {part}",
                )

        if self.bank is not None and self.bank.reads_evolve:
            try:
                self.environment.problem("evolve", 0)
            except EnvironmentFault as fault:
                raise ComponentError(
                    f"Arm '{self.name}' has a bank that learns from the split evolve, and an environment without one",
                    value=fault.value,
                    allowed="an environment with a split evolve; Reserved(environment) gives it to any",
                    do="Give all arms Reserved(...), or let the bank learn from training alone: first_problems=0, evolve_every=0",
                ) from fault

    @property
    def uses_truth(self) -> dict[str, bool]:
        """Through which doors the answer key enters training."""
        return {
            "reward": self.reward.uses_truth,
            "credit": self.credit.uses_truth,
            "regime": self.regime.uses_truth,
            "demonstrations": self.demonstrations is not None and self.demonstrations.uses_truth,
            "mask": self.learner.mask is not None and self.learner.mask.uses_truth,
            "bank": self.bank is not None and self.bank.uses_truth,
        }
