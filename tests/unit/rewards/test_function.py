"""Functions of one's own as rewards: what they are given, and what is not taken from them."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories import rollout
from rewardscope import RewardFunction
from rewardscope.conversation import written
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.rewards import tell
from rewardscope.types import Rollout

GIVEN: list[dict[str, Any]] = []


def group(prompt: str = "2 + 2?") -> Rollout:
    """Three completions of a problem with another column."""
    plain = rollout([True, False, None])
    problem = replace(
        plain.problem, prompt=prompt, answer="4", facts={"hint": "even", "two words": "no"}
    )
    return replace(plain, problem=problem)


def told(of: Callable[..., Any], view: Rollout | None = None, **settings: bool) -> Any:
    GIVEN.clear()
    return tell(RewardFunction(of, **settings), view or group(), ("a",)).rewards


def of_all(prompts, completions, **columns):  # type: ignore[no-untyped-def]
    GIVEN.append({"prompts": prompts, "completions": completions, **columns})
    return [1, np.float32(0.5), None]


def named(completions, answer, hint="none"):  # type: ignore[no-untyped-def]
    GIVEN.append({"answer": answer, "hint": hint})
    return np.array([0.0, 1.0, 2.0])


def of_one(prompt, completion, answer):  # type: ignore[no-untyped-def]
    GIVEN.append({"prompt": prompt, "completion": completion, "answer": answer})
    return np.bool_(True)


async def waits(completions, **columns):  # type: ignore[no-untyped-def]
    return [0.25 for _ in completions]


def raises(completions):  # type: ignore[no-untyped-def]
    return [len(text) / 0 for text in completions]


def short(completions):  # type: ignore[no-untyped-def]
    return [1.0]


def undefined(completions):  # type: ignore[no-untyped-def]
    return [math.nan] * len(completions)


def textual(completions):  # type: ignore[no-untyped-def]
    return ["1"] * len(completions)


def single(completions):  # type: ignore[no-untyped-def]
    return 1.0


def lookup(completion, colour):  # type: ignore[no-untyped-def]
    return 1.0


def of_both(prompt, completions):  # type: ignore[no-untyped-def]
    return [1.0]


def of_none(answer):  # type: ignore[no-untyped-def]
    return [1.0]


def trainers(completions, trainer_state):  # type: ignore[no-untyped-def]
    return [1.0]


def test_a_function_of_all_completions_gets_lists_and_the_columns_by_name() -> None:
    assert told(of_all, uses_truth=True) == (1.0, 0.5, None)
    (given,) = GIVEN
    assert given["prompts"] == ["2 + 2?"] * 3
    assert given["completions"] == [completion.said for completion in group().completions]
    assert given["answer"] == ["4"] * 3
    assert given["hint"] == ["even"] * 3
    assert set(given) == {"prompts", "completions", "completion_ids", "answer", "hint"}


def test_without_the_truth_the_key_and_the_columns_are_sealed() -> None:
    assert told(of_all) == (1.0, 0.5, None)
    assert set(GIVEN[0]) == {"prompts", "completions", "completion_ids"}
    for function in (named, of_one):
        with pytest.raises(ComponentError, match=r"sealed.*answer.*uses_truth=True"):
            RewardFunction(function)


def test_parameters_are_given_by_name_and_those_with_a_default_may_lack() -> None:
    assert told(named, uses_truth=True) == (0.0, 1.0, 2.0)
    assert GIVEN == [{"answer": ["4"] * 3, "hint": ["even"] * 3}]
    bare = replace(group(), problem=replace(group().problem, facts={}))
    told(named, bare, uses_truth=True)
    assert GIVEN[0]["hint"] == "none"


def test_a_function_of_one_completion_is_asked_for_each() -> None:
    assert told(of_one, uses_truth=True) == (1.0, 1.0, 1.0)
    assert [given["completion"] for given in GIVEN] == [each.said for each in group().completions]


def test_messages_go_in_where_the_prompt_is_a_conversation() -> None:
    messages = [{"role": "system", "content": "Hi"}, {"role": "user", "content": "2 + 2?"}]
    told(of_all, group(written(messages)))
    assert GIVEN[0]["prompts"] == [messages] * 3
    assert [each[0]["role"] for each in GIVEN[0]["completions"]] == ["assistant"] * 3


def test_an_async_function_is_waited_for() -> None:
    assert told(waits) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (raises, "raised an error.*ZeroDivisionError"),
        (short, "1 rewards for 3 completions"),
        (undefined, "float nan"),
        (textual, "str '1'"),
        (single, "a list of 3"),
    ],
)
def test_what_is_no_reward_is_told_with_file_and_line(
    function: Callable[..., Any], words: str
) -> None:
    with pytest.raises(RewardscopeError, match=words) as caught:
        told(function)
    assert f"{Path(__file__).name}:" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (of_both, "takes both one completion and all of them"),
        (of_none, "has no parameter for completions"),
        (trainers, "only TRL's trainer has"),
        (lambda completions: [1.0], "not a function of a module"),
        (Path, "not a function"),
    ],
)
def test_what_cannot_be_called_is_refused_when_it_is_named(function: Any, words: str) -> None:
    with pytest.raises(ComponentError, match=words):
        RewardFunction(function, uses_truth=True)


def test_a_column_that_the_problem_lacks_is_named() -> None:
    with pytest.raises(RewardscopeError, match=r"does not have.*colour.*hint"):
        told(lookup, uses_truth=True)
