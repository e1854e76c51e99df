"""The command that verifies a run directory."""

from rewardscope.cli.front import RUN, RunPath, app, count_of, say


@app.command(rich_help_panel=RUN)
def check(root: RunPath) -> None:
    """Verify every file of a run against its seal.

    It lists files that are damaged, and verdicts or pages that are older than what they were made
    from, and exits with 1; with 0 and one line when all is well.
    """
    import typer

    from rewardscope.store import RunDirectory, find_faults

    run = RunDirectory(root)
    faults = find_faults(run)
    for fault in faults:
        say(str(fault))
    if faults:
        raise typer.Exit(1)
    cells = [*run.cells(), *run.cells_aside()]
    done = sum(cell.is_sealed for cell in cells)
    rest = f"; {count_of(len(cells) - done, 'other')} not finished" if len(cells) > done else ""
    say(f"{count_of(done, 'finished cell')} of {root}: every file is what was written{rest}")
