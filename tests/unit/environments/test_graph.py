import json
from collections import deque

import pytest

from rewardscope.environments.words.graph import Graph
from rewardscope.errors import ComponentError
from rewardscope.seeds import generator
from rewardscope.types import Problem

ROADS = [
    ["Alder", "Brigg"],
    ["Brigg", "Corby"],
    ["Brigg", "Denby"],
    ["Denby", "Corby"],
    ["Alder", "Epping"],
    ["Flint", "Kelso"],
]
PROBLEM = Problem(
    "0" * 16,
    "Graph",
    "?",
    "Alder -> Brigg -> Corby",
    2,
    {"roads": json.dumps(ROADS), "start": "Alder", "goal": "Corby"},
)


@pytest.mark.parametrize(
    ("route", "steps", "feedback"),
    [
        ("Alder -> Brigg -> Corby", (True, True, True), "the route is right"),
        ("Alder -> Brigg -> Denby -> Corby", (True, True, True, True), "the route is right"),
        (
            "Alder -> Epping -> Alder -> Brigg -> Corby",
            (True, True, False, True, True),
            "step 2 comes to Alder again",
        ),
        ("Alder -> Corby", (True, False), "step 1: no road joins Alder and Corby"),
        (
            "Alder -> Corby -> Brigg -> Corby",
            (True, False, True, False),
            "step 1: no road joins Alder and Corby",
        ),
        ("Brigg -> Corby", (False, True), "the route starts at Brigg, not at Alder"),
        ("Alder -> Brigg", (True, True, False), "the route ends at Brigg, not at Corby"),
        (
            "Alder -> Flint -> Kelso",
            (True, False, True, False),
            "step 1: no road joins Alder and Flint",
        ),
    ],
)
def test_each_step_is_judged_and_the_first_wrong_one_is_named(
    route: str, steps: tuple[bool, ...], feedback: str
) -> None:
    grade = Graph().grade(PROBLEM, f"<answer>{route}</answer>")
    assert (grade.steps, grade.feedback) == (steps, feedback)
    assert grade.correct is all(steps)
    assert grade.strict is all(steps)


@pytest.mark.parametrize(
    ("route", "steps"),
    [
        ("Alder -> Brigg -> Corby", (True, True, True)),
        ("Alder -> Brigg -> Denby -> Corby", (True, True, False, True)),
        ("Alder -> Epping -> Alder -> Brigg -> Corby", (True, False, True, True, True)),
    ],
)
def test_of_a_shortest_way_each_step_leads_closer(route: str, steps: tuple[bool, ...]) -> None:
    assert Graph(shortest=True).grade(PROBLEM, f"<answer>{route}</answer>").steps == steps


@pytest.mark.parametrize(
    ("case", "text", "correct", "strictly", "well_formed"),
    [
        ("right", "<answer>Alder -> Brigg -> Corby</answer>", True, True, True),
        ("other arrows, no capitals", "<answer>alder → brigg → corby</answer>", True, True, True),
        ("commas", "<answer>Alder, Brigg, Corby</answer>", True, False, False),
        ("no tags", "Alder -> Brigg -> Corby", True, False, False),
        ("a sentence", "Go from Alder to Brigg, then from Brigg to Corby.", True, False, False),
        (
            "prose, then the route",
            "From Alder I could reach Epping.\nAlder -> Brigg -> Corby\nDone.",
            True,
            False,
            False,
        ),
        ("an unknown place", "<answer>Alder -> Paris -> Corby</answer>", False, False, False),
        ("one place", "<answer>Corby</answer>", False, False, False),
        ("empty", "", False, False, False),
        ("cut off", "<answer>Alder -> Brigg ->", False, False, False),
    ],
)
def test_the_truth_table(
    case: str, text: str, correct: bool, strictly: bool, well_formed: bool
) -> None:
    grade = Graph().grade(PROBLEM, text)
    assert (grade.correct, grade.strict, grade.well_formed) == (correct, strictly, well_formed), (
        case
    )


def test_a_strategy_is_told_of_a_valid_route_alone() -> None:
    routes = {
        "Alder -> Brigg -> Corby": "shortest",
        "Alder -> Brigg -> Denby -> Corby": "longer",
        "Alder -> Corby": None,
    }
    for route, strategy in routes.items():
        assert Graph().grade(PROBLEM, route).strategy == strategy


def distance(roads: list[tuple[str, str]], start: str, goal: str) -> int | None:
    queue, seen = deque([(start, 0)]), {start}
    while queue:
        here, steps = queue.popleft()
        if here == goal:
            return steps
        for pair in roads:
            if here in pair:
                there = pair[1 - pair.index(here)]
                if there not in seen:
                    seen.add(there)
                    queue.append((there, steps + 1))
    return None


@pytest.mark.parametrize(
    "environment",
    [Graph(), Graph(2, 0, 0, 0), Graph(6, 8, 5, 4), Graph(hops=4, branches=6, shortest=True)],
    ids=str,
)
def test_the_dials_lay_the_roads_that_they_say(environment: Graph) -> None:
    for index in range(40):
        problem = environment.problem("train", index)
        roads = [tuple(pair) for pair in json.loads(problem.facts["roads"])]
        start, goal = problem.facts["start"], problem.facts["goal"]
        places = {place for pair in roads for place in pair}
        assert distance(roads, start, goal) == environment.hops == problem.level
        assert len(places) == environment.places
        assert (
            len(roads)
            == environment.hops
            + environment.dead_ends
            + 2 * environment.branches
            + environment.distractors
        )
        reached = [place for place in places if distance(roads, start, place) is not None]
        assert len(places) - len(reached) == (
            environment.distractors + 1 if environment.distractors else 0
        )
        told = problem.prompt.partition(". All roads")[0].removeprefix("Roads join ").split("; ")
        assert {frozenset(pair.split(" and ")) for pair in told} == {
            frozenset(pair) for pair in roads
        }


def test_a_place_that_two_roads_lead_to_says_nothing_of_the_order_of_the_route() -> None:
    """The first road of the prompt is no likelier to be the first of the way than any other."""
    environment = Graph(3, 3, 0, 0)
    first = 0
    for index in range(300):
        problem = environment.problem("train", index)
        first += problem.facts["start"] in json.loads(problem.facts["roads"])[0]
    assert first / 300 < 0.5


@pytest.mark.parametrize(
    "settings", [{"hops": 1}, {"dead_ends": -1}, {"branches": 40}, {"answer_in": "box"}]
)
def test_settings_that_make_no_problem_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ComponentError, match="Graph cannot ask"):
        Graph(**settings)  # type: ignore[arg-type]


def test_a_random_walk_that_may_come_back_does_not_solve_the_world() -> None:
    """It ended at every goal; a walk that may not come back still finds a third of them."""
    environment, random = Graph(), generator("walk")
    solved = 0
    for index in range(100):
        problem = environment.problem("heldout", index)
        roads = json.loads(problem.facts["roads"])
        walk = [problem.facts["start"]]
        while walk[-1] != problem.facts["goal"] and len(walk) < 200:
            ends = [b if a == walk[-1] else a for a, b in roads if walk[-1] in (a, b)]
            walk.append(ends[int(random.integers(len(ends)))])
        solved += (
            environment.grade(problem, f"<answer>{' -> '.join(walk)}</answer>").correct is True
        )
    assert solved <= 25
