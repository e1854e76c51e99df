"""Commands that need no run of ours: of checkpoints and completions that anything made, and of one
step of a study.
"""

from pathlib import Path
from typing import Annotated

import typer

from rewardscope.cli.front import app, arm_named, console, count_of, say, show_json


@app.command()
def weights(
    before: Annotated[
        str,
        typer.Argument(help="Untrained model: a folder, or a packaged model or organism by name."),
    ],
    after: Annotated[
        list[str],
        typer.Argument(help="Trained models, likewise; with two or more also their agreement."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="For machines, with every matrix.")
    ] = False,
) -> None:
    """Compare checkpoints that anything trained: how much of the weights changed, how far, of what
    rank, where, and whether alike.
    """
    from rewardscope.analyses.checkpoints import compare
    from rewardscope.report.tables import agreement_table, change_table, place_table

    record = compare(before, after).record()
    if as_json:
        show_json(record)
        return
    for place, folder in enumerate(after, 1):
        say(f"{place}: {folder}")
    console.print(change_table(record["changes"]))
    console.print(place_table(record["places"]))
    if record["agreements"]:
        console.print(agreement_table(record))


@app.command("clip-bias")
def clip_bias(
    study: Annotated[Path, typer.Argument(help="Study file.")],
    arm: Annotated[
        str,
        typer.Argument(
            help="Arm of it, whose start, problems and learner are taken; its reward is replaced "
            "by coin flips."
        ),
    ],
    replicates: Annotated[
        int, typer.Option("--replicates", min=2, help="More of them narrow the intervals.")
    ] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with intervals.")] = False,
) -> None:
    """Say where the clip pushes under coin flips: one step of an arm, many times, with the clip,
    without it, and in one update.
    """
    from rewardscope.analyses.clip_bias import clip_bias as measure
    from rewardscope.report.tables import drift_table
    from rewardscope.study import load_study

    found = load_study(study)
    record = measure(
        arm_named(arm, {each.name: each for each in found.arms}, "study"), replicates, found.device
    ).record()
    if as_json:
        show_json(record)
        return
    console.print(drift_table(record))
    say(
        f"{replicates} replicates; mean and standard error over them, bold where the 95 % interval "
        "leaves 0 out"
    )
    equal = (
        "left every weight as it was"
        if record["untouched_by_equal_rewards"]
        else "MOVED the weights: something else than the reward pushes"
    )
    say(f"a step on rewards that are all alike {equal}")


@app.command()
def boundary(
    rollouts: Annotated[
        Path,
        typer.Argument(
            help="Of one policy: a cell's evaluation folder, or one file of its rollouts folder."
        ),
    ],
    base: Annotated[
        Path | None, typer.Option("--base", help="The base's, to stand beside.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what a policy solves within k draws, tolerant and strict, with bands; beside its base,
    the crossing and what was won or lost.

    Of the files, only the verdicts are read: a million completions take seconds. Needs no torch.
    """
    from rewardscope.judging.boundary import frontier
    from rewardscope.report.tables import frontier_table, standing_table

    found = frontier(rollouts, base)
    if as_json:
        show_json(found.record())
        return
    say(f"{count_of(found.problems, 'problem')}, {count_of(found.completions, 'completion')}")
    console.print(frontier_table(found))
    if base is not None:
        console.print(standing_table(found))
