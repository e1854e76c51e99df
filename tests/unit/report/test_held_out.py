"""The tables of what was measured on held-out problems."""

import polars as pl

from rewardscope.registry import components
from rewardscope.report.held_out import HELD_OUT, held_out_rows
from rewardscope.report.rows import MEASUREMENT_COLUMNS, Arm, Run


def run_with(rows: list[dict[str, object]]) -> Run:
    arm = Arm("truth", "start", False, "base:start", "base", {0: "cell"}, {}, {})
    frame = pl.DataFrame(
        [{**dict.fromkeys(MEASUREMENT_COLUMNS), "step": 1, **row} for row in rows],
        schema=MEASUREMENT_COLUMNS,
    )
    nothing = pl.DataFrame()
    return Run(None, {}, (arm,), (), (), nothing, frame, nothing, ())  # type: ignore[arg-type]


def test_every_line_is_of_a_metric_that_some_instrument_makes() -> None:
    made = {metric for cls in components("probes").values() for metric in cls.metrics}
    assert {line.metric for lines in HELD_OUT.values() for line in lines} <= made


def test_the_largest_k_alone_has_a_line_and_seeds_are_averaged() -> None:
    vote = {"arm": "truth", "metric": "boundary/vote_at_k", "unit": "share"}
    run = run_with(
        [
            {**vote, "seed": seed, "k": k, "value": value}
            for seed, k, value in ((0, "2", 0.1), (0, "16", 0.4), (1, "16", 0.6))
        ]
    )
    (line,) = held_out_rows(run, "start", "boundary")
    assert (line["label"], line["unit"]) == ("vote of 16 draws", "share")
    assert line["cells"]["truth"] == {
        "arm": "truth",
        "value": 0.5,
        "low": 0.4,
        "high": 0.6,
        "seeds": 2,
    }


def test_a_line_that_nobody_has_a_number_for_is_left_out() -> None:
    run = run_with(
        [
            {
                "arm": "truth",
                "seed": 0,
                "metric": "boundary/crossing_k",
                "unit": "draws",
                "k": "16",
                "value": None,
            }
        ]
    )
    assert held_out_rows(run, "start", "boundary") == []


def test_weights_are_those_of_all_matrices_together() -> None:
    rank = {
        "arm": "truth",
        "seed": 0,
        "metric": "weights/rank_share",
        "unit": "share",
        "view": "float32",
    }
    run = run_with([{**rank, "matrix": "all", "value": 0.9}, {**rank, "matrix": "a", "value": 0.1}])
    (line,) = held_out_rows(run, "start", "weights")
    assert (
        line["label"] == "rank of the update over the largest possible, float32"
        and line["cells"]["truth"]["value"] == 0.9
    )
