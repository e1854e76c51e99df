"""Graded groups: sampled, or made from demonstrations; and their numbers for a step row."""

from collections.abc import Sequence
from dataclasses import replace

from rewardscope.policy import Policy, Sampling, pack, score, written
from rewardscope.protocols import Environment, Sampler, replies
from rewardscope.seeds import Address
from rewardscope.training.arm import Arm
from rewardscope.training.laps import Laps
from rewardscope.types import Completion, Ending, Problem, Rollout


def roll_out(
    sampler: Sampler,
    environment: Environment,
    problems: Sequence[Problem],
    group_size: int,
    sampling: Sampling,
    policy_step: int,
    addresses: Sequence[tuple[Address, ...]],
    recalled: Sequence[tuple[str, ...]] | None = None,
    laps: Laps | None = None,
) -> list[Rollout]:
    """A graded group per problem, sampled after the problem's recalled pieces; rewards are not set.

    If given, ``laps`` records the time of sampling and grading.
    """
    laps = laps or Laps()
    asked = [
        Rollout(problem, policy_step, (), (), recalled=before)
        for problem, before in zip(problems, recalled or [()] * len(problems), strict=True)
    ]
    groups = sampler.sample(
        [rollout.prompt for rollout in asked],
        group_size,
        sampling,
        addresses,
        replies(environment, problems),
    )
    laps.end("sampling")
    graded = [
        replace(
            rollout,
            completions=group,
            grades=tuple(
                environment.grade(rollout.problem, completion.said) for completion in group
            ),
        )
        for rollout, group in zip(asked, groups, strict=True)
    ]
    laps.end("grading")
    return graded


def write_out(
    arm: Arm,
    policy: Policy,
    problems: Sequence[Problem],
    policy_step: int,
    recalled: Sequence[tuple[str, ...]] | None = None,
) -> list[Rollout]:
    """Demonstrations as graded groups, with their tokens and the policy's logprobs of these."""
    assert arm.demonstrations is not None
    answers, groups = replies(arm.environment, problems), []
    for index, (problem, before) in enumerate(
        zip(problems, recalled or [()] * len(problems), strict=True)
    ):
        texts = arm.demonstrations.texts(problem, arm.environment, arm.completions_per_problem)
        completions = tuple(
            written(policy, text, index, answers, arm.sampling.max_tokens) for text in texts
        )
        grades = tuple(
            arm.environment.grade(problem, completion.said) for completion in completions
        )
        groups.append(Rollout(problem, policy_step, completions, grades, recalled=before))
    rows = iter(score(policy, pack(policy, groups, arm.sampling.temperature)).logprob_NT.tolist())
    return [
        replace(r, completions=tuple(_with_logprobs(c, next(rows)) for c in r.completions))
        for r in groups
    ]


def _with_logprobs(completion: Completion, chosen_T: list[float]) -> Completion:
    """The completion with the logprobs of its chosen tokens, each at its position."""
    at = dict(zip(completion.places, chosen_T, strict=False))
    return replace(
        completion,
        logprobs=tuple(at.get(position, 0.0) for position in range(len(completion.token_ids))),
    )


def summary(rollouts: Sequence[Rollout], strategies: Sequence[str]) -> dict[str, float | None]:
    """Numbers about a step's completions for its row; None if none was graded or rewarded."""
    grades = [grade for rollout in rollouts for grade in rollout.grades]
    completions: list[Completion] = [
        completion for rollout in rollouts for completion in rollout.completions
    ]
    paid = [
        reward for rollout in rollouts for reward in rollout.rewards or () if reward is not None
    ]
    graded = [grade for grade in grades if grade.correct is not None]
    return {
        "reward_mean": sum(paid) / len(paid) if paid else None,
        "correct_share": sum(grade.correct is True for grade in graded) / len(graded)
        if graded
        else None,
        "strict_share": sum(grade.strict is True for grade in graded) / len(graded)
        if graded
        else None,
        "ungraded": float(len(grades) - len(graded)),
        "well_formed_share": sum(grade.well_formed for grade in grades) / len(grades),
        "length_mean_tokens": sum(completion.length for completion in completions)
        / len(completions),
        "end_token_share": sum(completion.ending is Ending.END_TOKEN for completion in completions)
        / len(completions),
        **{
            f"strategy/{name}": sum(grade.strategy == name for grade in grades) / len(grades)
            for name in strategies
        },
    }
