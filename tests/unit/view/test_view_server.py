"""The server of runs: what it shows, that it follows a run, and what it refuses."""

import asyncio
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from report_run import cell_name, write_run
from rewardscope.cli import app
from rewardscope.errors import RunDirectoryError
from rewardscope.store import RunDirectory, write_table
from rewardscope.view import server
from rewardscope.view.completions import HEAD, PER_PAGE, TAIL, Asked, draws_of
from rewardscope.view.server import application, news

ARM = cell_name("planted-truth", 0)
HOSTILE = "<script>alert(1)</script>"


def _draws(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "problem": [f"p{i // 4}" for i in range(count)],
            "prompt": [HOSTILE] * count,
            "key": ["4"] * count,
            "index": [i % 4 for i in range(count)],
            "text": [f"s1+{i}" for i in range(count - 1)] + ["a" * 5_000 + "the end"],
            "answer": ["4"] * count,
            "correct": [i % 2 == 0 for i in range(count)],
            "strategy": ["stepwise" if i % 4 else None for i in range(count)],
            "ending": ["end_token"] * count,
        }
    )


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    roots = [write_run(tmp_path_factory.mktemp("runs") / name, hostile=False) for name in "ab"]
    cell = RunDirectory(roots[0]).cell(ARM)
    write_table(cell.step_file("evaluation", 30), _draws(120))
    return roots


@pytest.fixture
def client(roots: list[Path]) -> Iterator[TestClient]:
    with TestClient(application(roots), base_url="http://127.0.0.1:8000") as made:
        yield made


def test_runs_are_listed_with_their_headlines(client: TestClient) -> None:
    page = client.get("/").text
    assert '<a href="/run/0">a</a>' in page and '<a href="/run/1">b</a>' in page
    assert "Yes in part" in page or "It depends" in page or "cannot say" in page


def test_a_run_has_its_page_which_follows_it(client: TestClient, roots: list[Path]) -> None:
    answer = client.get("/run/0")
    assert "EventSource" in answer.text and "connect-src 'self'" in unescape(answer.text)
    assert 'href="/run/0/completions"' in answer.text and "The run goes on" not in answer.text
    with RunDirectory(roots[0]).held():
        assert "of 14 cells done" in client.get("/run/0").text


def test_runs_are_put_beside_each_other(client: TestClient) -> None:
    page = client.get("/beside?run=0&run=1").text
    assert "2 runs beside each other" in page and 'href="/run/1"' in page
    assert client.get("/beside?run=0&run=77").status_code == 400


def test_all_completions_are_there_page_by_page(client: TestClient, roots: list[Path]) -> None:
    page = client.get("/run/0/completions").text
    assert "120 completions; page 1 of 3" in page and page.count("<article") == PER_PAGE
    assert HOSTILE not in page and "&lt;script&gt;" in page
    last = client.get("/run/0/completions?page=999").text
    assert "page 3 of 3" in last and last.count("<article") == 20
    assert f"{5_007 - HEAD - TAIL} characters left out" in last and "the end" in last


def test_completions_are_filtered(roots: list[Path]) -> None:
    run = RunDirectory(roots[0])
    assert draws_of(run, Asked(verdict="right")).total == 60
    assert draws_of(run, Asked(strategy="stepwise", verdict="wrong")).total == 60
    assert draws_of(run, Asked(text="s1+11")).total == 10  # 11, and 110 to 118
    assert draws_of(run, Asked(kind="rollouts")).cells == ()
    assert Asked.of({"step": "x", "page": "-1", "verdict": "maybe", "kind": "../etc"}) == Asked()


@pytest.mark.parametrize("address", ["/run/2", "/run/0/../../etc/passwd", "/study.json", "/run/a"])
def test_no_address_leads_elsewhere(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_only_reading_from_this_machine_is_answered(client: TestClient) -> None:
    assert client.post("/run/0").status_code == 405
    assert client.delete("/run/0/completions").status_code == 405
    assert client.get("/", headers={"host": "rewardscope.evil.example"}).status_code == 400
    headers = client.get("/").headers
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers
    assert server.HOSTS[0] == "127.0.0.1"


def test_it_writes_nothing(client: TestClient, roots: list[Path]) -> None:
    before = {file: file.stat().st_mtime_ns for file in roots[0].rglob("*")}
    for address in ("/", "/run/0", "/run/0/completions", "/beside?run=0&run=1"):
        assert client.get(address).status_code == 200
    assert {file: file.stat().st_mtime_ns for file in roots[0].rglob("*")} == before


def test_news_come_when_a_file_of_the_run_changes(
    roots: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "POLL_SECONDS", 0.01)
    run, asked = RunDirectory(roots[1]), [0]

    async def is_disconnected() -> bool:
        asked[0] += 1
        return asked[0] > 400

    async def first_news() -> str:
        request: Any = SimpleNamespace(is_disconnected=is_disconnected)
        lines = news(request, run)
        assert await anext(lines) == ": following\n\n"
        run.cell(ARM).write_status("running", 29)
        while (line := await anext(lines)).startswith(":"):
            pass
        return line

    assert asyncio.run(first_news()) == "data: changed\n\n"


def test_a_damaged_run_is_told_and_no_traceback(client: TestClient, tmp_path: Path) -> None:
    root = write_run(tmp_path / "run", hostile=False)
    with TestClient(application([root]), base_url="http://localhost") as own:
        (root / "study.json").write_text("{")
        answer = own.get("/run/0")
        assert answer.status_code == 409 and "Traceback" not in answer.text
        assert "study.json" in own.get("/").text


def test_the_command_needs_its_extra_and_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunDirectoryError, match="There is no run to show"):
        CliRunner().invoke(app, ["view"], catch_exceptions=False)
    monkeypatch.setattr("rewardscope.cli.watch.NEEDED", ("nowhere_at_all",))
    with pytest.raises(RunDirectoryError, match=r"rewardscope\[view\]"):
        CliRunner().invoke(app, ["view"], catch_exceptions=False)
