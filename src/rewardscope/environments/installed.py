"""An installed taskset of ``verifiers`` (0.4, Prime Intellect) as an environment."""

import asyncio
import hashlib
import inspect
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from rewardscope.conversation import written
from rewardscope.environments.base import content_id, owner
from rewardscope.environments.graders.base import (
    asked_in,
    placed,
    strict_answer,
    tolerant_answer,
)
from rewardscope.errors import ComponentError, EnvironmentFault, RewardscopeError
from rewardscope.types import Grade, Problem

SHARES = {"train": 0.8, "heldout": 0.2}
PIP = "pip install 'verifiers>=0.4,<0.5'"
ROW = "task"
"""The fact that holds the task's data as JSON."""
RIGHT = 1 - 1e-9


@dataclass(frozen=True)
class Verifiers:
    """The tasks of a ``verifiers`` taskset that is installed, each one turn, paid by its own
    rewards.

    Correct is a weighted sum of rewards of 1 or more; the sum itself is the grade's ``proxy``.
    Rewards that ask a model (judges) or need a runtime are refused: the first is no fact, the
    second is no text. A reward sees the task's data and one assistant message.

    ``answer`` names the field of the task's data that is the key, which the proof at a study's
    start gives to the rewards.
    """

    taskset: str
    """Its id, as ``verifiers`` imports it."""
    answer: str = "answer"
    oracle_text: str = ""
    """A completion that earns full marks, with {answer} in it; empty = the key where the prompt
    asks for it, and alone where it does not say."""

    name: ClassVar[str] = "Verifiers"
    strategies: ClassVar[tuple[str, ...]] = ()

    def size(self, split: str) -> int:
        """Tasks in the split.

        Raises:
            EnvironmentFault: If there is no such split, or the taskset cannot be used.
        """
        return len(self._places(split))

    def problem(self, split: str, index: int) -> Problem:
        """The task at (split, index modulo size); its content decides its split.

        Raises:
            EnvironmentFault: If there is no such split, or the taskset cannot be used.
        """
        indices = self._places(split)
        return self._loaded[0][indices[index % len(indices)]]

    def grade(self, problem: Problem, text: str) -> Grade:
        """What the task's rewards sum to; ungraded where one of them raises."""
        task = self._loaded[1].get(problem.id)
        if task is None:
            raise EnvironmentFault("The problem is no task of this taskset", value=problem.id)
        try:
            reward = _alone(_scored(task, text))
        except Exception as error:  # of the taskset's own code, on this text
            why = f"its rewards raised {type(error).__name__}: {error}"
            return Grade(correct=None, strict=None, well_formed=False, feedback=why)
        answer_in = asked_in(problem.prompt)
        strictly = strict_answer(text, answer_in)
        return Grade(
            correct=reward >= RIGHT,
            strict=reward >= RIGHT,
            well_formed=strictly is not None or answer_in == "as_asked",
            answer=strictly or tolerant_answer(text),
            feedback=f"the answer is {problem.answer}",
            proxy=min(max(reward, 0.0), 1.0),
        )

    def oracle(self, problem: Problem) -> str:
        """The key as ``oracle_text`` has it, or where the prompt asks for it."""
        if self.oracle_text:
            return self.oracle_text.replace("{answer}", problem.answer)
        answer_in = asked_in(problem.prompt)
        return placed(problem.answer, "whole" if answer_in == "as_asked" else answer_in)

    def identity(self) -> Mapping[str, str]:
        """SHA-256 of the tasks' data, and the version of the package that has them."""
        rows = sorted(problem.facts[ROW] for problem in self._loaded[0])
        return {"tasks": hashlib.sha256("\n".join(rows).encode()).hexdigest()}

    @property
    def _loaded(self) -> tuple[list[Problem], dict[str, Any]]:
        return _load(self.taskset, self.answer)

    def _places(self, split: str) -> list[int]:
        if split not in SHARES:
            raise EnvironmentFault(
                "A taskset has no such split",
                value=repr(split),
                allowed=", ".join(SHARES),
                do="Use one of them",
            )
        problems = self._loaded[0]
        indices = [n for n, problem in enumerate(problems) if owner(problem.id, SHARES) == split]
        if not indices:
            raise EnvironmentFault(
                "The taskset has too few tasks for this split",
                value=f"{split}: none of {len(problems)}",
                do="Use a larger taskset",
            )
        return indices


@lru_cache(maxsize=4)
def _load(taskset: str, answer: str) -> tuple[list[Problem], dict[str, Any]]:
    """Problems in the order of their ids, and the tasks by id."""
    try:
        import verifiers.v1 as vf
        from verifiers.v1.utils.generic import concrete_type
        from verifiers.v1.utils.loaders import taskset_class
    except ImportError as error:
        raise ComponentError(
            "Verifiers needs the package verifiers, which is not installed",
            value=f"{taskset!r}: {error}",
            do=PIP,
        ) from error
    try:
        cls = taskset_class(taskset)
        config = concrete_type(cls, vf.TasksetConfig, origin=vf.Taskset) or vf.TasksetConfig
        made = cls(config(id=taskset))
        tasks = list(made.load()) if made.bounded else []
    except Exception as error:  # a taskset is anybody's code; each failure means no tasks
        raise EnvironmentFault(
            "verifiers cannot load this taskset",
            value=f"{taskset!r}: {type(error).__name__}: {str(error)[:300]}",
            allowed="an installed package that exports one Taskset, which loads without a network",
            do="Check its id, and that it is installed here",
        ) from error
    if not tasks:
        raise EnvironmentFault(
            "The taskset has no tasks, or no end", value=repr(taskset), do="Use another one"
        )
    problems = {}
    by_id = {}
    for task in tasks:
        _check(task, taskset)
        problem = _problem(task, answer)
        problems[problem.id], by_id[problem.id] = problem, task
    return [problems[id] for id in sorted(problems)], by_id


def _check(task: Any, taskset: str) -> None:
    """Raises EnvironmentFault where the task is more than a prompt, a text and its score."""
    needs = [fn.__name__ for fn in task.hooks("reward") if _needs_runtime(fn)]
    why = (
        "its judges ask a model"
        if task.config.judges
        else f"rewards {', '.join(needs)} need a runtime"
        if needs
        else "it needs a container"
        if task.NEEDS_CONTAINER
        else "it brings tools"
        if type(task).toolsets(task.config)
        else "it has no reward"
        if not task.hooks("reward")
        else "it has no prompt"
        if task.data.prompt is None
        else ""
    )
    if why:
        raise EnvironmentFault(
            f"A taskset of verifiers cannot be used here: {why}",
            value=repr(taskset),
            allowed="one turn of text, scored by functions",
            do="Use another one",
        )


def _needs_runtime(function: Any) -> bool:
    parameter = inspect.signature(function).parameters.get("runtime")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def _problem(task: Any, answer: str) -> Problem:
    data = task.data.model_dump(mode="json", exclude_none=True)
    data.pop("idx", None)
    if data.get(answer) in (None, ""):
        raise EnvironmentFault(
            "A task has no key, so its rewards cannot be proved",
            value=f"fields {', '.join(sorted(data))}",
            do="Name the field that is the key: answer=...",
        )
    prompt, system = data["prompt"], data.get("system_prompt")
    try:
        if system or not isinstance(prompt, str):
            turns = [{"role": "system", "content": system}] if system else []
            asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
            prompt = written([*turns, *asked])
    except RewardscopeError as error:
        raise EnvironmentFault(
            error.what, value=error.value, allowed=error.allowed, do=error.do
        ) from error
    key = data[answer]
    return Problem(
        content_id("Verifiers", prompt),
        "Verifiers",
        prompt,
        key if isinstance(key, str) else json.dumps(key),
        0,
        {ROW: json.dumps(data, sort_keys=True)},
    )


async def _scored(task: Any, text: str) -> float:
    """The weighted sum of the task's rewards for one assistant message."""
    import verifiers.v1 as vf

    system, prompt = task.data.system_prompt, task.data.prompt
    turns: list[Any] = [vf.SystemMessage(content=system)] if system else []
    turns += [vf.UserMessage(content=prompt)] if isinstance(prompt, str) else prompt
    nodes = [
        vf.MessageNode(message=each, parent=place - 1 if place else None)
        for place, each in enumerate(turns)
    ]
    said = vf.AssistantMessage(content=text)
    nodes.append(vf.MessageNode(message=said, parent=len(nodes) - 1, sampled=True))
    trace = vf.Trace(
        task=vf.TraceTask(type=type(task).__name__, data=task.data),
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        nodes=nodes,
        is_completed=True,
        ok=True,
    )
    await task.score(trace)
    return float(trace.reward)


def _alone(work: Any) -> float:
    """What comes of the coroutine, in a thread where no event loop runs."""
    with ThreadPoolExecutor(1) as pool:
        return float(pool.submit(asyncio.run, work).result())
