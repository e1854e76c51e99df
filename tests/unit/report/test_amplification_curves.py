"""What amplification alone predicts, beside the curves of strategy shares, and the table of
moves.
"""

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from report_run import NUM_STEPS, STRATEGIES
from rewardscope.judging.amplification import doubled
from rewardscope.report.loading import load_run
from rewardscope.report.marks import make_marks
from rewardscope.report.sections.formats import strategy_panels
from rewardscope.report.summaries import amplification, moves, training_curve


def test_the_strategy_paid_most_doubles_its_odds_and_the_others_are_reweighted(
    finished_run: Path,
) -> None:
    run = load_run(finished_run)
    found = amplification(run, "formats-planted")
    kinds = {
        name: {
            kind
            for (arm, strategy, _), (kind, _) in found.items()
            if (arm, strategy) == ("planted-truth", name)
        }
        for name in STRATEGIES
    }
    assert kinds == {"stepwise": {"doubled"}, "talk": {"reweighted"}, "guess": {"reweighted"}}
    assert found["planted-truth", "stepwise", 4][1] == pytest.approx(
        float(doubled(0.55, 4)), abs=1e-5
    )
    reached = {
        row["step"]: row["value"]
        for row in training_curve(run, "formats-planted", "strategy/stepwise")
        if row["arm"] == "planted-truth"
    }
    for step in (1, NUM_STEPS):
        predicted = [found["planted-truth", name, step][1] for name in ("talk", "guess")]
        assert sum(predicted) == pytest.approx(1 - reached[step], abs=1e-4)
        assert predicted[0] / predicted[1] > 0.35 / 0.1, (
            "talk is paid more than guess, so it shrinks less"
        )


def test_where_all_is_paid_alike_the_prediction_is_the_untrained_share(finished_run: Path) -> None:
    found = amplification(load_run(finished_run), "formats-planted")
    assert {
        value for (arm, name, _), value in found.items() if (arm, name) == ("planted-coin", "talk")
    } == {("reweighted", 0.35)}


def test_what_the_untrained_policy_never_does_stays_at_nothing(finished_run: Path) -> None:
    found = amplification(load_run(finished_run), "formats-barren")
    assert {value for (_, name, _), (_, value) in found.items() if name == "stepwise"} == {0.0}


def test_the_prediction_is_drawn_dotted_beside_the_curve_and_stands_in_the_numbers(
    finished_run: Path,
) -> None:
    run = load_run(finished_run)
    for panel in strategy_panels(run, make_marks(run.arms)):
        assert panel.spec is not None
        assert [layer["mark"].get("strokeDash") for layer in panel.spec["layer"]].count([1, 4]) == 1
        rows = panel.spec["data"]["values"]
        assert all(
            row["null"] in ("doubled", "reweighted") and 0 <= row["predicted"] <= 1 for row in rows
        )


def test_moves_have_a_line_each_and_no_share_of_a_gain_that_is_none(finished_run: Path) -> None:
    lines = moves(load_run(finished_run), "formats-planted")
    assert len(lines) == len(STRATEGIES) ** 2
    (line,) = [line for line in lines if (line["before"], line["after"]) == ("talk", "stepwise")]
    assert line["cells"]["planted-truth"] == {
        "share": pytest.approx(0.3),
        "gain": pytest.approx(1.1),
    }
    assert line["cells"]["planted-coin"] == {"share": pytest.approx(0.3), "gain": None}
    text = (finished_run / "report.html").read_text()
    assert "Which moves account for the gain" in text and "talk → stepwise" in text
    assert (
        "share whose text shows backtracking" in text and "share whose text shows boxed" not in text
    )


def test_a_share_of_the_gain_is_pooled_and_unknown_where_the_gain_is(finished_run: Path) -> None:
    """Seeds that gained -0.016, +0.024 and -0.093: the mean of their own shares once read +0.834.
    Three that gained 0.1, 0.2 and 0.3, of which a move added 0.09, 0.1 and 0.11: 0.3 of 0.6.
    """
    run = load_run(finished_run)

    def pooled(gains: list[float], added: list[float]) -> float | None:
        frame = run.measurements
        mine = pl.col("arm") == "planted-coin"
        move = mine & (pl.col("before") == "talk") & (pl.col("after") == "stepwise")

        def put(
            frame: pl.DataFrame, metric: str, which: pl.Expr, values: list[float]
        ) -> pl.DataFrame:
            chosen = which & (pl.col("metric") == metric)
            value = pl.col("seed").replace_strict(dict(enumerate(values)), default=None)
            return frame.with_columns(
                pl.when(chosen).then(value).otherwise(pl.col("value")).alias("value")
            )

        frame = put(frame, "behaviour/gain", mine, gains)
        frame = put(frame, "behaviour/move_change", move, added)
        lines = moves(dataclasses.replace(run, measurements=frame), "formats-planted")
        moved = {(line["before"], line["after"]): line["cells"] for line in lines}
        found: float | None = moved["talk", "stepwise"]["planted-coin"]["gain"]
        return found

    assert pooled([-0.016, 0.024, -0.093], [0.01, 0.02, 0.03]) is None
    assert pooled([0.1, 0.11, 0.12], [0.05, 0.055, 0.06]) == pytest.approx(0.5)
    assert pooled([0.2, 0.21, 0.25], [0.0, 0.0, 0.33]) == pytest.approx(0.5)
