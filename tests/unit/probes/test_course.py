import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from factories import PROBLEM, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.bends import bend
from rewardscope.probes.course import course_of, read_course
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
    assert found.smooth == 0.002


def lingering(correlation: float, name: str) -> np.ndarray:
    """First-order autoregression of deviation 0.05."""
    step_T = generator("course", name).normal(0, 0.05, 30)
    noise_T = step_T.copy()
    for t in range(1, 30):
        new = math.sqrt(1 - correlation**2) * step_T[t]
        noise_T[t] = correlation * noise_T[t - 1] + new
    return noise_T


def test_the_interval_covers_planted_bends() -> None:
    random, covered = generator("course", "places"), 0
    for study in range(40):
        at = random.uniform(8, 22)
        place = bend(STEPS, curve(at, -0.06, 0.0, 0.05, f"bend {study}"), f"bend {study}").place
        covered += (place.lower or 0) <= at <= (place.upper or 0)
    assert 35 <= covered <= 40


def test_a_bend_is_found_in_noise_that_lingers() -> None:
    found = sum(
        bend(STEPS, curve(15, -0.15, 0, 0, "") + lingering(0.6, f"b{study}"), f"b{study}").step
        is not None
        for study in range(20)
    )
    assert found >= 17


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.8])
def test_straight_lines_with_noise_that_lingers_seldom_bend(correlation: float) -> None:
    bent = sum(
        bend(
            STEPS, -0.03 * np.arange(30) + lingering(correlation, f"{study}"), f"line {study}"
        ).step
        is not None
        for study in range(20)
    )
    assert bent <= 3


@pytest.mark.parametrize(
    "curve_T",
    [1.5 * (np.arange(30) / 30) ** 2, np.exp(-np.arange(30) / 5)],
    ids=["a parabola", "an exponential"],
)
def test_smooth_growth_seldom_bends(curve_T: np.ndarray) -> None:
    bent = sum(
        bend(STEPS, curve_T + 0.6 * lingering(0, f"s{study}"), f"smooth {study}").step is not None
        for study in range(20)
    )
    assert bent <= 3


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
