"""Commands that need no run of ours: they read checkpoints and completions from any training, or
take one step of a study.
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
        typer.Argument(
            help="Trained models, given the same way; two or more also show their agreement."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every matrix.")] = False,
) -> None:
    """Compare checkpoints from any training: how many weights changed, how far, in what rank,
    where, and whether trainings agree.
    """
    from rewardscope.analyses.checkpoints import compare
    from rewardscope.report.tables import agreement_table, change_table, place_table

    record = compare(before, after).record()
    if as_json:
        show_json(record)
        return
    for number, folder in enumerate(after, 1):
        say(f"{number}: {folder}")
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
            help="Arm of the study. Its start, problems and learner are used; its reward is "
            "replaced by coin flips."
        ),
    ],
    replicates: Annotated[
        int,
        typer.Option(
            "--replicates", min=2, help="Number of replicates; more narrow the intervals."
        ),
    ] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with intervals.")] = False,
) -> None:
    """Show where the clip pushes under coin flips: one step of an arm, many times, with the clip,
    without it, and in one update.
    """
    from rewardscope.analyses.clip_bias import clip_bias as measure
    from rewardscope.report.tables import drift_table
    from rewardscope.study import load_study

    loaded = load_study(study)
    record = measure(
        arm_named(arm, {entry.name: entry for entry in loaded.arms}, "study"),
        replicates,
        loaded.device,
    ).record()
    if as_json:
        show_json(record)
        return
    console.print(drift_table(record))
    say(
        f"{replicates} replicates; mean and standard error over them, bold where the 95 % interval "
        "excludes 0"
    )
    equal = (
        "left every weight unchanged"
        if record["untouched_by_equal_rewards"]
        else "MOVED the weights: something other than the reward pushes"
    )
    say(f"a step on equal rewards {equal}")


@app.command()
def boundary(
    rollouts: Annotated[
        Path,
        typer.Argument(
            help="One policy's completions: a cell's evaluation folder, or a file of its rollouts."
        ),
    ],
    base: Annotated[
        Path | None, typer.Option("--base", help="The base's completions, to compare.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a policy solves within k draws, tolerant and strict, with bands; with a base, also
    the crossing and what was won or lost.

    Only the verdicts in the files are read: a million completions take seconds. Works without
    torch.
    """
    from rewardscope.judging.boundary import frontier
    from rewardscope.report.tables import frontier_table, standing_table

    result = frontier(rollouts, base)
    if as_json:
        show_json(result.record())
        return
    say(f"{count_of(result.problems, 'problem')}, {count_of(result.completions, 'completion')}")
    console.print(frontier_table(result))
    if base is not None:
        console.print(standing_table(result))
