"""Step rows for other people's dashboards: each finished cell becomes a run there."""

import contextlib
import importlib
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rewardscope.codec import encode
from rewardscope.errors import StudyError
from rewardscope.hostile import visible

if TYPE_CHECKING:
    from rewardscope.store import RunDirectory
    from rewardscope.study import Study
    from rewardscope.study.study import Cell

TOOLS = ("trackio", "wandb")


class Export:
    """Sends the step rows of cells that are done, each cell once.

    A cell is a run of the project that the study names, called as the cell is; its group is the
    arm. A failure there is told once and stops nothing here: the rows stay in the run directory.
    """

    def __init__(
        self, tool: str, study: "Study", run: "RunDirectory", say: Callable[[str], None]
    ) -> None:
        """
        Raises:
            StudyError: If there is no such tool, or its package is not installed.
        """
        if tool not in TOOLS:
            raise StudyError(
                "Step rows cannot be sent there",
                value=repr(tool),
                allowed=", ".join(TOOLS),
                do="Name one of these",
            )
        try:
            self._module = importlib.import_module(tool)
        except ImportError as error:
            raise StudyError(
                f"The package {tool} is not installed",
                value=str(error),
                do=f"Run: pip install {tool}",
            ) from error
        self.tool, self.study, self.run, self.say = tool, study, run, say
        self.sent = self._there()
        self.failed = False

    def poll(self) -> None:
        """Sends what was finished since."""
        for cell in self.study.cells():
            owed = cell.seed is not None and cell.name not in self.sent and not self.failed
            if owed and self.run.cell(cell.name).status()["state"] == "done":
                self._send(cell)

    def _send(self, cell: "Cell") -> None:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self._module.init(
                    project=self.study.name,
                    name=cell.name,
                    group=cell.label,
                    config={"seed": cell.seed, **encode(cell.arm)},
                    **self._settings(cell),
                )
                for row in self.run.cell(cell.name).steps():
                    self._module.log(numbers(row), step=int(row["step"]))
                self._module.finish()
        except Exception as error:  # somebody else's service must not end a study
            self.failed = True
            self.say(f"{self.tool}: {cell.name} was not sent: {visible(str(error))}")
        else:
            self.sent.add(cell.name)

    def _settings(self, cell: "Cell") -> dict[str, Any]:
        if self.tool == "wandb":  # a cell that is sent again goes to the same run
            quiet = self._module.Settings(silent=True)
            return {"id": cell.name, "resume": "allow", "settings": quiet}
        return {"auto_log_cpu": False, "auto_log_gpu": False}

    def _there(self) -> set[str]:
        """Names of the cells that are there already; trackio would take them twice."""
        if self.tool != "trackio":
            return set()
        with contextlib.suppress(Exception):  # no such project yet
            return {run.name for run in self._module.Api().runs(self.study.name)}
        return set()


def numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """The known numbers of a step row.

    >>> numbers({"step": 1, "reward_mean": 0.5, "clip_share": None, "text": "a"})
    {'reward_mean': 0.5}
    """
    return {
        name: value
        for name, value in row.items()
        if isinstance(value, (int, float)) and name != "step" and value == value
    }
