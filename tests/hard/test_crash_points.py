"""A run that is killed, or refused by the disk, at any file-system event comes out the same."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("driver.py")


def broken_at(folder: Path, mode: str, count: int, share: str = "0/1") -> list[dict[str, Any]]:
    """What came of each break."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(folder), mode, str(count), share],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def not_survived(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Breaks after which the run did not go on to the same bytes, or left files behind, or that
    were told as a traceback.
    """
    return [
        line
        for line in lines
        if line["codes"][1:] != [0, 0] or line["traceback"] or line["left"] or line["differs"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "count"), [("kill", 3), ("errors", 3), ("vouched", 2)])
def test_a_run_broken_at_some_events_comes_out_the_same(
    mode: str, count: int, tmp_path: Path
) -> None:
    lines = broken_at(tmp_path, mode, count)
    assert len(lines) == count and not not_survived(lines), not_survived(lines)
    if mode != "errors":
        assert {line["codes"][0] for line in lines} == {-9}


@pytest.mark.hard
@pytest.mark.parametrize(
    ("mode", "share", "fewest"),
    [
        *(("kill", f"{part}/2", 30) for part in range(2)),
        *(("errors", f"{part}/4", 30) for part in range(4)),
        ("vouched", "0/1", 20),
    ],
)
def test_a_run_broken_at_every_event_comes_out_the_same(
    mode: str, share: str, fewest: int, tmp_path: Path, counted: Callable[..., None]
) -> None:
    lines = broken_at(tmp_path, mode, 0, share)
    failed = not_survived(lines)
    counted(tried=len(lines), survived=len(lines) - len(failed), silent=0)
    assert len(lines) > fewest and not failed, failed
