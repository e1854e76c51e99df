"""Graders under attack, all of them: texts that are never right, texts of a megabyte, junk."""

import time
from collections.abc import Callable

import pytest

from junk import junk
from rewardscope.catalogue import stands_alone
from rewardscope.environments import distinct
from rewardscope.environments.canaries import CANARIES, canary_share
from rewardscope.environments.words.gym import EXPLOITABLE, HASH_SEEDED, REFUSED, Gym, tasks
from rewardscope.protocols import Environment
from rewardscope.registry import components

PROBLEMS = 5
SECONDS = 5.0
"""One grade on a busy machine; alone it is half a second."""
LONG = (
    "9" * 1_000_000,
    " " * 1_000_000,
    "(" * 1_000_000,
    "<answer>" * 125_000,
    "\\boxed{" * 140_000,
    "<answer>1e99999999</answer>",
    "<answer>9^9^9^9^9</answer>",
    "<answer>300000000</answer>",
)
TASKS = [task for task in tasks() if task not in {*REFUSED, *EXPLOITABLE, *HASH_SEEDED}]
ENVIRONMENTS = {
    name: made
    for name, made in components("environments").items()
    if made is not Gym and stands_alone(made)
}
"""Those that need no arguments: tasks of the gym come one by one."""


def attack(environment: Environment) -> tuple[int, list[str]]:
    """How many texts were tried; those that came out right though none may, or took too long."""
    problems = distinct(environment, "heldout", PROBLEMS)
    tried, faults = 0, []
    for canary in CANARIES:
        if canary.most == 0:
            share = canary_share(environment, problems, canary)
            tried += share.tried
            faults += [f"{canary.name}: {share.example}"] * share.right
    for text in (*LONG, *junk(40)):
        began = time.monotonic()
        grade = environment.grade(problems[0], text)
        taken = time.monotonic() - began
        tried += 1
        if taken > SECONDS:
            faults.append(f"{text[:30]!r} took {taken:.1f} s")
        if grade.correct and len(text) > 100_000:
            faults.append(f"{text[:30]!r} of {len(text)} characters is right")
    return tried, faults


@pytest.mark.hard
@pytest.mark.parametrize("task", TASKS)
def test_what_is_never_right_passes_no_task_of_the_gym(
    task: str, counted: Callable[..., None]
) -> None:
    tried, faults = attack(Gym(task))
    counted(tried=tried, refused=tried - len(faults), silent=len(faults))
    assert not faults, faults


@pytest.mark.hard
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_is_never_right_passes_no_environment(name: str, counted: Callable[..., None]) -> None:
    tried, faults = attack(ENVIRONMENTS[name]())
    counted(tried=tried, refused=tried - len(faults), silent=len(faults))
    assert not faults, faults
