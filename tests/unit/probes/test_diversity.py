import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import PROBLEM, evidence, tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.diversity import Diversity, chance_of_one, entropy, expected_distinct
from rewardscope.seeds import generator
from rewardscope.types import Completion, Ending, Grade, Measurement, Rollout

POLICY = tiny_policy()
NAMES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=7)


def group(
    answers: Sequence[str | None],
    *,
    name: str = "p",
    strategies: Sequence[str | None] | None = None,
    right: str = "5",
) -> Rollout:
    """Answers that are one of the characters of ``right`` are right."""
    shown = strategies or ["guess"] * len(answers)
    grades = tuple(
        Grade(a in right if a else False, None, True, a, strategy=s)
        for a, s in zip(answers, shown, strict=True)
    )
    completions = tuple(
        Completion(f"{s}:{a}", (1, 2), (-0.1, -0.1), Ending.END_TOKEN)
        for a, s in zip(answers, shown, strict=True)
    )
    return Rollout(replace(PROBLEM, id=name), 0, completions, grades)


def measured(rollouts: Sequence[Rollout], k: int) -> dict[str, Measurement]:
    return {
        row.metric.split("/")[1]: row
        for row in Diversity(k).measure(evidence(POLICY, rollouts))
        if "problem" not in row.labels
    }


@given(NAMES, st.integers(1, 7))
def test_rarefied_counts_are_those_of_all_subsets(names: list[str], k: int) -> None:
    if k > len(names):
        assert math.isnan(expected_distinct(names, k)) and math.isnan(chance_of_one(names, k))
        return
    subsets = [set(chosen) for chosen in itertools.combinations(names, k)]
    assert expected_distinct(names, k) == pytest.approx(np.mean([len(s) for s in subsets]))
    assert chance_of_one(names, k) == pytest.approx(np.mean([len(s) == 1 for s in subsets]))


def test_entropy_of_a_fair_die_and_of_one_answer() -> None:
    assert entropy([str(face) for face in range(6)] * 1000, 4096) == pytest.approx(
        math.log(6), abs=1e-3
    )
    assert entropy(["a"] * 9, 4) == pytest.approx(0.0)
    assert math.isnan(entropy([], 1))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_entropy_is_that_of_all_subsets(k: int) -> None:
    names = ["a", "a", "b", "c", "a", "b"]

    def plain(chosen: tuple[str, ...]) -> float:
        shares = [chosen.count(name) / len(chosen) for name in set(chosen)]
        return -sum(share * math.log(share) for share in shares)

    subsets = [plain(chosen) for chosen in itertools.combinations(names, k)]
    assert entropy(names, k) == pytest.approx(sum(subsets) / len(subsets))


def test_unequal_numbers_of_draws_have_the_same_entropy() -> None:
    """Of a die thrown 20 and 200 times: plug-in entropies differ by 0.11 nats."""
    random = generator("die")
    few, many = (
        [entropy(random.integers(0, 6, draws).tolist(), 16) for _ in range(1000)]
        for draws in (20, 200)
    )
    assert np.mean(few) == pytest.approx(np.mean(many), abs=0.015)


def test_all_metrics_by_hand() -> None:
    found = measured(
        [group(["5", "5", "6", None], strategies=["guess", "guess", "stepwise", "guess"])], 2
    )
    assert found["distinct_answers"].value == pytest.approx(
        1 + 2 / 3
    )  # of the pairs 55, 56, 56 two differ
    assert found["distinct_completions"].value == pytest.approx(
        1 + 5 / 6
    )  # guess:5 guess:5 is the one equal pair of six
    assert found["answers_differ"].value == pytest.approx(2 / 3)
    assert found["single_strategy"].value == pytest.approx(3 / 6)
    assert found["pass_slope"].value == pytest.approx(
        (1 - 1 / 6) - 2 / 4
    )  # pass@2 - pass@1 over one doubling
    assert found["answer_entropy"].value == pytest.approx(2 / 3 * math.log(2))


def test_right_answers_are_counted_among_themselves() -> None:
    found = measured(
        [
            group(["5", "5", "6", "1", "2", "3"], right="56"),
            group(["5", "1", "2"], name="one right"),
        ],
        2,
    )
    assert found["right_answers_differ"].value == pytest.approx(2 / 3), (
        "of the pairs 55, 56, 56 two differ; wrong ones do not count"
    )
    assert (found["right_answers_differ"].n, found["right_answers_differ"].dropped) == (1, 1)


def test_a_policy_that_is_only_surer_keeps_its_right_answers_apart() -> None:
    before = [
        group(["5", "6"] * 8 + ["1", "2", "3"] * 16, name=str(p), right="56") for p in range(8)
    ]
    surer = [
        group(["5", "6"] * 24 + ["1", "2", "3"] * 4, name=str(p), right="56") for p in range(8)
    ]
    narrower = [
        group(["5"] * 44 + ["6"] * 4 + ["1", "2", "3"] * 4, name=str(p), right="56")
        for p in range(8)
    ]
    kept, lost = (
        measured(rollouts, 2)["right_answers_differ"].value or 0 for rollouts in (surer, narrower)
    )
    assert (
        kept == pytest.approx(measured(before, 2)["right_answers_differ"].value, abs=0.03)
        and lost < kept - 0.3
    )


def test_a_collapse_is_found() -> None:
    random = generator("collapse")
    wide = [group([str(a) for a in random.integers(0, 8, 64)], name=str(p)) for p in range(32)]
    narrow = [group(["5"] * 60 + ["6"] * 4, name=str(p)) for p in range(32)]
    before, after = measured(wide, 16), measured(narrow, 16)
    for metric in ("distinct_answers", "distinct_completions", "answer_entropy", "answers_differ"):
        assert (
            after[metric].upper is not None
            and before[metric].lower is not None
            and after[metric].upper < before[metric].lower
        )


def test_half_the_draws_give_the_same_counts() -> None:
    random = generator("half")
    whole = [group([str(a) for a in random.integers(0, 8, 128)], name=str(p)) for p in range(64)]
    half = [replace(r, completions=r.completions[::2], grades=r.grades[::2]) for r in whole]
    for metric in ("distinct_answers", "answers_differ"):
        one, other = measured(whole, 16)[metric], measured(half, 16)[metric]
        assert one.value == pytest.approx(
            other.value, abs=3 * ((other.upper or 0) - (other.lower or 0)) / 2
        )
    plug_in = [np.mean([len({g.answer for g in r.grades[:n]}) for r in whole]) for n in (16, 128)]
    assert plug_in[1] > plug_in[0] + 0.5, "without rarefaction more draws look like more diversity"


def test_problems_with_too_few_answers_are_dropped_and_counted() -> None:
    found = measured([group(["5", "6"], name="a"), group(["5", None], name="b")], 2)
    assert (found["distinct_answers"].n, found["distinct_answers"].dropped) == (1, 1)
    none = measured([group([None, None])], 2)["answer_entropy"]
    assert (none.value, none.n, none.dropped) == (None, 0, 1)


@pytest.mark.parametrize("k", [0, 1, 3, 12])
def test_a_k_that_is_no_power_of_two_is_refused(k: int) -> None:
    with pytest.raises(ComponentError, match="power of two"):
        Diversity(k)
