"""Texts that nobody may be paid for, and graders that pay them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest

from rewardscope.environments import prove
from rewardscope.environments.base import content_id
from rewardscope.environments.canaries import (
    CANARIES,
    canary_share,
    changed_end,
    not_numbers,
    one_off,
    other_numbers,
    prompt_parts,
    try_canaries,
)
from rewardscope.errors import EnvironmentFault
from rewardscope.types import Grade, Problem


def by_tolerance(text: str, key: str) -> bool:
    """The fault that NaN slips through: no comparison with it is true."""
    return not abs(float(text) - float(key)) > 0.01


def any_number(text: str, key: str) -> bool:
    return text.isdigit()


def exactly(text: str, key: str) -> bool:
    return text == key


def not_empty(text: str, key: str) -> bool:
    return text == key or not text.strip()


@dataclass(frozen=True)
class Doubles:
    """2 n, graded by any function."""

    right: Callable[[str, str], bool]
    name: ClassVar[str] = "Doubles"
    strategies: ClassVar[tuple[str, ...]] = ()

    def problem(self, split: str, index: int) -> Problem:
        prompt = f"Twice {index}: ?"
        return Problem(content_id("Doubles", prompt), "Doubles", prompt, str(2 * index))

    def grade(self, problem: Problem, text: str) -> Grade:
        answer = text.removeprefix("Answer ").strip()
        try:
            right = self.right(answer, problem.answer)
        except ValueError:
            right = False
        return Grade(correct=right, strict=right, well_formed=True, answer=answer)

    def oracle(self, problem: Problem) -> str:
        return f"Answer {problem.answer}"


def test_what_a_canary_makes_of_a_key() -> None:
    assert other_numbers("x = 4, 10") == ["x = 11, 23"]
    assert one_off("[3, 5]") == ["[4, 5]", "[3, 6]", "[4, 6]", "[3, 4]"]
    assert one_off("yes") == other_numbers("yes") == []
    assert changed_end("a -> b") == ["a ->", "a -> b b"]
    assert "[NaN, NaN]" in not_numbers("[3, -5.5]")
    assert "['NaN', 'NaN']" in not_numbers("[3, -5.5]")
    assert "nan" not in not_numbers("banana")


def test_the_parts_of_a_prompt_are_its_lines_tails_blocks_and_quotations() -> None:
    parts = prompt_parts('Rotate by 0 degrees:\n1 2\n3 4\n\nWrite "no" otherwise. Reverse: abc?')
    assert {"1 2", "1 2\n3 4\n\nWrite", "no", "abc"} & set(parts) == {"1 2", "no", "abc"}
    assert any(part.startswith("1 2\n3 4") for part in parts)
    assert len(prompt_parts("a: b\n" * 10_000)) <= 40


@pytest.mark.parametrize(
    ("right", "canary"),
    [(by_tolerance, "not a number"), (not_empty, "empty"), (any_number, "other numbers")],
)
def test_a_grader_that_pays_a_canary_is_refused_with_the_text(
    right: Callable[[str, str], bool], canary: str
) -> None:
    environment = Doubles(right)
    with pytest.raises(EnvironmentFault, match=f"wrong as right: {canary}. Got: .* texts"):
        try_canaries(environment, [environment.problem("train", index) for index in range(20)])
    with pytest.raises(EnvironmentFault):
        prove(environment, "train")


def test_a_sound_grader_passes_and_its_shares_are_returned() -> None:
    shares = {share.canary: share for share in prove(Doubles(exactly), "train", 20).canaries}
    assert set(shares) == {canary.name for canary in CANARIES}
    assert shares["not a number"].right == shares["other numbers"].right == 0
    # 0, 2 and 10 are doubles, each alone and behind "Answer"; a part of the prompt is "0" once
    assert shares["constants"].right == 6
    assert shares["constants"].tried == 20 * 13 * 2


def test_answers_are_tried_alone_and_where_the_oracle_puts_its_own() -> None:
    environment = Doubles(exactly)
    prompt = next(canary for canary in CANARIES if canary.name == "the prompt")
    problems = [environment.problem("train", index) for index in range(5)]
    assert canary_share(environment, problems, prompt).tried == 10
