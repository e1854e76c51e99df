"""Looks at a policy while it trains."""

from dataclasses import dataclass

from rewardscope.errors import StudyError


@dataclass(frozen=True)
class InterimEvaluation:
    """A few draws on a few held-out problems, every so many steps: a curve beside the training
    curves.

    The problems are the first of the study's evaluation, the draws the same for every arm and at
    every step. They are no evidence: claims are judged from the evaluation at the end alone. Every
    look costs ``problems x draws`` completions.
    """

    every: int = 10
    """Steps from one look to the next; the first is at the untrained policy."""
    problems: int = 16
    draws: int = 4
    """Completions per problem, with the arm's own sampling settings."""

    def __post_init__(self) -> None:
        if min(self.every, self.draws) < 1 or self.problems < 2:
            raise StudyError(
                "An interim evaluation cannot have these numbers",
                value=self,
                allowed="every >= 1, problems >= 2, draws >= 1",
                do="Correct the study",
            )
