"""How far a run is, from its files."""

from collections import Counter
from datetime import datetime

from rewardscope.report.page import Standing
from rewardscope.store import RunDirectory

TELLING = ("status.json", "seal.json", "steps.jsonl", "steps.parquet", "measurements.parquet")
"""Files of a cell whose change is worth a new page."""


def fingerprint(run: RunDirectory) -> tuple[object, ...]:
    """What differs as soon as a page of the run would."""
    files = [run.root / name for name in ("study.json", "verdicts.json")]
    files += [cell.path / name for cell in run.cells() for name in TELLING]
    found: list[object] = [run.is_held]
    for file in files:
        try:
            state = file.stat()
        except OSError:
            found.append(None)
        else:
            found.append((state.st_mtime_ns, state.st_size))
    return tuple(found)


def standing_of(run: RunDirectory) -> Standing | None:
    """How far the run is; None where no process is working on it.

    Raises:
        RunDirectoryError: If there is no readable study.json.
    """
    if not run.is_held:
        return None
    arms = run.record()["arms"]
    names = {arm["base_cell"] for arm in arms} | {n for arm in arms for n in arm["cells"].values()}
    states = Counter(run.cell(name).status()["state"] for name in names)
    return Standing(
        written=f"{datetime.now().astimezone():%H:%M:%S}",
        done=states["done"],
        cells=len(names),
        failed=states["failed"],
        seconds_left=None,
    )
