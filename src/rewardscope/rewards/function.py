"""Rewards from plain functions of one completion or of all, as TRL accepts them."""

import asyncio
import inspect
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from typing import Any

from rewardscope.conversation import messages_of
from rewardscope.errors import ComponentError, RewardscopeError
from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.sources import module_level, where_raised, where_written
from rewardscope.types import Rewards, SealedRollout

OF_ALL = ("prompts", "completions", "completion_ids")
OF_ONE = ("prompt", "completion")
LACKING = ("trainer_state", "log_extra", "log_metric")
"""Arguments that only TRL's trainer provides."""


@dataclass(frozen=True)
class RewardFunction:
    """The values of a function of your own.

    A function of all completions is called as TRL's trainers do. ``(prompts, completions,
    **columns)`` returns a list with one number per completion, or None if it cannot say. A function
    of one completion takes ``(completion)``, ``(prompt, completion, answer)`` or any of these. It
    returns a number, True, False or None. The names of the parameters decide which of the two it
    is.

    With ``uses_truth=True`` it also gets ``answer``, the key, and the data set's other columns by
    name, as text. Without it these are sealed, and a function that asks for one is refused. If the
    prompt is a conversation, prompts and completions are lists of messages.
    """

    of: Callable[..., Any]
    _: KW_ONLY
    uses_truth: bool = False
    """Whether it gets the answer key."""
    placebo: bool = False
    """Whether it is meant to be unrelated to correctness."""

    def __repr__(self) -> str:
        """With the function's name where Python would write an address of memory."""
        return (
            f"RewardFunction({self.of.__module__}:{self.of.__qualname__}, "
            f"uses_truth={self.uses_truth}, placebo={self.placebo})"
        )

    def __post_init__(self) -> None:
        module_level(self.of, "reward")
        named, anything = self._parameters
        if self._of_one and self._of_all:
            raise ComponentError(
                "The reward function takes both one completion and all of them",
                value=f"parameters {', '.join(named)} at {where_written(self.of)}",
                allowed="(prompts, completions, **columns), or (prompt, completion, answer)",
                do="Use the parameter names of one of the two",
            )
        if not self._of_one and not self._of_all and not anything:
            raise ComponentError(
                "The reward function has no parameter for completions",
                value=f"parameters {', '.join(named) or '(none)'} at {where_written(self.of)}",
                allowed="(prompts, completions, **columns), or (prompt, completion, answer)",
                do="Rename its parameters; they are passed by name",
            )
        needed = [name for name in self._needed if name not in (*OF_ALL, *OF_ONE)]
        if any(name in LACKING for name in needed):
            raise ComponentError(
                "The reward function needs an argument that only TRL's trainer has",
                value=f"{', '.join(needed)} at {where_written(self.of)}",
                do="Give the parameter a default",
            )
        if needed and not self.uses_truth:
            raise ComponentError(
                "The reward function needs a sealed argument",
                value=f"{', '.join(needed)} at {where_written(self.of)}",
                allowed="prompts, completions and completion_ids without the truth",
                do="Set uses_truth=True, so that the page shows that it saw the answer key",
            )

    @property
    def _parameters(self) -> tuple[dict[str, inspect.Parameter], bool]:
        """Parameters by name, and whether it accepts any others."""
        parameters = inspect.signature(self.of).parameters
        anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return {n: p for n, p in parameters.items() if p.kind not in kinds}, anything

    @property
    def _needed(self) -> list[str]:
        named, _ = self._parameters
        return [n for n, p in named.items() if p.default is inspect.Parameter.empty]

    @property
    def _of_one(self) -> bool:
        return any(name in self._parameters[0] for name in OF_ONE)

    @property
    def _of_all(self) -> bool:
        return any(name in self._parameters[0] for name in OF_ALL)

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """The function's rewards for the group.

        Raises:
            RewardscopeError: If it raises, or does not return one finite number, or None, per
                completion; with its file and line.
        """
        columns = {} if isinstance(view, SealedRollout) else _columns(view.problem)
        messages = messages_of(view.problem.prompt)
        prompt: Any = view.problem.prompt if messages is None else messages
        said: list[Any] = [
            completion.said
            if messages is None
            else [{"role": "assistant", "content": completion.said}]
            for completion in view.completions
        ]
        if self._of_one:
            values = [
                self._call({**columns, "prompt": prompt, "completion": text}) for text in said
            ]
        else:
            count = len(said)
            values = self._call(
                {
                    **{name: [text] * count for name, text in columns.items()},
                    "prompts": [prompt] * count,
                    "completions": said,
                    "completion_ids": [
                        list(completion.token_ids) for completion in view.completions
                    ],
                }
            )
        return Rewards(self._numbers(values, len(said)))

    def _call(self, given: Mapping[str, Any]) -> Any:
        """The function's result for the arguments that it accepts."""
        named, anything = self._parameters
        lacking = [name for name in self._needed if name not in given]
        if lacking:
            raise RewardscopeError(
                "The reward function needs a column that the problem does not have",
                value=f"{', '.join(lacking)} at {where_written(self.of)}",
                allowed=", ".join(given),
                do="Rename the parameter, or give it a default",
            )
        arguments = {n: v for n, v in given.items() if anything or n in named}
        try:
            said = self.of(**arguments)
            return _awaited(said) if inspect.isawaitable(said) else said
        except Exception as error:
            raise RewardscopeError(
                "The reward function raised an error",
                value=f"{type(error).__name__}: {error} at {where_raised(error, self.of)}",
                allowed="a finite number per completion, or None where it cannot say",
                do="Let it return None where it cannot say",
            ) from error

    def _numbers(self, values: Any, count: int) -> tuple[float | None, ...]:
        if hasattr(values, "tolist"):  # numpy's and torch's
            values = values.tolist()
        if isinstance(values, (str, Mapping)) or not isinstance(values, Sequence):
            raise self._refused(
                f"{type(values).__name__} {values!r}", f"a list of {count}, one per completion"
            )
        if len(values) != count:
            raise self._refused(
                f"{len(values)} rewards for {count} completions", "one per completion"
            )
        return tuple(self._number(value) for value in values)

    def _number(self, value: Any) -> float | None:
        if value is None:
            return None
        if getattr(value, "shape", None) == ():
            value = value.item()
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            raise self._refused(
                f"{type(value).__name__} {value!r}", "a finite number, or None where it cannot say"
            )
        return float(value)

    def _refused(self, value: str, allowed: str) -> RewardscopeError:
        return RewardscopeError(
            "The reward function returned something that is not a reward",
            value=f"{value}, from {where_written(self.of)}",
            allowed=allowed,
            do="Return an allowed value",
        )


def _columns(problem: Any) -> dict[str, str]:
    """The problem's facts by name, and its key."""
    kept = {name: text for name, text in problem.facts.items() if name.isidentifier()}
    return {**kept, "answer": problem.answer}


def _awaited(said: Any) -> Any:
    """The result of an async function; it runs in a thread of its own, which has no event loop."""

    async def wait() -> Any:
        return await said

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(wait())).result()
