"""A damaged file of a finished run is seen by ``check``, never judged, made again or refused."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from damage import HOW, copied, damage, kinds_of, meaning

from rewardscope.errors import RewardscopeError
from rewardscope.judging.claims import judge
from rewardscope.report.loading import load_run
from rewardscope.store import RunDirectory, cell_faults, find_faults
from rewardscope.study import Study, load_study, open_run, run_study
from rewardscope.types import Verdict

STUDY = Path(__file__).with_name("micro_study.py")
MADE_AGAIN_BY_REPORT = ("verdicts.json", "report.html")


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(STUDY)


@pytest.fixture(scope="module")
def finished(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished") / "run"
    run_there(study, root)
    conclude(root)
    return root


def run_there(study: Study, root: Path) -> None:
    run = open_run(study, root, "test", STUDY)
    assert run_study(study, None, run, 0) == {}


def conclude(root: Path) -> None:
    from rewardscope.report import write_page

    run = RunDirectory(root)
    run.write_verdicts(judged(run))
    write_page(root)


def judged(run: RunDirectory) -> list[Verdict]:
    """What `report` would judge: rows of cells whose files are what was written."""
    damaged = cell_faults(run, trained=False)
    return judge(run.record(), run.measurements(list(damaged)), run.gaps(list(damaged)))


def attempt(finished: Path, root: Path, study: Study, chance: random.Random) -> str:
    """Damages a file, and says what came of it: unchanged, healed, refused or silent.

    An error that is not of our own making goes through.
    """
    copied(finished, root)
    kinds = kinds_of(root)
    kind = chance.choice(sorted(kinds))
    path, how = root / chance.choice(kinds[kind]), chance.choice(HOW)
    before = meaning(path)
    damage(path, how, [root / other for other in kinds[kind] if root / other != path], chance)
    if meaning(path) == before:
        return "unchanged"
    run = RunDirectory(root)
    faults = find_faults(run)
    known = RunDirectory(finished).verdicts()
    try:
        rows_are_told = bool(cell_faults(run, trained=False))
        assert rows_are_told or judged(run) == known, f"{path}, {how}: judged otherwise"
        load_run(root)
    except RewardscopeError as error:
        assert error.do, f"{path}, {how}"
    if not faults:
        return f"silent: {path.relative_to(root)}, {how}"
    run_there(study, root)
    outcome = "healed"
    if rest := [fault for found in cell_faults(run, trained=True).values() for fault in found]:
        outcome = "refused"  # what was trained is not trained again unasked; the advice works
        cell = next(p for p in rest[0].path.parents if p.parent.name == "cells")
        assert f"Delete the folder {cell}" in rest[0].do, rest
        shutil.rmtree(cell)
        run_there(study, root)
    run.write_verdicts(judged(run))
    left = [fault for fault in find_faults(run) if fault.path.name != "report.html"]
    assert not left, f"{path}, {how}: {left}"
    assert run.verdicts() == known, f"{path}, {how}"
    return outcome


def attempts(
    number: int, seed: int, finished: Path, tmp_path: Path, study: Study
) -> tuple[Counter[str], list[str]]:
    chance, outcomes = random.Random(seed), []
    for _ in range(number):
        outcomes.append(attempt(finished, tmp_path / "run", study, chance))
        shutil.rmtree(tmp_path / "run")
    counts = Counter(outcome.partition(":")[0] for outcome in outcomes)
    return counts, [outcome for outcome in outcomes if outcome.startswith("silent")]


@pytest.mark.slow
def test_no_damage_of_sixty_is_silent_or_a_dead_end(
    finished: Path, tmp_path: Path, study: Study
) -> None:
    counts, silent = attempts(60, 1, finished, tmp_path, study)
    assert not silent, silent
    assert counts["healed"] > 10 and counts["refused"] > 5, counts


@pytest.mark.hard
@pytest.mark.parametrize("part", range(4))
def test_no_damage_of_a_thousand_is_silent_or_a_dead_end(
    part: int, finished: Path, tmp_path: Path, study: Study, counted: Callable[..., None]
) -> None:
    counts, silent = attempts(250, 2 + part, finished, tmp_path, study)
    counted(
        tried=250,
        survived=counts["unchanged"],
        healed=counts["healed"],
        refused=counts["refused"],
        silent=len(silent),
    )
    assert not silent, silent
