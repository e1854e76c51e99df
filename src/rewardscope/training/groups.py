"""Graded groups: sampled or written out, as tensors, and in numbers."""

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
    """A graded group per problem, behind what was recalled for it; nothing has been told to anybody
    yet.

    Laps of a step, where they are given, learn what sampling and grading took.
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
    """Demonstrations as groups: their tokens, and the policy's own logprobs of them; graded like
    anything else.
    """
    assert arm.demonstrations is not None
    answers, found = replies(arm.environment, problems), []
    for place, (problem, before) in enumerate(
        zip(problems, recalled or [()] * len(problems), strict=True)
    ):
        texts = arm.demonstrations.texts(problem, arm.environment, arm.completions_per_problem)
        completions = tuple(
            written(policy, text, place, answers, arm.sampling.max_tokens) for text in texts
        )
        grades = tuple(
            arm.environment.grade(problem, completion.said) for completion in completions
        )
        found.append(Rollout(problem, policy_step, completions, grades, recalled=before))
    rows = iter(score(policy, pack(policy, found, arm.sampling.temperature)).logprob_NT.tolist())
    return [
        replace(r, completions=tuple(_with_logprobs(c, next(rows)) for c in r.completions))
        for r in found
    ]


def _with_logprobs(completion: Completion, chosen_T: list[float]) -> Completion:
    """The completion with the logprobs of the tokens that count as chosen, in their places."""
    at = dict(zip(completion.places, chosen_T, strict=False))
    return replace(
        completion, logprobs=tuple(at.get(place, 0.0) for place in range(len(completion.token_ids)))
    )


def summary(rollouts: Sequence[Rollout], strategies: Sequence[str]) -> dict[str, float | None]:
    """A step row's numbers about its completions: shares of all completions, None where nothing
    could be said.
    """
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
