import pytest

from rewardscope.environments.paths import (
    DEAD_ENDS,
    FAR,
    HUBS,
    NEAR,
    PLACES,
    QUARTERS,
    Paths,
    distances,
    edges,
    ends,
    right_hubs,
    shortest,
    walk,
)
from rewardscope.types import Problem

GRAPH = {"a": ("b", "d"), "b": ("c", "d"), "c": ("G",), "d": (), "G": ()}
WORLD = Paths()
"""In it p leads to l, n and u; u to E, F, K and L; E to A, D and Y, which is a dead end; F to A and
E.
"""
PROBLEM = Problem("0", "Paths", "A?p", "1u>E,A")


def test_the_graph_is_what_the_examples_below_take_it_for() -> None:
    found = edges(0)
    assert (found["p"], found["u"], found["E"], found["F"]) == (
        ("l", "n", "u"),
        ("E", "F", "K", "L"),
        ("A", "D", "Y"),
        ("A", "E", "z"),
    )
    assert right_hubs("A") == ("u", "x")


def test_a_walk_is_judged_move_by_move_from_where_it_is() -> None:
    moves, way = walk(GRAPH, "a", ">b,d<c,G")
    assert [(m.offset, m.right, m.place) for m in moves] == [
        (1, True, "b"),
        (3, True, "d"),
        (4, True, "b"),
        (5, True, "c"),
        (7, True, "G"),
    ]
    assert way == "abcG"
    assert [m.right for m in walk(GRAPH, "a", ">c,G")[0]] == [False, True], (
        "a move after a wrong one is judged from where that led"
    )
    assert [m.right for m in walk(GRAPH, "a", "<b")[0]] == [False, True], (
        "there is nothing behind the start to go back to"
    )


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed", "strategy"),
    [
        ("the shortest way", "1u>E,A", True, True, True, "via 1"),
        ("another way", "1u>F,A", True, True, True, "via 1"),
        ("a dead end and back", "1u>E,Y<A", True, True, True, "via 1"),
        ("no hub named", ">u,E,A", True, True, True, "direct"),
        ("a plan that was not kept, and a right way", "3u>E,A", True, True, True, "via 3"),
        ("a plan changed on the way", "3n>p>u,E,A", False, False, True, "via 3"),
        ("right, in other dress", "u, E, A.", True, False, False, None),
        ("a move that does not exist", "1u>A", False, False, True, "via 1"),
        ("stops before the goal", "1u>E", False, False, True, "via 1"),
        ("passes the goal", "1u>E,A,C", False, False, True, "via 1"),
        ("never comes out of the dead end", "1u>E,Y,A", False, False, True, "via 1"),
        ("a plan and no walk", "1", False, False, False, "via 1"),
        ("quoted from the prompt", "A?p", False, False, False, None),
        ("empty", "", False, False, False, None),
        ("garbage", "\x00\ud800::", False, False, False, None),
    ],
)
def test_the_truth_table_of_one_pair(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool, strategy: str | None
) -> None:
    grade = WORLD.grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed, grade.strategy) == (
        correct,
        strictly,
        well_formed,
        strategy,
    ), case


def test_steps_are_moves_and_the_first_wrong_one_has_its_place() -> None:
    grade = WORLD.grade(PROBLEM, "1u>E,Y,A<")
    assert grade.steps == (True, True, True, False, True)
    assert WORLD.first_error(PROBLEM, "1u>E,Y,A<") == 7 and "1u>E,Y,A<"[7] == "A"
    assert grade.feedback == "there is no move 4" and grade.answer == "puEY"
    assert (
        WORLD.first_error(PROBLEM, "1u>E,A") is None
        and WORLD.grade(PROBLEM, "1u>E,A").feedback is None
    )
    assert WORLD.grade(PROBLEM, "1u>E").feedback == "the way does not end at the goal"
    assert WORLD.grade(PROBLEM, "?").steps is None


@pytest.mark.parametrize("graph", range(5))
def test_a_graph_leads_from_every_start_to_every_goal_over_its_two_hubs_alone(graph: int) -> None:
    found = edges(graph)
    assert sorted(found) == sorted(PLACES)
    assert all(not found[place] for place in DEAD_ENDS)
    for goal in FAR:
        far = distances(graph, goal)
        assert [hub for hub in HUBS if hub in far] == list(right_hubs(goal))
        assert all(len(shortest(found, start, goal)) == far[start] for start in NEAR)
    for quarter in QUARTERS:
        assert all(set(found[place]) <= set(quarter) | set(DEAD_ENDS) for place in quarter), (
            "no way leads out of a quarter"
        )


def test_the_splits_share_no_pair_and_hold_them_all() -> None:
    found = {
        split: [WORLD.problem(split, index) for index in range(WORLD.size(split))]
        for split in ("pretrain", "train", "heldout")
    }
    prompts = [problem.prompt for problems in found.values() for problem in problems]
    assert len(prompts) == len(set(prompts)) == len(NEAR) * len(FAR)
    assert WORLD.problem("heldout", WORLD.size("heldout") + 3) == found["heldout"][3]


def test_each_pair_is_walked_by_its_oracle_with_each_move_on_the_right_hub() -> None:
    for index in range(WORLD.size("heldout")):
        problem = WORLD.problem("heldout", index)
        goal, start = ends(problem.prompt)
        way = WORLD.grade(problem, WORLD.oracle(problem)).answer or ""
        assert (way[0], way[-1]) == (start, goal) and any(hub in way for hub in right_hubs(goal))
        assert problem.level == len(way) - 1
