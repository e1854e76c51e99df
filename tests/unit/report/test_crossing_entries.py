"""A crossing that one seed of three has is said so, and is a whole number."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from rewardscope.report.blocks import table_rows
from rewardscope.report.loading import load_run
from rewardscope.report.rows import Run
from rewardscope.report.sections.boundary import SECTION

(LINE,) = [line for line in SECTION.lines if line.metric == "boundary/crossing_k"]


@pytest.fixture(scope="module")
def run(finished_run: Path) -> Run:
    return load_run(finished_run)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([None, 8.0, None], "8 in 1 of 3 seeds"),
        ([None, None, None], "never"),
        ([4.0, 8.0, 16.0], "9.3"),
    ],
)
def test_a_crossing_says_how_many_seeds_have_it(
    values: list[float | None], text: str, run: Run
) -> None:
    value = pl.col("seed").replace_strict(
        dict(enumerate(values)), default=None, return_dtype=pl.Float64
    )
    gains = (pl.col("metric") == "behaviour/gain") & (pl.col("arm") == "planted-truth")
    frame = run.measurements.filter(gains).with_columns(
        value.alias("value"), pl.lit(LINE.metric).alias("metric"), pl.lit("draws").alias("unit")
    )
    other = dataclasses.replace(run, measurements=frame)
    (row,) = table_rows(other, LINE, ["planted-truth"])
    assert row.entries["planted-truth"].text == text
