"""Rows summarised for figures: over seeds, over problems, per layer. Nothing here draws."""

import math
import re
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import polars as pl

from rewardscope.judging.amplification import amplified, doubled
from rewardscope.report.rows import STRATEGY_PREFIX, Arm, Run
from rewardscope.stats import LEVEL, paired_contrast

Row = dict[str, Any]
CLASSES = ("preserved", "expanded", "shrunk", "out_of_reach")
"""The classes of problems, in the order in which they are drawn."""
MOST_POINTS = 150
"""Points of a training curve, at most."""
OUTSIDE_LAYERS = "–"
LAYERED = re.compile(r"^(?P<before>.*?)\.(?P<layer>\d+)\.(?P<kind>.+)$")


def over_seeds(frame: pl.DataFrame, by: Sequence[str], value: str) -> pl.DataFrame:
    """Mean, lowest and highest seed, and number of seeds with a value; rows without any value are
    left out.
    """
    column = pl.col(value)
    return (
        frame.filter(column.is_not_null() & column.is_not_nan())
        .group_by(*by, maintain_order=True)
        .agg(
            column.mean().alias("value"),
            column.min().alias("low"),
            column.max().alias("high"),
            column.count().alias("seeds"),
        )
    )


def steps_per_point(run: Run) -> int:
    """How many training steps one point of a curve averages: 1, or more in a long run."""
    last = run.steps["step"].max()
    return math.ceil(int(str(last)) / MOST_POINTS) if last is not None else 1


def training_curve(run: Run, start: str, column: str) -> list[Row]:
    """One step column over training: step, arm, value, low, high, seeds.

    In a long run a point is the mean of ``steps_per_point`` steps of a seed, drawn at the last of
    them.
    """
    if column not in run.steps.columns:
        return []
    together = steps_per_point(run)
    names = [arm.name for arm in run.arms_of(start)]
    column_value = pl.col(column).cast(pl.Float64)
    chosen = run.steps.filter(pl.col("arm").is_in(names)).select(
        "arm", "seed", "step", column_value
    )
    chosen = chosen.filter(pl.col(column).is_not_null() & pl.col(column).is_not_nan())
    if together > 1:
        point = (pl.col("step") - 1) // together * together + together
        chosen = (
            chosen.with_columns(point.alias("step"))
            .group_by("arm", "seed", "step")
            .agg(pl.col(column).mean())
        )
    rows = over_seeds(chosen, ["arm", "step"], column).sort("arm", "step")
    return _rounded(rows.to_dicts())


def strategies(run: Run) -> list[str]:
    """Names of the strategies that the step tables count."""
    return [
        name.removeprefix(STRATEGY_PREFIX)
        for name in run.steps.columns
        if name.startswith(STRATEGY_PREFIX)
    ]


def amplification(run: Run, start: str) -> dict[tuple[str, str, int], tuple[str, float]]:
    """What amplification alone predicts, by (arm, strategy, training step): which null, and the
    share.

    Computed like `behaviour/share_null`, at every point of the training curve: from the untrained
    policy's held-out shares, their rewards in the arm, and the share that the strategy paid most
    had reached. Empty for arms whose rewards were not measured.
    """
    predictions: dict[tuple[str, str, int], tuple[str, float]] = {}
    shares, rewards, fits = (
        run.metric(f"behaviour/{name}")
        for name in ("strategy_share", "strategy_reward", "reweighting")
    )
    curves = {name: training_curve(run, start, STRATEGY_PREFIX + name) for name in strategies(run)}
    for arm in run.arms_of(start):
        base = {
            row["strategy"]: row["value"]
            for row in shares.filter(pl.col("arm") == arm.base).to_dicts()
            if row["value"] is not None
        }
        paid = {
            row["strategy"]: row["value"]
            for row in over_seeds(
                rewards.filter(pl.col("arm") == arm.name), ["strategy"], "value"
            ).to_dicts()
        }
        names = sorted(base)
        if not paid or not names:
            continue
        fitted = (
            fits.filter((pl.col("arm") == arm.name) & pl.col("value").is_not_null())["strategy"]
            .drop_nulls()
            .unique()
            .to_list()
        )
        points = {
            name: [row for row in rows if row["arm"] == arm.name] for name, rows in curves.items()
        }
        if len(fitted) != 1 or fitted[0] not in names or fitted[0] not in points:
            predictions |= {
                (arm.name, name, row["step"]): ("reweighted", base.get(name, 0.0))
                for name, rows in points.items()
                for row in rows
            }
            continue
        reached = {row["step"]: row["value"] for row in points[fitted[0]]}
        share_SA = np.broadcast_to([base[name] for name in names], (len(reached), len(names)))
        reward_SA = np.broadcast_to(
            [paid.get(name, np.nan) for name in names], (len(reached), len(names))
        )
        after_SA = amplified(
            share_SA, reward_SA, names.index(fitted[0]), np.array(list(reached.values()))
        )
        for row_index, step in enumerate(reached):
            predictions[arm.name, fitted[0], step] = (
                "doubled",
                round(float(doubled(base[fitted[0]], step)), 5),
            )
            for name, value in zip(names, after_SA[row_index], strict=True):
                if name != fitted[0] and not np.isnan(value):
                    predictions[arm.name, name, step] = ("reweighted", round(float(value), 5))
    return predictions


def moves(run: Run, start: str) -> list[Row]:
    """The moves between strategies, and between showing a behaviour and not, that any draw made:
    share of the draws and of the gain.

    A line per move: by, before, after, and per arm both. The share of the gain is what the move
    added, summed over seeds, over the sum of the seeds' gains; None where the gain's interval over
    seeds holds 0. A mean of the seeds' own shares would weigh a seed that gained nearly nothing the
    most. Behaviours that no draw took up or gave up are left out.
    """
    names = [arm.name for arm in run.arms_of(start)]
    key = ["by", "before", "after"]
    share, added = (
        {
            tuple(row[name] for name in (*key, "arm")): row
            for row in over_seeds(
                run.metric(metric).filter(pl.col("arm").is_in(names)), [*key, "arm"], "value"
            ).to_dicts()
        }
        for metric in ("behaviour/move_share", "behaviour/move_change")
    )
    gains = {arm: _decided_gain(run, arm) for arm in names}
    lines = []
    made = dict.fromkeys(move[:3] for move, row in share.items() if row["value"] > 0)
    changed = {by for by, before, after in made if by == "strategy" or before != after}
    for move in made:
        if move[0] in changed:
            cells = {}
            for arm in names:
                part, change, gain = share.get((*move, arm)), added.get((*move, arm)), gains[arm]
                cells[arm] = {
                    "share": part and part["value"],
                    "gain": change["value"] / gain if change and gain else None,
                }
            lines.append(
                {
                    "by": move[0].replace("_", " "),
                    "before": move[1],
                    "after": move[2],
                    "cells": cells,
                }
            )
    return lines


def _decided_gain(run: Run, arm: str) -> float | None:
    """Mean gain over the seeds of the arm; None where its interval holds 0, or there is none."""
    frame = run.metric("behaviour/gain").filter(
        (pl.col("arm") == arm) & pl.col("value").is_not_null()
    )
    if frame.is_empty():
        return None
    if frame.height == 1:
        value, lower, upper = (frame[name][0] for name in ("value", "lower", "upper"))
    else:
        gain_S1 = frame["value"].to_numpy()[:, None]
        estimate = paired_contrast(gain_S1, address=f"report/gain/{arm}")
        value, lower, upper = estimate.value, estimate.lower, estimate.upper
    decided = lower is not None and upper is not None and (lower > 0 or upper < 0)
    return float(value) if decided else None


def pass_at_k(run: Run, start: str, metric: str, plain: Container[str] = ()) -> list[Row]:
    """pass@k of the untrained policy and of each arm: arm, k, value, low, high, seeds, interval.

    Args:
        run: The run.
        start: Of the arms.
        metric: The metric.
        plain: Arms that need no interval; making one takes time.
    """
    rows: list[Row] = []
    frame = (
        run.metric(metric)
        .filter(pl.col("k").is_not_null())
        .with_columns(pl.col("k").cast(pl.Int64))
    )
    arms = run.arms_of(start)
    for base in dict.fromkeys(arm.base for arm in arms):
        for entry in (
            frame.filter((pl.col("arm") == base) & pl.col("value").is_not_null())
            .sort("k")
            .to_dicts()
        ):
            rows.append(
                _pass_row(
                    base, entry["k"], entry["value"], entry["lower"], entry["upper"], 0, "problems"
                )
            )
    for arm in arms:
        single = run.problem_pass.filter((pl.col("arm") == arm.name) & (pl.col("metric") == metric))
        own = frame.filter((pl.col("arm") == arm.name) & pl.col("value").is_not_null())
        for (k,), cells in own.sort("k").group_by("k", maintain_order=True):
            if arm.name in plain:
                middle = _mean(cells["value"])
                rows.append(
                    _pass_row(arm.name, int(str(k)), middle, None, None, cells.height, "none")
                )
                continue
            rows.append(
                _pass_over_seeds(arm.name, int(str(k)), cells, single.filter(pl.col("k") == str(k)))
            )
    return _rounded(rows)


def _pass_over_seeds(arm: str, k: int, cells: pl.DataFrame, single: pl.DataFrame) -> Row:
    """The mean over seeds, with an interval over seeds and problems where the problems' own rows
    exist.
    """
    num_seeds = cells.height
    value_SP = _seeds_by_problems(single)
    if value_SP is not None and value_SP.shape[0] == num_seeds and num_seeds > 1:
        estimate = paired_contrast(value_SP, address=f"report/pass_at_k/{arm}", bounds=(0.0, 1.0))
        return _pass_row(
            arm, k, estimate.value, estimate.lower, estimate.upper, num_seeds, "seeds and problems"
        )
    lower, upper = cells["lower"].drop_nulls(), cells["upper"].drop_nulls()
    complete = len(lower) == len(upper) == num_seeds
    low, high = (_mean(lower), _mean(upper)) if complete else (None, None)
    return _pass_row(arm, k, _mean(cells["value"]), low, high, num_seeds, "problems")


def _mean(values: pl.Series) -> float:
    return float(np.mean(values.to_numpy()))


def _seeds_by_problems(single: pl.DataFrame) -> np.ndarray | None:
    """Values as (seeds, problems), or None unless every seed has every problem once."""
    if (
        single.is_empty()
        or single["value"].null_count()
        or single.select("seed", "problem").is_duplicated().any()
    ):
        return None
    num_seeds, num_problems = single["seed"].n_unique(), single["problem"].n_unique()
    if single.height != num_seeds * num_problems:
        return None
    return single.sort("seed", "problem")["value"].to_numpy().reshape(num_seeds, num_problems)


def _pass_row(
    arm: str,
    k: int,
    value: float | None,
    lower: float | None,
    upper: float | None,
    seeds: int,
    over: str,
) -> Row:
    # a stretched interval can reach outside [0, 1], where no probability lies
    low, high = (
        (None, None) if lower is None or upper is None else (max(lower, 0.0), min(upper, 1.0))
    )
    interval = f"{LEVEL:.0%} over {over}" if low is not None else "none"
    return {
        "arm": arm,
        "k": k,
        "value": value,
        "low": low,
        "high": high,
        "seeds": seeds or None,
        "interval": interval,
    }


def reliability(run: Run, start: str, view: str) -> list[Row]:
    """The reliability diagram: arm (or untrained policy), bin, forecast, value = share right, low,
    high, seeds; means over seeds.
    """
    arms = run.arms_of(start)
    names = [*dict.fromkeys(arm.base for arm in arms), *(arm.name for arm in arms)]
    own = (pl.col("arm").is_in(names)) & (pl.col("view") == view)
    forecasts = over_seeds(
        run.metric("calibration/bin_forecast").filter(own), ["arm", "bin"], "value"
    )
    right = over_seeds(run.metric("calibration/bin_accuracy").filter(own), ["arm", "bin"], "value")
    rows = right.join(
        forecasts.select("arm", "bin", pl.col("value").alias("forecast")),
        on=["arm", "bin"],
        maintain_order="left",
    )
    return _rounded(
        sorted(rows.to_dicts(), key=lambda row: (names.index(row["arm"]), int(row["bin"])))
    )


def problem_classes(run: Run, start: str) -> tuple[str, list[Row]]:
    """The k of the comparison and, per arm and seed, how many problems of each class there are."""
    names = [arm.name for arm in run.arms_of(start)]
    frame = run.metric("boundary/problems").filter(
        pl.col("arm").is_in(names) & pl.col("value").is_not_null() & pl.col("class").is_not_null()
    )
    if frame.is_empty():
        return "", []
    largest = max(
        frame["k"].drop_nulls().to_list(), key=lambda k: int(k) if k.isdigit() else 0, default=""
    )
    rows: list[Row] = []
    for entry in frame.filter(pl.col("k").is_null() | (pl.col("k") == largest)).to_dicts():
        order = CLASSES.index(entry["class"]) if entry["class"] in CLASSES else len(CLASSES)
        label = entry["class"].replace("_", " ")
        rows.append(
            {
                "arm": entry["arm"],
                "seed": entry["seed"],
                "class": label,
                "order": order,
                "value": entry["value"],
            }
        )
    return largest, sorted(
        rows, key=lambda row: (names.index(row["arm"]), row["seed"], row["order"])
    )


def weight_change(run: Run, arms: Sequence[Arm]) -> list[Row]:
    """Relative update norm per matrix of these arms, mean over arms and seeds: kind, layer, value,
    low, high, seeds.
    """
    names = [arm.name for arm in arms]
    frame = run.metric("weights/relative_update_norm").filter(
        pl.col("arm").is_in(names) & pl.col("matrix").is_not_null() & (pl.col("matrix") != "all")
    )
    rows = [
        {**_layer_and_kind(row.pop("matrix")), **row}
        for row in over_seeds(frame, ["matrix"], "value").to_dicts()
    ]
    return _rounded(rows, digits=6)


def _layer_and_kind(matrix: str) -> Row:
    """Layer and kind of a parameter: model.layers.0.mlp.up_proj.weight is in layer 0, kind
    mlp.up_proj.
    """
    name = matrix.removesuffix(".weight")
    match = LAYERED.match(name)
    if match is None:
        return {"kind": name.removeprefix("model."), "layer": OUTSIDE_LAYERS}
    return {"kind": match["kind"], "layer": match["layer"]}


def _rounded(rows: list[Row], digits: int = 5) -> list[Row]:
    """The rows with floats rounded for figures: the page stores them as text."""
    return [
        {
            name: round(item, digits) if isinstance(item, float) else item
            for name, item in row.items()
        }
        for row in rows
    ]
