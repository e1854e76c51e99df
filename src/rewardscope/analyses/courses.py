"""The courses of an arm's runs over steps: execution and plans, for strategic grams and for random
grams.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardscope.errors import StudyError
from rewardscope.policy import Policy
from rewardscope.probes.course import Course, read_course
from rewardscope.probes.strategic import Miner, random_grams
from rewardscope.protocols import RunSource
from rewardscope.stats import Estimate, paired_contrast
from rewardscope.store import StoredRun

PLANS = 128
"""Uses of grams over which the variety of plans is counted, where every step has that many."""


@dataclass(frozen=True)
class Courses:
    """The courses of one arm under one set of grams."""

    grams: tuple[str, ...]
    by_seed: Mapping[int, Course]
    lag: Estimate | None
    """Mean over seeds of the steps from the bend of execution to that of the plans; None where a
    seed lacks one of them.
    """

    def record(self) -> dict[str, Any]:
        """All results as JSON types."""
        return {
            "grams": list(self.grams),
            "lag": _ends(self.lag),
            "seeds": {
                str(seed): {
                    "steps": list(course.steps),
                    "execution_surprise_nats": course.execution_T.tolist(),
                    "plan_entropy_nats": course.plans_T.tolist(),
                    "execution_bend": _ends(course.execution.step),
                    "execution_smooth": course.execution.smooth,
                    "plans_bend": _ends(course.plans.step),
                    "plans_smooth": course.plans.smooth,
                    "lag": _ends(course.lag),
                    "two_phases": course.two_phases,
                }
                for seed, course in self.by_seed.items()
            },
        }


def _ends(estimate: Estimate | None) -> list[float | None] | None:
    return None if estimate is None else [estimate.value, estimate.lower, estimate.upper]


def courses(
    policy: Policy,
    run: RunSource,
    arm: str,
    grams: Sequence[str] = (),
    miner: Miner | None = None,
) -> dict[str, Courses]:
    """The courses of an arm's replicates for strategic grams and, as the null, for random ones of
    the same frequency.

    Args:
        policy: The arm's start, for its tokenizer.
        run: Any run that kept its completions. If no grams are given, they are mined from the
            untrained policy's correct ones.
        arm: The arm of the cells.
        grams: Strategic grams; empty = mined.
        miner: How grams are mined; None = with the default settings.

    Raises:
        StudyError: If nothing could be mined.
        ComponentError: If the runs are too short, or use the grams too rarely.
    """
    untrained = list(run.held_out(arm, None))
    pairs = [
        (c.said, g.correct)
        for rollout in untrained
        for c, g in zip(rollout.completions, rollout.grades, strict=True)
    ]
    strategic = tuple(grams) or (miner or Miner()).mine(
        [text for text, correct in pairs if correct]
    )
    if not strategic:
        raise StudyError(
            "No sequence of words is common in the untrained policy's right completions, so no "
            "strategic gram can be mined",
            value=_example(pairs),
            do=f"Name pieces of text that stand for a plan: {_command(run, arm, pairs)}",
        )
    rollouts = {
        seed: {step: list(run.rollouts(arm, seed, step)) for step in run.steps(arm, seed)}
        for seed in run.seeds(arm)
    }
    by_kind = {}
    for kind, chosen in (
        ("strategic", strategic),
        ("random", random_grams([text for text, _ in pairs], strategic, "course")),
    ):
        by_seed = {
            seed: read_course(policy, by_step, chosen, PLANS, f"{kind}/{seed}")
            for seed, by_step in rollouts.items()
        }
        lags = [course.lag.value for course in by_seed.values() if course.lag is not None]
        complete = len(lags) == len(by_seed)
        by_kind[kind] = Courses(
            chosen,
            by_seed,
            paired_contrast(np.array(lags)[:, None], address=f"course/{kind}")
            if complete
            else None,
        )
    return by_kind


def _example(pairs: Sequence[tuple[str, bool | None]]) -> str:
    """A right completion, cut."""
    right = [text for text, correct in pairs if correct]
    return f"for instance {right[0][:60]!r}" if right else "no completion is right"


def _command(run: RunSource, arm: str, pairs: Sequence[tuple[str, bool | None]]) -> str:
    """The command with the two commonest openings of a completion as grams."""
    openings = Counter(text[:1] for text, correct in pairs if correct and text[:1].strip())
    grams = " ".join(f"--gram {shlex.quote(text)}" for text, _ in openings.most_common(2))
    directory = run.directory.root if isinstance(run, StoredRun) else "RUN"
    where = shlex.quote(str(directory))
    return f"rewardscope phases {where} {shlex.quote(arm)} {grams or '--gram TEXT'}"
