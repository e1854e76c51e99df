"""Runs a micro study again and again in forked children, breaks each at another file-system event
by a kill or an error, finishes it, and compares. A JSON line for each.

A process of its own: it imports all that a command needs, once, and does nothing with it, so that
no thread is at work when it forks.
"""

import errno
import functools
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import torch

import rewardscope

STUDY = Path(__file__).with_name("micro_study.py")
ERRORS = {
    "enospc": errno.ENOSPC,
    "eio": errno.EIO,
    "erofs": errno.EROFS,
    "emfile": errno.EMFILE,
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGING = ("os.rename", "os.mkdir", "os.remove", "os.rmdir")
TELLING = ("study.json", ".complete", "step_000001", "seal.json")
"""What a sample of events has some of."""
NEEDED = (
    "rewardscope.cli.checking",
    "rewardscope.cli.exports",
    "rewardscope.cli.live",
    "rewardscope.cli.runs",
    "rewardscope.judging.claims",
    "rewardscope.report.page",
    "rewardscope.study.runner",
    "transformers.models.llama.modeling_llama",
)
Share = tuple[int, int]
LIMIT_SECONDS = 120.0
NOT_RESULTS = ("report.html", "study.json", ".lock", "status.json", "traceback.txt")
"""Files that hold times, paths or progress."""


class Events:
    """Counts what a run does to files under a folder, and breaks it at one of them."""

    def __init__(self) -> None:
        self.root, self.at, self.mode, self.count = "", -1, "", 0
        self.seen: list[str] = []
        sys.addaudithook(self._hook)
        self._fsync = os.fsync
        os.fsync = self._synced  # no audit event tells of it

    def arm(self, root: Path, at: int, mode: str) -> None:
        self.root, self.at, self.mode, self.count, self.seen = str(root), at, mode, 0, []

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.root:
            return
        if event == "os.mkdir" and os.path.isdir(arguments[0]):
            return  # it is there: nothing changes
        if event in CHANGING:
            self._met(event, str(arguments[:2] if event == "os.rename" else arguments[0]))
        elif event == "open":
            mode, flags = arguments[1], arguments[2]
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if writes or (isinstance(flags, int) and flags & WRITES):
                self._met("open", str(arguments[0]))

    def _synced(self, descriptor: int) -> None:
        self._met("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
        self._fsync(descriptor)

    def _met(self, event: str, path: str) -> None:
        if not self.root or self.root not in path:
            return
        self.count += 1
        self.seen.append(f"{event} {path.replace(self.root, '')}")
        if self.count == self.at:
            if self.mode == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(ERRORS[self.mode], os.strerror(ERRORS[self.mode]), path)


def child(log: Path, work: Callable[[], object]) -> int:
    """The exit code of the work, done in a forked child; -1000 if it hangs."""
    pid = os.fork()
    if pid == 0:
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = 0
        try:
            work()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1000


def command(*arguments: object) -> Callable[[], None]:
    def work() -> None:
        import rewardscope.cli

        sys.argv = ["rewardscope", *map(str, arguments)]
        rewardscope.cli.main()

    return work


def run_there(out: Path) -> Callable[[], None]:
    return command("run", STUDY, "--out", out, "--workers", 0)


def digests(out: Path) -> dict[str, str]:
    """Every result by its path: SHA-256, of steps without their seconds."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if not path.is_file() or path.name == "seal.json" or name.startswith("sources/"):
            continue
        if path.name in NOT_RESULTS:
            found[name] = "there"
        elif path.name == "steps.parquet":
            frame = pl.read_parquet(path)
            kept = frame.select(n for n in frame.columns if not n.startswith("seconds"))
            found[name] = hashlib.sha256(repr(kept.to_dicts()).encode()).hexdigest()
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def forked(work: Callable[[], Any]) -> Any:
    """What the work returns, done in a forked child: polars has threads."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as file:
            json.dump(work(), file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def prepare() -> Events:
    """Imports what a command would import, so that its children have it, and listens."""
    for name in NEEDED:
        importlib.import_module(name)
    for name in rewardscope.__all__:
        getattr(rewardscope, name)
    torch.set_num_threads(1)
    touch_no_file()
    return Events()


def touch_no_file() -> None:
    """Has what reads and writes no file of a run done once, or left out: half of a run's time. The
    proof of an environment is kept, and a page is a line. It is written and sealed as any page.
    """
    checks = importlib.import_module("rewardscope.study.checks")
    checks.prove = functools.cache(checks.prove)
    study = rewardscope.load_study(STUDY)
    for split in ("train", study.evaluation.split):
        checks.prove(study.arms[0].environment, split)
    page = importlib.import_module("rewardscope.report.page")
    page.render_page = lambda *_: "<!doctype html>"


def points(names: list[str], mode: str, count: int, share: Share) -> list[tuple[int, str]]:
    """At which events to break the run, and how; ``count`` of them, 0 = at all; of these this
    share.

    A kill before a flush leaves what a kill before the rename after it does; each error comes in
    turn.
    """
    changing = [
        at for at, name in enumerate(names, 1) if mode != "kill" or not name.startswith("fsync")
    ]
    if count:
        telling = [at for at in changing if any(word in names[at - 1] for word in TELLING)]
        spread = random.Random(0).sample(changing, len(changing))
        first = telling[:: max(1, len(telling) // (count // 2))] if count > 1 else []
        changing = sorted(list(dict.fromkeys([*first, *spread]))[:count])
    errors = list(ERRORS)
    found = [
        (at, mode if mode == "kill" else errors[place % len(errors)])
        for place, at in enumerate(changing)
    ]
    return found[share[0] :: share[1]]


def crash(
    folder: Path,
    mode: str,
    count: int,
    share: Share,
    begun: Path | None,
    work: Callable[[Path], Callable[..., None]],
) -> Iterator[dict[str, Any]]:
    """Breaks the work at events of it, does it again, and compares.

    Args:
        folder: Where runs are made.
        mode: "kill" or "errors".
        count: Events, 0 = all.
        share: Which of how many equal shares of these.
        begun: A run that each starts from; None = nothing.
        work: What is to be done in a run directory.
    """
    events = prepare()
    reference, log = folder / "reference", folder / "log"
    seen = folder / "seen.json"

    def begin(out: Path) -> None:
        if begun:
            shutil.copytree(begun, out)

    def listed() -> None:
        events.arm(reference, 0, "")
        try:
            work(reference)()
        finally:
            events.root = ""
            seen.write_text(json.dumps(events.seen))

    begin(reference)
    code = child(log, listed)
    assert code == 0, log.read_text()
    names = json.loads(seen.read_text())
    expected = forked(lambda: digests(reference))
    for at, how in points(names, mode, count, share):
        out = folder / f"at{at}"
        begin(out)

        def broken(out: Path = out, at: int = at, how: str = how) -> None:
            events.arm(out, at, how)
            work(out)()

        first = child(log, broken)
        told = log.read_text()
        second = child(log, work(out))
        finished = log.read_text()
        checked = child(log, command("check", out))
        found = forked(lambda out=out: digests(out))
        yield {
            "event": names[at - 1],
            "how": how,
            "codes": [first, second, checked],
            "traceback": "Traceback" in told + finished,
            "left": sorted(set(found) - set(expected)),
            "differs": sorted(n for n in expected if found.get(n) != expected[n]),
            "said": finished[-1500:] if second else log.read_text()[-1500:] if checked else "",
            "told": told[-3000:] if "Traceback" in told else "",
        }
        shutil.rmtree(out, ignore_errors=True)


def vouched(folder: Path) -> tuple[Path, Callable[[Path], Callable[..., None]]]:
    """A finished run whose reward was edited since, and the command that vouches for the edit."""
    study, pay = folder / "own_study.py", folder / "pay.py"
    study.write_text(STUDY.read_text() + OWN_REWARD)
    pay.write_text("RIGHT = 1.0\n")
    begun = folder / "begun"
    log = folder / "begun.log"
    code = child(log, command("run", study, "--out", begun, "--workers", 0))
    assert code == 0, log.read_text()
    pay.write_text("RIGHT = 2.0 - 1.0\n")
    return begun, lambda out: command("run", study, "--out", out, "--workers", 0, "--accept-same")


OWN_REWARD = '''

from dataclasses import replace

import pay

from rewardscope import RewardFunction


def paid(prompts, completions, **columns):
    """One for a completion with a digit."""
    return [pay.RIGHT * any(c.isdigit() for c in completion) for completion in completions]


study = replace(study, arms=(arm("truth", RewardFunction(paid)),))
'''


def main(folder: Path, mode: str, count: int, share: Share) -> None:
    """A JSON line for each break; "vouched" is a kill while ``--accept-same`` is carried out."""
    begun, work = vouched(folder) if mode == "vouched" else (None, run_there)
    how = "errors" if mode == "errors" else "kill"
    for line in crash(folder, how, count, share, begun, work):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    which, _, of = sys.argv[4].partition("/")
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), (int(which), int(of)))
