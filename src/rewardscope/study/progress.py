"""What a person sees while a study runs: bars on a terminal, a plain line now and then in a log."""

import time
from collections import Counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rewardscope.store import RunDirectory
from rewardscope.study.cells import finished
from rewardscope.study.study import Cell, Study

LOG_SECONDS = 15.0
EVALUATION = 1.0
"""A drawn completion counts as one unit of work, a trained one as two."""


class StudyProgress:
    """Reads the cells' status files and says how far the study is."""

    def __init__(self, study: Study, run: RunDirectory, console: Console) -> None:
        self.study, self.run, self.console = study, run, console
        self.cells = study.cells()
        self.total = sum(self._units(cell, cell.arm.steps, True) for cell in self.cells)
        self.began, self.logged = time.monotonic(), 0.0
        self.units, self.states, _ = self._done()
        self.before = self.units
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[cells]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task(study.name, total=self.total, cells="")

    def _units(self, cell: Cell, steps: int, measured: bool) -> float:
        evaluation = self.study.evaluation.problems * self.study.evaluation.draws if measured else 0
        trained = (
            0
            if cell.seed is None
            else 2 * steps * cell.arm.problems_per_step * cell.arm.completions_per_problem
        )
        return trained + EVALUATION * evaluation

    def _done(self) -> tuple[float, Counter[str], int]:
        """Units done, cells by state, steps done."""
        units, states, steps = 0.0, Counter[str](), 0
        for cell in self.cells:
            directory = self.run.cell(cell.name)
            status = directory.status()
            done = finished(self.study, directory)
            states[
                "done" if done else status["state"] if status["state"] != "done" else "owed"
            ] += 1
            units += self._units(cell, status["step"], done)
            steps += 0 if cell.seed is None else status["step"]
        return units, states, steps

    def poll(self) -> None:
        """Shows how far it is; in a log at most every 15 seconds."""
        units, states, steps = self._done()
        self.units, self.states = units, states
        cells = f"{states['done']}/{len(self.cells)} cells" + (
            f", {states['failed']} failed" if states["failed"] else ""
        )
        self.bar.update(self.task, completed=units, cells=cells)
        now = time.monotonic()
        if self.console.is_terminal or now - self.logged < LOG_SECONDS:
            return
        self.logged = now
        elapsed, seconds = now - self.began, self.seconds_left()
        left = "time left unknown" if seconds is None else f"about {seconds:.0f} s left"
        total_steps = sum(cell.arm.steps for cell in self.cells if cell.seed is not None)
        self.console.print(
            f"{self.study.name}: {cells}, {steps}/{total_steps} steps, {elapsed:.0f} s, {left}",
            soft_wrap=True,
        )

    def seconds_left(self) -> float | None:
        """At the pace so far; None before anything was done."""
        gained = self.units - self.before
        elapsed = time.monotonic() - self.began
        return elapsed * (self.total - self.units) / gained if gained > 0 else None

    def __enter__(self) -> "StudyProgress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
