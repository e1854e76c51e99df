"""A study that is killed again and again comes out as one that was not."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

STUDY = Path(__file__).with_name("tiny_study.py")


def start(out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "rewardscope.cli",
        "run",
        str(STUDY),
        "--out",
        str(out),
        "--workers",
        "2",
    ]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )


def finish(out: Path) -> str:
    process = start(out)
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    return text


def num_files(run: Path) -> int:
    """Files on disk; folders that the run renames or removes meanwhile are passed over."""
    return sum(len(files) for _, _, files in os.walk(run))


def children(pid: int) -> list[int]:
    """Processes that the process has started, workers among them."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    )
    return [int(each) for each in listed.stdout.split()]


def works(pid: int) -> bool:
    """Whether the process is there and is a worker."""
    try:
        return "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def digests(out: Path) -> dict[str, str]:
    """Every result but the wall-clock ones: verdicts and final weights."""
    paths = [out / "verdicts.json", *sorted(out.glob("cells/*/checkpoints/*/model.safetensors"))]
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted") / "run"
    finish(out)
    return out


@pytest.mark.slow
def test_a_study_killed_at_random_moments_gives_the_same_verdicts_byte_for_byte(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    wanted = num_files(uninterrupted)
    for share in np.random.default_rng(7).uniform(0.05, 0.95, size=3):
        process = start(out)
        deadline = time.monotonic() + 120
        # files on disk are the clock: it reaches every phase, however fast the machine is
        while (
            process.poll() is None
            and num_files(out) < share * wanted
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        time.sleep(0.5)
    finish(out)
    assert digests(out) == digests(uninterrupted)


@pytest.mark.slow
def test_workers_die_with_the_process_that_started_them(tmp_path: Path) -> None:
    process = start(tmp_path / "run")
    while not list(tmp_path.glob("run/cells/*/.lock")):
        time.sleep(0.05)
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    time.sleep(1.5)
    assert workers and not [pid for pid in workers if works(pid)]


@pytest.mark.slow
def test_a_worker_killed_while_it_trains_is_replaced_and_the_study_comes_out_the_same(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = start(out)
    while not list(out.glob("cells/*/rollouts/*.parquet")):
        time.sleep(0.02)
    for pid in children(process.pid):
        if works(pid):
            os.kill(pid, signal.SIGKILL)
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    assert digests(out) == digests(uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_says_how_to_go_on_and_leaves_finished_cells_untouched(
    number: signal.Signals, uninterrupted: Path, tmp_path: Path
) -> None:
    """Ctrl-C, what a scheduler sends, and a closed terminal."""
    out = tmp_path / "run"
    process = start(out)
    while not list(out.glob("cells/*/rollouts/*.parquet")):
        time.sleep(0.02)
    workers = children(process.pid)
    os.kill(process.pid, number)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, text
    assert "Continue with: rewardscope run" in text
    assert workers and not [pid for pid in workers if works(pid)]
    finish(out)
    assert digests(out) == digests(uninterrupted)


@pytest.mark.slow
def test_asking_twice_runs_once(uninterrupted: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in uninterrupted.glob("cells/*/**/*.parquet")}
    text = finish(uninterrupted)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "report.html" in text
