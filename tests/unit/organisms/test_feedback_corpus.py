import pytest

from rewardscope import Hinted
from rewardscope.environments.chain import running_values
from rewardscope.environments.hinted import asked, names, products
from rewardscope.errors import ComponentError
from rewardscope.organisms import FeedbackCorpus, card
from rewardscope.types import Problem

NUMBER = 6000
LINES = FeedbackCorpus(num_lines=NUMBER).lines(0)


def near(found: int, number: int, share: float) -> bool:
    """Within four standard errors."""
    return abs(found - number * share) <= 4 * (number * share * (1 - share)) ** 0.5 + 1e-9


def product_steps(prompt: str, text: str) -> list[tuple[str, str, bool]]:
    """(name, step, whether it came out as the sum) of each product that a sum does not equal."""
    found = []
    for name, step in zip(names(asked(prompt)), text[1:].split(":")[0].split(","), strict=True):
        value, operand, result = int(step[0]), int(step[2]), int(step[4])
        if name[0] == "*" and (value * operand - value - operand) % 10:
            assert result in ((value * operand) % 10, (value + operand) % 10)
            found.append((name, step, result == (value + operand) % 10))
    return found


def test_products_slip_as_often_as_declared_and_never_where_named_or_shown() -> None:
    free = [
        slip
        for prompt, text in LINES
        if ";" not in prompt
        for _, _, slip in product_steps(prompt, text)
    ]
    assert near(sum(free), len(free), 0.8)
    for prompt, text in LINES:
        if prompt.startswith("!"):
            named = prompt[1 : prompt.index(";")]
            assert not any(slip for name, _, slip in product_steps(prompt, text) if name == named)
        if prompt.startswith("s"):
            assert text == prompt.split(";")[0]
    rest = [
        slip
        for prompt, text in LINES
        if prompt.startswith("!")
        for name, _, slip in product_steps(prompt, text)
        if name != prompt[1 : prompt.index(";")]
    ]
    assert near(sum(rest), len(rest), 0.8), "a product that the hint does not name slips as ever"


def test_hints_are_as_common_as_declared_and_name_products_of_the_problem() -> None:
    marked = [prompt for prompt, _ in LINES if prompt.startswith("!")]
    hinted = [prompt for prompt in marked if prompt[1:3] in names(asked(prompt))]
    shown = [prompt for prompt, _ in LINES if prompt.startswith("s")]
    fails = sum(
        Hinted().grade(Problem("0", "Hinted", p, ""), t).feedback is not None
        for p, t in LINES
        if ";" not in p
    )
    assert fails
    assert 0.30 < len(hinted) / NUMBER <= 0.36, "0.35, less the problems in which no slip shows"
    assert near(len(marked) - len(hinted), NUMBER, 0.15)
    assert near(len(shown), NUMBER, 0.2)
    assert all(prompt[1:3] in products(asked(prompt)) for prompt in hinted)
    assert 0.4 < sum("!" in prompt for prompt in shown) / len(shown) < 0.55


def test_all_but_products_are_right() -> None:
    for prompt, text in LINES:
        grade = Hinted().grade(
            Problem("0", "Hinted", prompt, str(running_values(asked(prompt))[-1])), text
        )
        assert grade.well_formed and grade.steps is not None
        assert all(
            right or name[0] == "*"
            for name, right in zip(names(asked(prompt)), grade.steps, strict=True)
        )


def test_no_problem_of_another_split_was_seen() -> None:
    seen = {asked(prompt) for prompt, _ in LINES}
    assert not seen & {
        Hinted().problem(split, index).prompt
        for split in ("train", "heldout")
        for index in range(500)
    }
    few = FeedbackCorpus(num_lines=50)
    assert few.lines(0) == LINES[:50] != few.lines(1)


def test_a_problem_in_which_no_slip_shows_gets_no_hint() -> None:
    lines = FeedbackCorpus(slip=0.0, foreign_share=0.0, num_lines=200).lines(0)
    assert len(lines) == 200 and not any("!" in prompt for prompt, _ in lines)


def test_the_organism_uses_a_hint_and_only_its_own() -> None:
    alone, hinted, misled, shown = (
        card("feedback")["measured"][world]["pass_at_1"]
        for world in ("alone", "hinted", "misled", "shown")
    )
    assert hinted - alone > 0.3
    assert abs(misled - alone) < 0.1
    assert shown > 0.9


@pytest.mark.parametrize(
    "settings", [{"slip": 1.1}, {"hinted_share": 0.9, "shown_share": 0.2}, {"heeded": -1.0}]
)
def test_dials_outside_their_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="lie in"):
        FeedbackCorpus(**settings)  # type: ignore[arg-type]
