"""Everything that can be known to be wrong with a study before its first cell is begun."""

import time
from collections.abc import Callable, Iterable, Sequence

import torch

from rewardscope.conformance import line_of
from rewardscope.environments import Proof, distinct, prove
from rewardscope.errors import EnvironmentFault, StudyError
from rewardscope.identity import guests_of
from rewardscope.policy.room import total_bytes
from rewardscope.protocols import Environment, Finite
from rewardscope.study.design import design_notes
from rewardscope.study.rehearsal import (
    check_split,
    made_up,
    problem_at,
    rehearse_environment,
    rehearse_reward,
    told_where,
)
from rewardscope.study.study import Study
from rewardscope.training import Arm
from rewardscope.training.estimate import check_memory
from rewardscope.types import Problem, Rollout

TRAIN = "train"
ASKED = 12
"""Problems of a split that a guest's methods are called with."""
COMPARED, SECONDS = 400, 0.5
"""Training problems that the held-out ones are compared with at most, and for how long."""
GROUPS, GROUP = 3, 8
"""Made-up groups that a reward is called with, and completions of one at most."""
WORTH_SAYING = 0.1
"""Share of the device's memory that an arm takes, from which on the user is told."""
UNGRADED = 0.9
"""Share of a base's completions that nobody could grade, from which on its cell fails."""


def check_study(
    study: Study, on_proof: Callable[[Proof], None] = lambda _: None
) -> tuple[str, ...]:
    """Calls what a guest brought as a run would, and has every environment prove itself.

    Nothing is written, and components of ours, which their own tests call, are only proved.

    Args:
        study: To check.
        on_proof: Told what each environment proved, and what cheap completions earn from it.

    Returns:
        What the user should know before the run, a sentence each.

    Raises:
        RewardscopeError: With the user's file and line, where something would fail or mislead.
    """
    notes: list[str] = []
    for arm in study.arms:
        arm.start.identity()
    for environment, split, use in _uses(study):
        if guests_of(environment):
            check_split(environment, split, use)
            problems = _asked(environment, split)
            notes += rehearse_environment(environment, problems)
        with told_where(type(environment).grade):
            on_proof(prove(environment, split))
    notes += design_notes(study)
    notes += _check_leaks(study)
    notes += _check_memory(study)
    for arm in study.arms:
        if guests_of(arm.reward):
            rehearse_reward(arm.reward, _groups(arm))
    return tuple(dict.fromkeys(notes))


def _check_memory(study: Study) -> list[str]:
    """A sentence on the arm that takes the most memory, unless that is little.

    Raises:
        StudyError: If an arm does not fit.
    """
    found = {arm.name: check_memory(arm, study.placement) for arm in study.arms}
    known = {name: each for name, each in found.items() if each is not None}
    if not known:
        return []
    name = max(known, key=lambda each: known[each].peak)
    if known[name].peak < WORTH_SAYING * total_bytes(torch.device(study.device)):
        return []
    return [f"Arm '{name}' takes about {known[name]} of memory in each worker, as computed"]


def _uses(study: Study) -> list[tuple[Environment, str, str]]:
    """Each environment with each of its splits that the study reads, and what for."""
    return list(
        {
            (environment, split): (environment, split, use)
            for arm in study.arms
            for environment, split, use in (
                (arm.environment, TRAIN, "training"),
                (study.evaluation.asks(arm), study.evaluation.split, "the evaluation"),
            )
        }.values()
    )


def _asked(environment: Environment, split: str) -> list[Problem]:
    """The first problems of the split, seen to be problems, the same when asked again, and told
    apart by their ids.

    Raises:
        EnvironmentFault: If they are not.
    """
    problems = [problem_at(environment, split, index) for index in range(ASKED)]
    cls = type(environment)
    for index, problem in enumerate(problems):
        again = problem_at(environment, split, index)
        if again != problem:
            what = next(
                name
                for name in ("id", "prompt", "answer", "environment", "level", "facts")
                if getattr(again, name) != getattr(problem, name)
            )
            raise EnvironmentFault(
                f"{cls.__name__}.problem() gives another problem for the same index",
                value=f"problem({split!r}, {index}) has {what}={getattr(problem, what)!r}, then "
                f"{getattr(again, what)!r}",
                allowed="a function of split and index",
                do="Draw with rewardscope.seeds: `generator(split, index)`, and name a problem by "
                "content_id(self.name, prompt)",
                where=line_of(cls.problem),
            )
    by_id: dict[str, Problem] = {}
    for problem in problems:
        other = by_id.setdefault(problem.id, problem)
        if other.prompt != problem.prompt:
            raise EnvironmentFault(
                f"{cls.__name__}.problem() gives two problems the same id",
                value=f"id {problem.id!r} for {other.prompt[:60]!r} and {problem.prompt[:60]!r}",
                allowed="an id of its own for each problem",
                do="Write id=content_id(self.name, prompt), from rewardscope.environments.base",
                where=line_of(cls.problem),
            )
    return problems


def _groups(arm: Arm) -> list[Rollout]:
    count = min(arm.completions_per_problem, GROUP)
    return [
        made_up(arm.environment, problem_at(arm.environment, TRAIN, index), count)
        for index in range(GROUPS)
    ]


def _check_leaks(study: Study) -> list[str]:
    """Refuses held-out problems that are too few, or that arms train on.

    Raises:
        EnvironmentFault: If there are too few.
        StudyError: If some are training problems, and the study does not say so.
    """
    evaluation, notes = study.evaluation, []
    pairs = dict.fromkeys((arm.environment, evaluation.asks(arm)) for arm in study.arms)
    for trained, asked in pairs:
        with told_where(type(asked).problem):
            held_out = distinct(asked, evaluation.split, evaluation.problems)
        if evaluation.seen_in_training:
            continue
        if not guests_of((trained, asked)) and (evaluation.split != TRAIN or trained != asked):
            continue  # splits of ours share nothing by how they are made
        seen = _training_problems(trained)
        ids = {problem.id for problem in seen}
        prompts = {problem.prompt.strip() for problem in seen}
        both = [p for p in held_out if p.id in ids or p.prompt.strip() in prompts]
        if both:
            raise StudyError(
                "Held-out problems are training problems too",
                value=f"{len(both)} of {len(held_out)} problems of split '{evaluation.split}' are "
                f"among {len(seen)} of split '{TRAIN}', such as {both[0].prompt[:80]!r}",
                allowed="splits that share no id and no prompt",
                do="Keep the rows of each split apart in problem(), or, where one pool is what the "
                "study is about, write Evaluation(..., seen_in_training=True)",
                where=line_of(type(asked).problem),
            )
        notes.append(
            f"None of the {len(held_out)} held-out problems is among {len(seen)} training problems."
        )
    return notes


def _training_problems(environment: Environment) -> Sequence[Problem]:
    """Different problems of the training split, as many as time allows."""
    size = environment.size(TRAIN) if isinstance(environment, Finite) else None
    found: dict[str, Problem] = {}
    began = time.monotonic()
    for index in range(min(size or COMPARED, 10 * COMPARED)):
        problem = environment.problem(TRAIN, index)
        found[problem.id] = problem
        if time.monotonic() - began > SECONDS:
            break
    return tuple(found.values())


def check_graded(environment: Environment, rollouts: Iterable[Rollout]) -> None:
    """Refuses an untrained policy's completions of which hardly any could be graded: every figure
    after it would be about the rest.

    Raises:
        EnvironmentFault: With one of them.
    """
    pairs = [
        (completion.said, grade)
        for rollout in rollouts
        for completion, grade in zip(rollout.completions, rollout.grades, strict=True)
    ]
    ungraded = [said for said, grade in pairs if grade.correct is None]
    if pairs and len(ungraded) > UNGRADED * len(pairs):
        cls = type(environment)
        raise EnvironmentFault(
            f"{cls.__name__} could grade hardly any of the untrained policy's completions",
            value=f"correct=None for {len(ungraded)} of {len(pairs)}, such as {ungraded[0][:80]!r}",
            allowed=f"up to {UNGRADED:.0%}; None is for what the verifier cannot say",
            do="Return correct=False for a completion that is wrong or cannot be read",
            where=line_of(cls.grade),
        )
