"""Commands that need no run of ours: they read checkpoints and completions from any training, or
take one step of a study.
"""

from pathlib import Path
from typing import Annotated

import typer

from rewardscope.cli.front import (
    EXAMINE,
    FILES,
    app,
    arm_named,
    console,
    count_of,
    say,
    show_json,
)


@app.command(rich_help_panel=FILES)
def weights(
    before: Annotated[
        str,
        typer.Argument(
            help="Untrained model: a folder, or the name of a packaged model or an organism."
        ),
    ],
    after: Annotated[
        list[str],
        typer.Argument(help="Trained models, named the same way."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every matrix.")] = False,
) -> None:
    """Compare checkpoints: how many weights changed, how far, and where.

    Any trainer may have made them. With two trained models or more, also says whether the same
    weights changed in all of them.
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


@app.command("clip-bias", rich_help_panel=EXAMINE)
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
        int, typer.Option("--replicates", min=2, help="Repetitions; more narrow the intervals.")
    ] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with intervals.")] = False,
) -> None:
    """Show which tokens the clip favours when rewards are coin flips.

    Takes the first step of an arm many times: with the clip, without it, and in a single update.
    """
    from rewardscope.analyses.clip_bias import clip_bias as measure
    from rewardscope.report.tables import drift_table
    from rewardscope.study import load_study
    from rewardscope.study.opening import check_device

    loaded = load_study(study)
    check_device(loaded.device)
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


@app.command(rich_help_panel=EXAMINE)
def labels(
    study: Annotated[Path, typer.Argument(help="Study file.")],
    arm: Annotated[
        str, typer.Argument(help="Arm of the study, whose start answers its training problems.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File of labels to write or go on with.")],
    draws: Annotated[int, typer.Option("--draws", min=1, help="Completions per problem.")] = 64,
) -> None:
    """Label an arm's training problems by the untrained model's own answers.

    `OfflineLabels(FILE)` then pays for the answer given most often, and
    `OfflineLabels(FILE, "wrong")` for the wrong answer given most often.
    """
    from rewardscope.analyses.labelling import write_labels
    from rewardscope.study import load_study
    from rewardscope.study.opening import check_device

    loaded = load_study(study)
    check_device(loaded.device)
    made = write_labels(
        arm_named(arm, {entry.name: entry for entry in loaded.arms}, "study"),
        loaded.seeds,
        draws,
        loaded.placement,
        out,
        lambda done, count: say(f"{done} of {count} problems"),
    )
    right = sum(each.correct for each in made)
    say(
        f"{out}: {len(made)} problems, {sum(each.majority is not None for each in made)} with a "
        f"majority, {sum(each.wrong is not None for each in made)} with a wrong label; "
        f"{right} of {draws * len(made)} completions correct"
    )


@app.command(rich_help_panel=FILES)
def boundary(
    rollouts: Annotated[
        Path,
        typer.Argument(
            help="Completions of a policy: a cell's evaluation folder, or a file of its rollouts."
        ),
    ],
    base: Annotated[
        Path | None, typer.Option("--base", help="Completions of the base, to compare with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute pass@k, with bands, from stored completions.

    Beside its base: where the two curves cross, and which problems were won or lost. Only the
    verdicts of the files are read, so a million completions take seconds. Needs no torch.
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
