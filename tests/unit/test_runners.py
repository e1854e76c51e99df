"""Runners: every piece of work is done once, a dead worker is replaced, and nothing is left
running.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from factories import SMALL_ARM
from rewardscope import Boundary, Evaluation, Study
from rewardscope.errors import ComponentError
from rewardscope.protocols import Runner, Work
from rewardscope.registry import offered
from rewardscope.runners import (
    Inline,
    Outcome,
    Processes,
    exit_code,
    interrupted_by_signals,
    runner_named,
    start_local,
)
from rewardscope.store import RunDirectory
from rewardscope.study import open_run, run_study
from rewardscope.study.runner import default_workers, gpus
from runner_work import Notes, Pinned, Unable

SECONDS = 60.0
STUDY = Study(
    name="small",
    question="?",
    arms=(replace(SMALL_ARM, steps=1, problems_per_step=2),),
    seeds=(0,),
    claims=(),
    evaluation=Evaluation(problems=2, draws=2, readings=1),
    probes=(Boundary(max_k=2),),
)


def outcomes(runner: Runner, names: list[str]) -> dict[str, list[Outcome]]:
    """What becomes of the names; what is lost is submitted again."""
    ended: dict[str, list[Outcome]] = {name: [] for name in names}
    for name in names:
        runner.submit(name)
    waiting, deadline = set(names), time.monotonic() + SECONDS
    while waiting and time.monotonic() < deadline:
        for outcome in runner.finished(0.5):
            ended[outcome.name].append(outcome)
            if outcome.lost:
                runner.submit(outcome.name)
            else:
                waiting.remove(outcome.name)
    assert not waiting
    return ended


def no_worker_is_left() -> bool:
    return not [p for p in multiprocessing.active_children() if p.name.startswith("rewardscope")]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_of_work_is_done_once_and_a_failure_stops_no_other(
    workers: int, tmp_path: Path
) -> None:
    runner = start_local(Notes(tmp_path), workers)
    assert isinstance(runner, Processes) and isinstance(runner, Runner)
    ended = outcomes(runner, ["one", "failing", "two", "broken", "three"])
    runner.stop()
    assert ended["failing"] == [Outcome("failing", "as it was asked to")]
    assert [ended[name] for name in ("one", "two", "three")] == [
        [Outcome(name)] for name in ("one", "two", "three")
    ]
    assert "ValueError: a mistake in the work itself" in (ended["broken"][0].reason or "")
    assert len(list(tmp_path.glob("begun-*"))) <= workers
    assert no_worker_is_left()


def test_in_this_process_work_is_done_in_order(tmp_path: Path) -> None:
    runner = start_local(Notes(tmp_path), 0)
    assert isinstance(runner, Inline) and isinstance(runner, Runner)
    assert list(outcomes(runner, ["two", "failing", "one"])) == ["two", "failing", "one"]
    assert [path.name for path in tmp_path.glob("begun-*")] == [f"begun-{os.getpid()}"]
    runner.submit("never")
    runner.stop()
    assert runner.finished(0.0) == []


def test_a_killed_worker_is_replaced_and_what_it_worked_on_is_reported_as_lost(
    tmp_path: Path,
) -> None:
    runner = Processes(Notes(tmp_path), 1)
    ended = outcomes(runner, ["one", "dying", "two"])
    runner.stop()
    lost, done = ended["dying"]
    assert lost.lost and "killed by SIGKILL, most likely because memory ran out" in (
        lost.reason or ""
    )
    assert done == Outcome("dying")
    assert ended["one"] == [Outcome("one")] and ended["two"] == [Outcome("two")]
    assert len(list(tmp_path.glob("begun-*"))) == 2
    assert no_worker_is_left()


def test_a_worker_that_dies_while_it_is_idle_costs_nothing(tmp_path: Path) -> None:
    runner = Processes(Notes(tmp_path), 1)
    outcomes(runner, ["one"])
    for process in multiprocessing.active_children():
        if process.name.startswith("rewardscope"):
            process.kill()
            process.join()
    assert outcomes(runner, ["two"]) == {"two": [Outcome("two")]}
    runner.stop()


def test_work_that_cannot_be_begun_says_why_for_every_name() -> None:
    runner = Processes(Unable(), 1)
    ended = outcomes(runner, ["one", "two"])
    runner.stop()
    assert ended == {name: [Outcome(name, "OSError: no room")] for name in ("one", "two")}


def test_stopping_ends_what_still_runs(tmp_path: Path) -> None:
    runner = Processes(Notes(tmp_path), 2)
    for name in ("endless one", "endless two", "endless three"):
        runner.submit(name)
    deadline = time.monotonic() + SECONDS
    while len(list(tmp_path.glob("endless*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 5
    assert no_worker_is_left()
    assert not list(tmp_path.glob("endless three*"))


def test_a_cell_whose_worker_is_killed_is_run_again(tmp_path: Path) -> None:
    study = replace(STUDY, arms=(replace(STUDY.arms[0], steps=120),))
    run, killed = open_run(study, tmp_path / "run", "test"), list[int]()
    trained = run.cell(next(cell.name for cell in study.cells() if cell.seed is not None))

    def kill_once() -> None:
        """Kills the worker while it trains."""
        if killed or not trained.checkpoints():
            return
        for process in multiprocessing.active_children():
            if process.name.startswith("rewardscope") and process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)

    assert run_study(study, None, run, 1, kill_once) == {}
    assert len(killed) == 1
    assert [row["step"] for row in trained.steps()] == list(range(120))
    assert {run.cell(cell.name).status()["state"] for cell in study.cells()} == {"done"}
    assert no_worker_is_left()


@dataclass
class Losing:
    """A runner on a machine that always goes away."""

    work: Work
    attempts: list[str]

    def submit(self, name: str) -> None:
        self.attempts.append(name)

    def finished(self, seconds: float) -> list[Outcome]:
        return [Outcome(self.attempts[-1], "the machine went away", lost=True)]

    def stop(self) -> None:
        self.attempts.append("stopped")


def test_a_cell_that_is_lost_again_and_again_fails_and_its_status_says_why(tmp_path: Path) -> None:
    run = open_run(STUDY, tmp_path / "run", "test")
    base, trained = (cell.name for cell in STUDY.cells())
    attempts: list[str] = []
    failed = run_study(STUDY, None, run, 1, start=lambda work, workers: Losing(work, attempts))
    assert failed == dict.fromkeys((base, trained), "the machine went away")
    assert attempts == [base] * 4 + [trained] * 4 + ["stopped"]
    assert run.cell(trained).status() == {
        "state": "failed",
        "step": 0,
        "reason": "the machine went away",
    }


GUEST = '''
from rewardscope.runners import Inline

class Elsewhere(Inline):
    """Runs cells here, and says that it was asked."""

    def __init__(self, work, workers):
        super().__init__(work)
        print("elsewhere with", workers)
'''


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An installed package that offers a runner."""
    info = tmp_path / "site" / "elsewhere_runner-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere-runner\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rewardscope.runners]\n"
        "elsewhere = elsewhere_runner:Elsewhere\ngone = elsewhere_runner:No\n"
    )
    (tmp_path / "site" / "elsewhere_runner.py").write_text(GUEST)
    monkeypatch.syspath_prepend(tmp_path / "site")
    offered.cache_clear()
    yield "elsewhere"
    offered.cache_clear()
    sys.modules.pop("elsewhere_runner", None)


def test_a_guests_runner_runs_a_study(
    guest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = open_run(STUDY, tmp_path / "run", "test")
    assert run_study(STUDY, None, run, 3, start=runner_named(guest)) == {}
    assert "elsewhere with 3" in capsys.readouterr().out
    assert all(
        RunDirectory(run.root).cell(c.name).status()["state"] == "done" for c in STUDY.cells()
    )


def test_a_runner_that_nobody_offers_is_refused_with_those_there_are(guest: str) -> None:
    assert runner_named("local") is start_local
    assert runner_named("elsewhere_runner:Elsewhere") is runner_named(guest)
    with pytest.raises(ComponentError, match=r"Got: 'cluster'\. Allowed: local, elsewhere, gone"):
        runner_named("cluster")
    with pytest.raises(ComponentError, match="cannot be imported"):
        runner_named("gone")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_is_an_interrupt_and_afterwards_what_it_was(number: signal.Signals) -> None:
    before: Callable[..., object] | int | None = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught, interrupted_by_signals():
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert exit_code(caught.value) == 128 + number
    assert exit_code(KeyboardInterrupt()) == 130
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupted_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_each_worker_has_a_gpu_of_its_own_and_its_successor_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    work = Pinned(tmp_path, tuple({"CUDA_VISIBLE_DEVICES": gpu} for gpu in ("4", "6")))
    runner = Processes(work, 2)
    try:
        outcomes(runner, ["one", "dying", "three", "four"])
    finally:
        runner.stop()
    seen = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {seen["one-0"], seen["dying-0"]} == {"4", "6"}
    assert set(seen.values()) == {"4", "6"} and len(seen) == 5
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,6"


def test_cells_are_shared_out_over_the_gpus_that_this_process_may_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus("cuda") == ("0", "1", "2")
    assert gpus("cuda:1") == gpus("mps") == gpus("cpu") == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-aa,GPU-bb,GPU-cc")
    assert gpus("cuda") == ("GPU-aa", "GPU-bb", "GPU-cc")
    wide = replace(STUDY, device="cuda", seeds=(0, 1, 2, 3))
    assert default_workers(wide) == 3 and default_workers(replace(STUDY, device="cuda")) == 2
    assert default_workers(replace(wide, device="cuda:1")) == 1
