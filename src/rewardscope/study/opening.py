"""Opening a run: a directory for a study, or the one that it has, after an edit or without."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rewardscope.codec import signature
from rewardscope.environments import Proof
from rewardscope.errors import RunDirectoryError, StudyError
from rewardscope.identity import parts_of, watching
from rewardscope.policy.room import num_devices
from rewardscope.store import ASIDE, LOCK, PAGE, PARTIAL, RunDirectory
from rewardscope.study.checks import check_study
from rewardscope.study.edits import Edits, carry_out, find_edits
from rewardscope.study.origin import SOURCES, keep_sources
from rewardscope.study.record import describe
from rewardscope.study.study import Study

OWN = {LOCK, PAGE, ASIDE, SOURCES, "cells", "verdicts.json", "study.json"}
"""What stands in a run directory: one of these alone is a run's that has lost its study.json."""
LOST = "lost_records"
"""When study.json was damaged or gone and made again."""


def open_run(
    study: Study,
    root: Path,
    command: str,
    file: Path | None = None,
    accept_same: bool = False,
    on_edits: Callable[[Edits], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> RunDirectory:
    """The run directory, checked to be this study's, with study.json and copies of the sources
    that make it written.

    Every environment first proves that it accepts its own oracle, what cheap completions earn from
    its grader is recorded, and what a guest brought is rehearsed. Where the study, or the code or
    data behind it, was edited since the run began, cells that the edit touches are set aside, to be
    run again.

    Args:
        study: What to run.
        root: Where.
        command: With which somebody goes on with it.
        file: The study's.
        accept_same: Whoever asks vouches that edits of code and data change no result; it is
            recorded, and nothing is set aside.
        on_edits: Told of the edits, if there are any.
        on_note: Told of what the user should know before the run, a sentence each.

    Raises:
        RunDirectoryError: If the directory is another study's, holds what no study wrote, or a run
            is at work in it.
        EnvironmentFault: If an environment fails its own oracle.
        StudyError: If the study wants a GPU and there is none.
    """
    check_device(study.device)
    run = RunDirectory(root)
    before = _record_before(study, run)
    with watching():  # an environment may read its data only now
        proofs: list[Proof] = []
        for note in check_study(study, proofs.append):
            on_note(note)
    cells = study.cells()
    edits = find_edits(study, cells, run, before) if before is not None else Edits()
    with run.held():
        if before is not None and LOST in before:
            on_note(f"{root / 'study.json'} was damaged or gone; it is made again")
        if edits and accept_same:
            edits = carry_out(edits, study, run, accept_same)
        parts = parts_of((study.arms, study.evaluation, study.probes))
        record = describe(study, cells, command, file)
        record["proofs"] = [proof.record() for proof in proofs]
        record["sources"] = keep_sources(file, parts, root)
        run.write_record(record | _history(study, run, before or {}, edits))
        if edits and not accept_same:  # recorded first: a kill between two moves loses none of it
            edits = carry_out(edits, study, run, accept_same)
        if edits:
            on_edits(edits)
    return run


def check_device(device: str) -> None:
    """Raises if torch does not find the device here."""
    kind, _, index = device.partition(":")
    count = num_devices(kind)
    if int(index or 0) >= count:
        raise StudyError(
            "The study wants a GPU that torch does not find here",
            value=f"device={device!r}",
            allowed=f"{kind}:0 to {kind}:{count - 1}" if count else "cpu",
            do="Correct the study's device, or run it where there is one",
        )


def _record_before(study: Study, run: RunDirectory) -> dict[str, Any] | None:
    """What study.json says already; None where the run is new.

    Raises:
        RunDirectoryError: If the directory is another study's, or nobody's.
    """
    root = run.root
    if root.is_dir() and _lost_its_record(run):
        return {LOST: [datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")]}
    if (root / "study.json").is_file():
        before = run.record()
        if before["name"] != study.name:
            raise RunDirectoryError(
                "The run directory is another study's",
                value=f"{root}: '{before['name']}'",
                do="Choose another --out",
            )
        return before
    if root.exists() and not root.is_dir():
        raise RunDirectoryError(
            "There is a file where the run directory should be",
            value=root,
            do="Choose another --out",
        )
    if root.is_dir() and any(not _is_own(path) for path in root.iterdir()):
        raise RunDirectoryError(
            "The directory is not empty and holds no run", value=root, do="Choose another --out"
        )
    return None


def _is_own(path: Path) -> bool:
    return path.name in OWN or (path.name.startswith(".") and path.name.endswith(PARTIAL))


def _lost_its_record(run: RunDirectory) -> bool:
    """Whether the directory is a run's whose study.json is damaged or gone."""
    if not run.cells() and not run.cells_aside():
        # nothing depends on it yet: a run killed in its first instant
        return (run.root / "study.json").exists() and not _readable(run) and _all_own(run)
    return _all_own(run) and not _readable(run)


def _all_own(run: RunDirectory) -> bool:
    return all(_is_own(path) for path in run.root.iterdir())


def _readable(run: RunDirectory) -> bool:
    try:
        run.record()
    except RunDirectoryError:
        return False
    return True


def _history(
    study: Study, run: RunDirectory, before: dict[str, Any], edits: Edits
) -> dict[str, Any]:
    """What happened to the run since it began."""
    begun = any(cell.status()["state"] != "owed" for cell in run.cells())
    signed = before.get("claims_signature")
    changed = begun and signed is not None and signed != signature(study.claims)
    return {
        "claims_changed_after_start": bool(before.get("claims_changed_after_start")) or changed,
        "edits": [*before.get("edits", ()), *([edits.record()] if edits else ())],
        **({LOST: before[LOST]} if LOST in before else {}),
    }
