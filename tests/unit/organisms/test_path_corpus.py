from collections import Counter
from dataclasses import replace

import pytest

from rewardscope import Paths
from rewardscope.environments.paths import BACK, DEAD_ENDS, HUBS, edges, ends, right_hubs, walk
from rewardscope.errors import ComponentError
from rewardscope.organisms import PathCorpus, card
from rewardscope.types import Problem

NUMBER = 6000
LINES = PathCorpus(num_lines=NUMBER).lines(0)
GRADES = [Paths().grade(Problem("0", "Paths", prompt, ""), text) for prompt, text in LINES]


def near(found: int, number: int, share: float) -> bool:
    """Within four standard errors."""
    return abs(found - number * share) <= 4 * (number * share * (1 - share)) ** 0.5 + 1e-9


def test_plans_are_as_common_as_declared() -> None:
    counts = Counter(grade.strategy for grade in GRADES)
    assert near(counts["direct"], NUMBER, 0.4)
    for strategy in Paths.strategies[
        :4
    ]:  # a hub is named more often where more goals of the split lie behind it
        assert abs(counts[strategy] / NUMBER - 0.15) < 0.03
    hubs = [(text[0], ends(prompt)[0]) for prompt, text in LINES if text[0] in "1234"]
    assert near(
        sum(HUBS[int(number) - 1] in right_hubs(goal) for number, goal in hubs), len(hubs), 0.6
    )


def test_every_line_is_well_formed_and_ends_at_its_goal() -> None:
    for (prompt, _), grade in zip(LINES, GRADES, strict=True):
        assert grade.well_formed and grade.answer is not None and grade.answer[-1] == prompt[0]


def test_moves_of_direct_walks_are_wrong_as_often_as_declared() -> None:
    corpus = replace(PathCorpus(num_lines=NUMBER), direct_share=1.0, stray=0.0)
    moves = [
        move.right
        for prompt, text in corpus.lines(0)
        for move in walk(edges(0), ends(prompt)[1], text)[0]
    ]
    # a wrong move needs a place no farther from the goal than the walk is
    assert 0.25 < moves.count(False) / len(moves) <= 0.3 + 4 * (0.21 / len(moves)) ** 0.5


def test_without_errors_every_walk_over_a_right_hub_is_right() -> None:
    corpus = replace(
        PathCorpus(num_lines=500), direct_error=0.0, hub_error=0.0, stuck=0.0, right_hub_share=1.0
    )
    assert all(
        Paths().grade(Problem("0", "Paths", prompt, ""), text).strict
        for prompt, text in corpus.lines(0)
    )
    wrong = replace(corpus, direct_share=0.0, right_hub_share=0.0)
    assert not any(
        Paths().grade(Problem("0", "Paths", prompt, ""), text).correct
        for prompt, text in wrong.lines(0)
    )


def test_dead_ends_are_left_by_one_step_back_as_often_as_declared() -> None:
    visits = [
        text[place + 1 : place + 2]
        for _, text in LINES
        for place, letter in enumerate(text)
        if letter in DEAD_ENDS
    ]
    assert len(visits) > 500 and near(visits.count(BACK), len(visits), 0.7)


def test_nearly_every_edge_was_walked_and_no_pair_of_another_split() -> None:
    walked = set()
    for (prompt, _), grade in zip(LINES, GRADES, strict=True):
        for before, after in zip(grade.answer or "", (grade.answer or "")[1:], strict=False):
            walked.add((before, after))
        assert prompt in PRETRAIN
    existing = {
        (place, other)
        for place, others in edges(0).items()
        for other in others
        if other not in DEAD_ENDS
    }
    assert sorted(existing - walked) == [("f", "n")], "it is on no shortest way"


PRETRAIN = {Paths().problem("pretrain", index).prompt for index in range(Paths().size("pretrain"))}


def test_the_same_seed_gives_the_same_lines() -> None:
    assert PathCorpus(num_lines=50).lines(0) == LINES[:50] != PathCorpus(num_lines=50).lines(1)


def test_what_was_planted_shows_in_the_card() -> None:
    measured = card("paths")["measured"]["pairs"]
    assert measured["strategy_share"]["direct"] == pytest.approx(0.4, abs=0.06)
    hubs = [measured["strategy_accuracy"][f"via {number}"] for number in range(1, 5)]
    assert min(hubs) > measured["strategy_accuracy"]["direct"] - 0.05
    assert 0.2 < measured["pass_at_1"] < 0.6 < measured["solved_within"]["128"]


@pytest.mark.parametrize("settings", [{"direct_share": 1.2}, {"hub_error": 0.95}, {"stuck": -0.1}])
def test_dials_outside_their_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ComponentError, match="Shares lie in"):
        PathCorpus(**settings)  # type: ignore[arg-type]
