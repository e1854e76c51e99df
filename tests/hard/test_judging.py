"""What verdicts and counts must be, by a small model that is not our code: rows in any order, in
several files, twice, or missing.
"""

import random
import tempfile
from collections.abc import Callable
from fractions import Fraction
from math import comb
from pathlib import Path
from statistics import fmean
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import measurement
from rewardscope.codec import encode
from rewardscope.judging.boundary import frontier
from rewardscope.judging.claims import judge
from rewardscope.store import read_measurements, write_measurements, write_table
from rewardscope.types import Claim, Measurement, Outcome

CLAIM = Claim(
    sentence="It helps.",
    metric="boundary/pass_at_k",
    labels={"k": "1"},
    treatment="truth",
    control="coin",
)
RECORD = {
    "arms": [{"name": name, "base": "base:planted"} for name in ("truth", "coin")],
    "seeds": [0, 1, 2],
    "claims": [encode(CLAIM)],
}
Cells = dict[tuple[str, int], dict[str, float]]
"""(arm, seed) -> problem -> value; what is missing is not there."""
SHARES = st.integers(0, 8).map(lambda right: right / 8)
CELLS = st.fixed_dictionaries(
    {
        (arm, seed): st.dictionaries(st.sampled_from("abcdefgh"), SHARES, max_size=8)
        for arm in ("truth", "coin")
        for seed in range(3)
    }
)
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["p", "q", "r", "s"]),
        st.sampled_from([None, False, True]),
        st.sampled_from([None, False, True]),
    ),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(correct is not None for _, correct, _ in rows))


def rows_of(cells: Cells) -> list[Measurement]:
    return [
        measurement(arm=arm, seed=seed, value=value, labels={"k": "1", "problem": problem})
        for (arm, seed), values in cells.items()
        for problem, value in values.items()
    ]


def expected(cells: Cells) -> tuple[float | None, int, int]:
    """Estimate, seeds and problems: the mean difference over the seeds that both arms have and the
    problems that all of those cells have.
    """
    seeds = [s for s in range(3) if cells["truth", s] and cells["coin", s]]
    shared = [set(cells[arm, s]) for s in seeds for arm in ("truth", "coin")]
    problems = set.intersection(*shared) if shared else set()
    if not problems:
        return None, 0, 0
    pairs = [cells["truth", s][p] - cells["coin", s][p] for s in seeds for p in problems]
    return fmean(pairs), len(seeds), len(problems)


def check_verdict(cells: Cells, seed: int) -> None:
    chance, rows = random.Random(seed), rows_of(cells)
    (first,) = judge(RECORD, rows)
    estimate, seeds, problems = expected(cells)
    assert (first.num_seeds, first.num_problems) == (seeds, problems)
    assert (first.outcome is Outcome.NOT_RUN) == (estimate is None)
    if estimate is not None:
        assert first.estimate == pytest.approx(estimate, abs=1e-12)
        known = len({problem for values in cells.values() for problem in values})
        assert (f"of {known} problems have" in first.reason) == (known > problems)
    mixed = [*rows, *chance.choices(rows, k=len(rows) // 2)] if rows else []
    chance.shuffle(mixed)
    with tempfile.TemporaryDirectory() as folder:
        cut = chance.randrange(len(mixed) + 1)
        files = [Path(folder, "a.parquet"), Path(folder, "b.parquet")]
        for file, part in zip(files, (mixed[:cut], mixed[cut:]), strict=True):
            write_measurements(file, part)
        back = [row for file in files for row in read_measurements(file, {CLAIM.metric})]
    assert judge(RECORD, back) == [first], "order, files and copies change nothing"


def pass_share(verdicts: list[bool], k: int) -> Fraction:
    """1 - C(n - c, k) / C(n, k), in whole numbers."""
    n, right = len(verdicts), sum(verdicts)
    return 1 - Fraction(comb(n - right, k), comb(n, k))


def check_curves(drawn: list[tuple[str, Any, Any]], seed: int) -> None:
    chance = random.Random(seed)
    chance.shuffle(drawn)
    columns = {"problem": pl.String, "correct": pl.Boolean, "strict": pl.Boolean}
    frame = pl.DataFrame(drawn, schema=columns, orient="row").with_columns(policy_step=0)
    cut = chance.randrange(len(drawn) + 1)
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Path(folder, "whole.parquet"), Path(folder, "parts")
        write_table(whole, frame)
        write_table(parts / "a.parquet", frame[:cut])
        write_table(parts / "b.parquet", frame[cut:])
        curves = frontier(whole)
        assert frontier(parts).record() == curves.record()
    for place, name in ((1, "tolerant"), (2, "strict")):
        graded: dict[str, list[bool]] = {row[0]: [] for row in drawn}
        for row in drawn:
            graded[row[0]] += [] if row[place] is None else [row[place]]
        most = curves.curves[name][-1].k
        usable = [verdicts for verdicts in graded.values() if len(verdicts) >= most]
        for point in curves.curves[name]:
            assert (point.n, point.dropped) == (len(usable), len(graded) - len(usable))
            if usable:
                share = sum(pass_share(verdicts, point.k) for verdicts in usable) / len(usable)
                assert point.estimate is not None
                assert point.estimate.value == pytest.approx(float(share), abs=1e-9)
            else:
                assert point.estimate is None


CHECKS: dict[str, Callable[..., None]] = {
    "verdicts": given(CELLS, st.integers(0, 10**6))(check_verdict),
    "curves": given(DRAWN, st.integers(0, 10**6))(check_curves),
}


def hold(name: str, examples: int) -> None:
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    settings(max_examples=examples, deadline=None, suppress_health_check=slow)(CHECKS[name])()


@pytest.mark.parametrize("name", CHECKS)
def test_judging_is_what_the_model_says(name: str) -> None:
    hold(name, 20)


@pytest.mark.hard
@pytest.mark.parametrize("name", CHECKS)
def test_judging_is_what_the_model_says_a_thousand_times(
    name: str, counted: Callable[..., None]
) -> None:
    hold(name, 1000)
    counted(tried=1000, survived=1000, silent=0)
