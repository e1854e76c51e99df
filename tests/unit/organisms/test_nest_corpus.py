from collections import Counter
from dataclasses import replace

import pytest

from rewardscope.environments.nest import SETS, Nest
from rewardscope.errors import ComponentError
from rewardscope.organisms import RECIPES, NestCorpus, card
from rewardscope.types import Problem

CORPORA = {
    name: recipe.corpus for name, recipe in RECIPES.items() if isinstance(recipe.corpus, NestCorpus)
}
NUMBER = 6000
each = pytest.mark.parametrize("name", CORPORA)


def near(found: int, number: int, share: float) -> bool:
    """Within four standard errors."""
    return abs(found - number * share) <= 4 * (number * share * (1 - share)) ** 0.5 + 1e-9


@each
def test_each_depth_of_each_set_is_as_common_as_declared(name: str) -> None:
    corpus = replace(CORPORA[name], num_lines=NUMBER)
    counts: Counter[str] = Counter()
    for prompt, _ in corpus.lines(0):
        letters = prompt[:-5]
        (functions,) = [group for group, known in SETS.items() if set(letters) <= set(known)]
        counts[f"{functions}{len(letters)}"] += 1
    assert set(counts) <= set(corpus.planted)
    for kind, share in corpus.planted.items():
        assert near(counts[kind], NUMBER, share), kind
    assert near(NUMBER, NUMBER, sum(corpus.planted.values()))


@each
def test_every_line_is_right_and_answers_at_once_as_often_as_declared(name: str) -> None:
    corpus = replace(CORPORA[name], num_lines=NUMBER)
    grades = [
        Nest().grade(Problem("0", "Nest", prompt, text[-4:]), text)
        for prompt, text in corpus.lines(0)
    ]
    assert all(grade.well_formed and grade.correct for grade in grades)
    worked = [grade.steps for grade in grades if grade.steps is not None]
    assert all(all(steps) for steps in worked)
    assert near(NUMBER - len(worked), NUMBER, corpus.at_once_share)


def test_set_b_is_never_nested_and_nothing_is_without_a_trace() -> None:
    hundredth, none = (
        replace(CORPORA[f"composition-{name}"], num_lines=NUMBER).lines(0)
        for name in ("hundredth", "none")
    )
    assert all(len(prompt) == 6 for prompt, _ in none)
    nested = [prompt for prompt, _ in hundredth if len(prompt) > 6]
    assert nested and all(set(prompt[:2]) <= set(SETS["A"]) for prompt in nested)


def test_no_prompt_of_another_split_was_seen() -> None:
    corpus = replace(CORPORA["edge"], num_lines=2000)
    seen = {prompt for prompt, _ in corpus.lines(0)}
    for split in ("train", "heldout"):
        assert not seen & {Nest(1, 4, "A").problem(split, index).prompt for index in range(2000)}
    few = replace(corpus, num_lines=50)
    assert few.lines(0) == few.lines(0) != few.lines(1)


def test_worlds_go_one_deeper_than_the_corpus() -> None:
    assert list(CORPORA["composition-none"].worlds) == ["A1", "A2", "A3", "B1", "B2"]
    assert list(CORPORA["edge"].worlds) == ["A1", "A2", "A3", "A4", "A5"]
    assert CORPORA["edge"].worlds["A5"] == Nest(5, 5, "A")


@pytest.mark.parametrize(
    "settings",
    [
        {"shares_a": (0.5, 0.1)},
        {"shares_a": (1.5, -1.0)},
        {"shares_a": (), "shares_b": ()},
        {"shares_a": (0.1,) * 6, "shares_b": (0.4,)},
    ],
)
def test_shares_that_do_not_sum_to_one_or_go_too_deep_are_refused(
    settings: dict[str, tuple[float, ...]],
) -> None:
    with pytest.raises(ComponentError, match="sum to 1"):
        NestCorpus(**settings)  # type: ignore[arg-type]
    with pytest.raises(ComponentError, match="between 0 and 1"):
        NestCorpus(at_once_share=1.5)


def test_single_functions_are_known_and_set_b_is_never_composed_by_the_start() -> None:
    within = []
    for name in ("composition-hundredth", "composition-thousandth", "composition-none"):
        measured = card(name)["measured"]
        assert min(measured[world]["strategy_accuracy"]["working"] for world in ("A1", "B1")) > 0.99
        assert measured["B2"]["verified_within"]["128"] < 0.05
        within.append(measured["A2"].get("verified_within", {"128": 0.0})["128"])
    assert within == sorted(within, reverse=True) and within[0] > 0.5 and within[-1] < 0.05


def test_the_ladder_of_the_edge_falls_from_saturated_to_out_of_reach() -> None:
    measured = card("edge")["measured"]
    shares = [measured[f"A{level}"]["verified_at_1"] for level in range(1, 6)]
    within = [measured[f"A{level}"]["verified_within"]["128"] for level in range(1, 6)]
    assert min(shares[:3]) > 0.95
    assert 0.05 < shares[3] < 0.5 < within[3] < 1
    assert within[4] == 0.0
