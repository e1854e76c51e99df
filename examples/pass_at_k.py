"""pass@k of stored completions that anything made, and of a trained policy beside its base.

The file has a row per completion: whose it is, of which problem, and whether it is correct. Where
the curves cross, the base reaches with more draws what training made likelier.

    python examples/pass_at_k.py examples/completions.csv
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from rewardscope.judging.boundary import Standing, Tally, powers_of_two
from rewardscope.judging.boundary.comparison import pass_curve
from rewardscope.stats import Estimate


def tally_of(completions: pl.DataFrame) -> Tally:
    """The draws of each problem, counted."""
    problems = completions.group_by("problem", maintain_order=True).agg(
        stored=pl.len(),
        graded=pl.col("correct").is_not_null().sum(),
        right=(pl.col("correct") == 1).sum(),
        # where the first right draw stands among the graded ones; their number if none is right
        first=pl.col("correct").drop_nulls().arg_max(),
    )
    first = pl.when(problems["right"] > 0).then(problems["first"]).otherwise(problems["graded"])
    problems = problems.with_columns(first=first)
    counts = (problems[name].to_numpy() for name in ("stored", "graded", "right", "first"))
    return Tally(tuple(problems["problem"]), *(each.astype(np.int64) for each in counts))


def main(path: Path) -> None:
    """Prints pass@k of every policy, and trained less base where there are both."""
    completions = pl.read_csv(path)
    tallies = {
        str(policy): tally_of(rows)
        for (policy,), rows in completions.group_by("policy", maintain_order=True)
    }
    ks = powers_of_two(min(int(tally.graded_P.min()) for tally in tallies.values()))
    for policy, tally in tallies.items():
        for point in pass_curve(tally, ks, policy):
            say(f"{policy:>8}  pass@{point.k:<3} {interval(point.estimate)}")
    if {"base", "trained"} <= set(tallies):
        standing = Standing.of(tallies["base"], tallies["trained"])
        for point in standing.difference(ks, "difference"):
            say(f"    less  pass@{point.k:<3} {interval(point.estimate)}")


def interval(estimate: Estimate | None) -> str:
    """An estimate with its interval, where there are enough draws for them."""
    if estimate is None or estimate.lower is None or estimate.upper is None:
        return "unknown" if estimate is None else f"{estimate.value:+.3f}, no interval"
    return f"{estimate.value:+.3f}, 95 % interval {estimate.lower:+.3f} to {estimate.upper:+.3f}"


def say(text: str) -> None:
    """Prints a line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
