"""The page that is written while a run goes on."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from report_run import write_run
from rewardscope.cli import live
from rewardscope.cli.live import LivePage
from rewardscope.errors import RunDirectoryError
from rewardscope.report import write_page
from rewardscope.report.page import Standing


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"), hostile=False)


def _progress(units: float = 0.0, done: int = 0) -> Any:
    return SimpleNamespace(
        units=units,
        states={"done": done, "failed": 1},
        cells=[None] * 14,
        poll=lambda: None,
        seconds_left=lambda: 130.0,
    )


def test_it_says_how_far_the_run_is_and_judges_nothing(root: Path) -> None:
    page = write_page(root, Standing("13:20:05", 5, 14, 1, 130.0)).read_text()
    assert "5 of 14 cells done, <b>1 failed</b>, about 2 minutes left" in page
    assert 'http-equiv="refresh"' in page
    assert "claims are judged when the run has ended" in page
    assert "</span> supported" not in page
    ended = write_page(root).read_text()
    assert "refresh" not in ended and "The run goes on" not in ended
    assert "</span> supported" in ended


def test_it_is_written_when_something_was_done_and_at_most_once_a_minute(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, written = [0.0], []
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(live, "write_page", lambda _, standing: written.append(standing.done))
    progress = _progress()
    page = LivePage(progress, root)
    for seconds, done in ((30, 1), (61, 1), (90, 2), (122, 2), (200, 2)):
        clock[0], progress.units, progress.states["done"] = seconds, float(done), done
        page.poll()
    assert written == [1, 2]


def test_a_page_that_cannot_be_written_stops_no_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RunDirectoryError("The disk is full", do="Make room")

    monkeypatch.setattr(live, "write_page", full)
    monkeypatch.setattr(live, "EVERY_SECONDS", -1.0)
    progress = _progress()
    page = LivePage(progress, root)
    progress.units = 1.0
    page.poll()
