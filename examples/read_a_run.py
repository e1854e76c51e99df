"""A finished run looked at with polars: every number is a row, and every completion is kept.

python examples/read_a_run.py runs/own-reward
"""

import sys
from pathlib import Path

import polars as pl

from rewardscope.report import Verdicts
from rewardscope.store import RunDirectory

PAIR = pl.element().struct.field("name") + "=" + pl.element().struct.field("value")
LABELS = pl.col("labels").list.eval(PAIR).list.join(", ")
"""What a row is about, as text: ``k=1``, or ``k=1, problem=...``."""


def main(root: Path) -> None:
    """Prints four tables of the run."""
    run = RunDirectory(root)
    show(repr(Verdicts(run.verdicts())))

    rows = pl.read_parquet(root / "cells" / "*" / "measurements.parquet")
    show("pass@1 of each policy; a row that names a problem as well is about that problem alone")
    pass_at_1 = rows.filter(pl.col("metric") == "boundary/pass_at_k", LABELS == "k=1")
    show(pass_at_1.select("arm", "seed", "value", "lower", "upper", "n").sort("arm", "seed"))

    steps = pl.concat(
        pl.read_parquet(cell.path / "steps.parquet").with_columns(
            cell=pl.lit(short(cell.path.name))
        )
        for cell in run.cells()
        if (cell.path / "steps.parquet").is_file()
    )
    show("what was told and what was true, first step and last")
    told, true = pl.col("reward_mean"), pl.col("correct_share")
    ends = steps.group_by("cell", maintain_order=True).agg(
        told_first=told.first(),
        true_first=true.first(),
        told_last=told.last(),
        true_last=true.last(),
    )
    show(ends)

    rollouts = pl.read_parquet(root / "cells" / "*--s0--*" / "rollouts" / "*.parquet")
    show("the best-paid completions of the last step, under the first seed")
    last = rollouts.filter(pl.col("policy_step") == pl.col("policy_step").max())
    show(last.sort("reward", descending=True).select("prompt", "text", "correct", "reward").head(5))


def short(cell: str) -> str:
    """Arm and seed of a cell's folder, which also has a hash in its name."""
    return cell.rpartition("--")[0]


def show(what: object) -> None:
    """Prints it as it is."""
    sys.stdout.write(f"{what}\n\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
