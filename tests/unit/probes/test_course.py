import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from factories import PROBLEM, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.course import bend, course_of, read_course
from rewardscope.seeds import generator
from rewardscope.types import Completion, Ending, Grade, Rollout

STEPS = range(30)


def curve(bends_at: float, before: float, after: float, noise: float, name: str) -> np.ndarray:
    t = np.arange(30.0)
    line: np.ndarray = (
        before * np.minimum(t, bends_at)
        + after * np.maximum(t - bends_at, 0)
        + generator("course", name).normal(0, noise, 30)
    )
    return line


def test_a_bend_without_noise_is_where_it_is() -> None:
    found = bend(STEPS, curve(12, -0.1, 0.02, 1e-9, "exact"), "exact")
    assert found.step is not None
    assert (found.step.value, found.before, found.after) == (
        12.0,
        pytest.approx(-0.1),
        pytest.approx(0.02),
    )
    assert found.straight == 0.0


def test_the_interval_covers_planted_bends_and_straight_lines_seldom_bend() -> None:
    random = generator("course", "places")
    covered = bent = 0
    for study in range(100):
        place = random.uniform(8, 22)
        found = bend(STEPS, curve(place, -0.06, 0.0, 0.05, f"bend {study}"), f"bend {study}")
        assert (
            found.step is not None and found.step.lower is not None and found.step.upper is not None
        )
        covered += found.step.lower <= place <= found.step.upper
        bent += (
            bend(STEPS, curve(30, -0.03, 0.0, 0.05, f"line {study}"), f"line {study}").step
            is not None
        )
    assert 90 <= covered <= 100
    assert bent <= 12


@pytest.mark.parametrize(
    ("execution", "plans", "said"),
    [
        ((6, -0.1, 0.0), (18, 0.0, 0.1), True),
        ((18, -0.1, 0.0), (6, 0.0, 0.1), False),
        ((12, -0.1, 0.0), (12, 0.0, 0.1), None),
        ((6, -0.1, 0.0), (18, 0.0, -0.1), False),
        ((6, 0.1, 0.0), (18, 0.0, 0.1), False),
        ((30, -0.1, 0.0), (18, 0.0, 0.1), False),
        ((6, -0.1, 0.0), (30, 0.1, 0.0), False),
    ],
    ids=[
        "in order",
        "the other way round",
        "together",
        "plans narrow",
        "execution rises",
        "execution is straight",
        "plans are straight",
    ],
)
def test_two_phases_are_those_in_this_order(
    execution: tuple[float, ...], plans: tuple[float, ...], said: bool | None
) -> None:
    name = f"{execution}{plans}"
    found = course_of(
        STEPS, curve(*execution, 0.05, f"e{name}"), curve(*plans, 0.05, f"p{name}"), name
    )
    assert found.two_phases is said


def test_two_straight_noisy_curves_have_no_phases() -> None:
    for study in range(20):
        found = course_of(
            STEPS,
            curve(30, -0.02, 0, 0.05, f"e{study}"),
            curve(30, 0.02, 0, 0.05, f"p{study}"),
            f"straight {study}",
        )
        assert found.two_phases is not True


def told(texts: Sequence[str], logprob: float) -> Rollout:
    policy = tiny_policy()
    completions = []
    for text in texts:
        ids = policy.encode_completion(text)
        completions.append(Completion(text, ids, (logprob,) * len(ids), Ending.END_TOKEN))
    return Rollout(
        replace(PROBLEM, prompt="1+1?"),
        0,
        tuple(completions),
        (Grade(True, True, True),) * len(texts),
    )


def test_curves_are_read_from_stored_completions() -> None:
    """s and g are as common at first; in the end there is s alone. Execution tokens get surer by
    the step, plans are not read for that.
    """
    texts = [["s1:2", "g:2", "g:2", "s1:2"]] * 5 + [["s1:2", "s1:2", "s1:2", "s1:2"]] * 5
    rollouts = {step: [told(said, -1.0 + 0.05 * step)] for step, said in enumerate(texts)}
    found = read_course(tiny_policy(), rollouts, ("s", "g"), plans=2, address="by hand")
    assert found.execution_T == pytest.approx(1.0 - 0.05 * np.arange(10))
    assert found.plans_T == pytest.approx([2 / 3 * math.log(2)] * 5 + [0.0] * 5)


def test_what_makes_no_curve_is_refused() -> None:
    with pytest.raises(ComponentError, match="Too few steps for a bend"):
        bend(range(7), np.zeros(7), "short")
    with pytest.raises(ComponentError, match="Too few steps for a bend"):
        bend(STEPS, np.full(30, np.nan), "unknown")
    with pytest.raises(ComponentError, match="needs grams"):
        read_course(tiny_policy(), {0: [told(["s1:2"], -1.0)]}, (), 2, "none")
    with pytest.raises(ComponentError, match="uses the grams too rarely"):
        read_course(tiny_policy(), {0: [told(["s1:2"], -1.0)]}, ("g",), 2, "unused")
