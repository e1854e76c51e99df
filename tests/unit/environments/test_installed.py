"""A taskset of verifiers as an environment; skipped where verifiers is not installed."""

from pathlib import Path

import pytest

from rewardscope.environments.installed import Verifiers
from rewardscope.environments.proof import prove
from rewardscope.errors import EnvironmentFault

pytest.importorskip("verifiers.v1")
TASKSET = """
import verifiers.v1 as vf

class SumData(vf.TaskData):
    answer: str = ""

class SumTask(vf.Task[SumData, vf.State, vf.TaskConfig]):
    @vf.reward(weight=1.0)
    async def right(self, trace: vf.Trace) -> float:
        if "raise" in trace.last_reply:
            raise ValueError("no number")
        return float(trace.last_reply == self.data.answer)
{more}

class SumTaskset(vf.Taskset[SumTask, vf.TasksetConfig]):
    def load(self):
        return [
            SumTask(SumData(prompt=f"{{n}} + 1?", answer=str(n + 1), system_prompt="Add."))
            for n in range(30)
        ]

__all__ = ["SumTaskset"]
"""
RUNTIME = """
    @vf.reward(weight=1.0)
    async def tested(self, trace: vf.Trace, runtime: vf.Runtime) -> float:
        return 1.0
"""


def installed(folder: Path, name: str, more: str, monkeypatch: pytest.MonkeyPatch) -> Verifiers:
    (folder / f"{name}.py").write_text(TASKSET.format(more=more))
    monkeypatch.syspath_prepend(str(folder))
    return Verifiers(name)


def test_the_tasks_are_asked_and_paid_by_their_own_rewards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = installed(tmp_path, "sums_of_a_test", "", monkeypatch)
    assert environment.size("train") + environment.size("heldout") == 30
    problem = environment.problem("heldout", 0)
    assert problem.prompt.startswith("⟦system⟧\nAdd.\n⟦user⟧\n")
    assert environment.grade(problem, problem.answer).correct is True
    assert environment.grade(problem, "no").correct is False
    assert environment.grade(problem, "raise").correct is None
    assert prove(environment, "train").warnings == ()
    assert set(environment.identity()) == {"tasks"}


def test_what_is_more_than_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = installed(tmp_path, "tests_of_a_test", RUNTIME, monkeypatch)
    with pytest.raises(EnvironmentFault, match="tested need a runtime"):
        environment.size("train")
    with pytest.raises(EnvironmentFault, match="cannot load"):
        Verifiers("nothing_of_the_kind").size("train")
