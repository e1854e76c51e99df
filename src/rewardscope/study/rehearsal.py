"""A guest's components called as a run will call them, before a run does."""

import contextlib
import copy
import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import TypeVar

from rewardscope.conformance import MEMBERS, line_of, raised_at
from rewardscope.errors import EnvironmentFault, RewardscopeError, StudyError
from rewardscope.protocols import Environment, Reward
from rewardscope.rewards import tell
from rewardscope.types import Completion, Ending, Grade, Problem, Rollout

SPLITS = ("train", "heldout", "test", "validation", "valid", "val", "dev", "eval", "evolve")
"""Names that splits go by, tried where one is missing."""
JUNK = (
    *("", " ", "\n", "0", "-1", "1/0", "nan", "inf", "1e999", "9" * 5000),
    *("####", "#### ", "The answer is", "The answer is 7.", "x", "no idea", ")("),
    *("<answer></answer>", "<answer>", "\\boxed{", "\\boxed{}"),
    *("```python\nraise SystemExit\n```", "٣ ½ ² → 👩‍👧", "\x00\u202e\r"),
)
"""Completions that a policy may write and no grader may stumble over."""
SECONDS = 0.5
"""How long one environment's grader is tried."""
PROBLEM = (
    "return Problem(id=content_id(self.name, prompt), environment=self.name, prompt=prompt, "
    "answer=answer)"
)
GRADE = "return Grade(correct=right, strict=right, well_formed=True, answer=answer)"
Result = TypeVar("Result")


@contextlib.contextmanager
def told_where(source: object) -> Iterator[None]:
    """Errors of ours that pass get the file and line that the user's code failed at, or else where
    ``source`` is written.
    """
    try:
        yield
    except RewardscopeError as error:
        error.where = error.where or raised_at(error) or line_of(source)
        raise


def calling(component: object, method: str, said: str, call: Callable[[], Result]) -> Result:
    """What the call gives; whatever it raises becomes an error with the user's file and line.

    Args:
        component: Whose method it is.
        method: Its name.
        said: What it was called with, for the message.
        call: Calls it.
    """
    cls = type(component)
    with told_where(getattr(cls, method)):
        try:
            return call()
        except RewardscopeError:
            raise
        except Exception as error:  # a guest's code may fail in any way; the user is told where
            name = cls.__name__ if method == "__call__" else f"{cls.__name__}.{method}()"
            raise EnvironmentFault(
                f"{name} raises an error",
                value=f"{type(error).__name__}: {error}, {said}",
                allowed=RAISES.get(method, "a result"),
                do=REMEDIES.get(method, "Correct the line"),
                where=raised_at(error),
            ) from error


RAISES = {
    "grade": "a Grade for every text, also for junk",
    "__call__": "Rewards for every group",
    "problem": "a Problem for every index from 0 on",
    "oracle": "a text",
}
REMEDIES = {
    "grade": "Return Grade(correct=False, strict=False, well_formed=False) for what cannot be read",
    "__call__": "Correct the line; a reward has `view.problem.prompt`, `view.completions` and, "
    "with uses_truth = True, `view.problem.answer` and `view.grades`",
    "problem": "Correct the line; an index beyond the last row starts over: "
    "rows[index % len(rows)]",
    "oracle": "Return the completion that earns full marks",
}


def problem_at(environment: Environment, split: str, index: int) -> Problem:
    """The environment's problem, seen to be one.

    Raises:
        EnvironmentFault: If it is none, or holds other types than it says.
    """
    problem: object = calling(
        environment,
        "problem",
        f"for problem({split!r}, {index})",
        lambda: environment.problem(split, index),
    )
    if not isinstance(problem, Problem):
        raise _fault(
            environment,
            "problem",
            "must return a Problem",
            f"{_short(problem)}, of type {type(problem).__name__}, for problem({split!r}, {index})",
            "a Problem",
            f"Write `{PROBLEM}`",
        )
    for field, value, kind in (
        ("id", problem.id, str),
        ("environment", problem.environment, str),
        ("prompt", problem.prompt, str),
        ("answer", problem.answer, str),
        ("level", problem.level, int),
        ("facts", problem.facts, Mapping),
    ):
        _check_field(environment, field, value, kind)
    return problem


def _check_field(environment: Environment, field: str, value: object, kind: type) -> None:
    facts = isinstance(value, Mapping) and field == "facts"
    texts = not facts or all(isinstance(t, str) for pair in value.items() for t in pair)  # type: ignore[attr-defined]
    if isinstance(value, kind) and (field != "id" or value) and texts:
        return
    allowed, do = (
        {str: "a text", int: "a whole number", Mapping: "a mapping of texts to texts"}[kind],
        f"Write {field}=str(...)",
    )
    if field == "prompt" and isinstance(value, (list, tuple)):
        allowed = "a text; the model's own chat template is put around it when it is asked"
        do = 'Write the user\'s message alone, prompt=messages[-1]["content"]'
    elif field == "id":
        allowed, do = (
            "a text that is not empty and no other problem has",
            "Write id=content_id(self.name, prompt), from rewardscope.environments.base",
        )
    elif value is None:
        do = f"Give every problem its {field}, as a text; leave out rows that have none"
    elif kind is not str:
        do = f"Write {field}={'0' if kind is int else '{...}'}, {allowed}"
    raise _fault(
        environment,
        "problem",
        f"returns a Problem whose {field} is not what it has to be",
        f"{field}={_short(value)}, of type {type(value).__name__}",
        allowed,
        do,
    )


def check_split(environment: Environment, split: str, use: str) -> None:
    """Refuses an environment that gives nothing for a split, with the splits that there are.

    Args:
        environment: A guest.
        split: Its name.
        use: What reads it, in words.

    Raises:
        EnvironmentFault: If there are others; an environment that gives nothing at all has an
            error of its own.
    """
    try:
        environment.problem(split, 0)
    except Exception as error:  # any error may be how a guest says that it has no such split
        others = [name for name in SPLITS if name != split and _gives(environment, name)]
        if not others:
            return
        raise EnvironmentFault(
            f"{type(environment).__name__} has no split '{split}', which {use} reads",
            value=f"problem({split!r}, 0) raises {type(error).__name__}: {error}",
            allowed=f"of the usual names it has {', '.join(others)}",
            do=f'Write Evaluation(split="{next((o for o in others if o != "train"), others[0])}")'
            if split != "train"
            else "Give problem() a split 'train'",
            where=raised_at(error) or line_of(type(environment).problem),
        ) from error


def _gives(environment: Environment, split: str) -> bool:
    try:
        return isinstance(environment.problem(split, 0), Problem)
    except Exception:  # it has no such split
        return False


def grade_of(environment: Environment, problem: Problem, text: str) -> Grade:
    """The environment's grade, seen to be one.

    Raises:
        EnvironmentFault: If it is none, or holds other types than it says.
    """
    grade: object = calling(
        environment,
        "grade",
        f"for the completion {_short(text)} of {_short(problem.prompt)}",
        lambda: environment.grade(problem, text),
    )
    if not isinstance(grade, Grade):
        raise _fault(
            environment,
            "grade",
            "must return a Grade",
            f"{_short(grade)}, of type {type(grade).__name__}, for the completion {_short(text)}",
            "a Grade",
            f"Write `{GRADE}`",
        )
    for field in fields(Grade):
        value = getattr(grade, field.name)
        if not _may_be(field.name, value):
            wrap = {"bool": "bool(...)", "str": "str(...)", "float": "float(...)"}
            kind = GRADES[field.name]
            raise _fault(
                environment,
                "grade",
                f"returns a Grade whose {field.name} is not what it has to be",
                f"{field.name}={_short(value)}, of type {type(value).__name__}, for the completion "
                f"{_short(text)}",
                kind,
                f"Name the fields, with {field.name}="
                f"{wrap.get(kind.partition(' ')[0], 'a tuple')}: `{GRADE}`",
            )
    return grade


GRADES = {
    "correct": "bool or None",
    "strict": "bool or None",
    "well_formed": "bool",
    "answer": "str or None",
    "confidence": "float from 0 to 1, or None",
    "feedback": "str or None",
    "strategy": "str or None",
    "steps": "tuple of booleans, or None",
    "proxy": "float from 0 to 1, or None",
}


def _may_be(field: str, value: object) -> bool:
    if value is None:
        return field != "well_formed"
    if field in ("correct", "strict", "well_formed"):
        return isinstance(value, bool)
    if field in ("confidence", "proxy"):
        return type(value) in (int, float) and 0 <= value <= 1  # type: ignore[operator]
    if field == "steps":
        return isinstance(value, tuple) and all(isinstance(step, bool) for step in value)
    return isinstance(value, str)


def rehearse_environment(environment: Environment, problems: list[Problem]) -> list[str]:
    """Grades oracles and junk of the problems, twice each where it counts.

    Returns:
        What the user should know of, a sentence each.

    Raises:
        EnvironmentFault: If an oracle is no text, or a grade is none, raises, or changes.
    """
    cls, began = type(environment).__name__, time.monotonic()
    printed = io.StringIO()
    graded: list[Grade] = []
    with contextlib.redirect_stdout(printed):
        for problem in problems:
            oracle = oracle_of(environment, problem)
            first, again = (grade_of(environment, problem, oracle) for _ in range(2))
            if first != again:
                raise _fault(
                    environment,
                    "grade",
                    "grades the same completion in two ways",
                    f"{first}, then {again}, for {_short(oracle)}",
                    "a grade that depends on the problem and the text alone",
                    "Take the chance, the time or the state out of grade()",
                )
            for text in (*JUNK, oracle[:-1], oracle + oracle, problem.prompt):
                graded.append(grade_of(environment, problem, text))
            if time.monotonic() - began > SECONDS:
                break
    notes = []
    unknown = sum(grade.correct is None for grade in graded)
    if graded and unknown > 0.9 * len(graded):
        notes.append(
            f"{cls}.grade() gives correct=None for {unknown} of {len(graded)} made-up completions. "
            "None means that the verifier cannot say, and is left out of every figure; for what "
            f"is wrong or unreadable write correct=False ({line_of(type(environment).grade)})."
        )
    if printed.getvalue():
        notes.append(
            f"{cls} prints while it grades, once for each of many thousand completions; take the "
            f"print() out ({line_of(type(environment).grade)})."
        )
    return notes


def oracle_of(environment: Environment, problem: Problem) -> str:
    """The environment's oracle, seen to be a text.

    Raises:
        EnvironmentFault: If it is none.
    """
    oracle: object = calling(
        environment, "oracle", f"for {problem.prompt!r}", lambda: environment.oracle(problem)
    )
    if not isinstance(oracle, str):
        raise _fault(
            environment,
            "oracle",
            "must return a completion that earns full marks",
            f"{_short(oracle)}, of type {type(oracle).__name__}",
            "a text",
            f"Write `{MEMBERS[Environment]['oracle']}`",
        )
    return oracle


def made_up(environment: Environment, problem: Problem, count: int) -> Rollout:
    """A group of ``count`` completions that no policy wrote, graded: the oracle's and junk."""
    texts = [oracle_of(environment, problem), *JUNK[:: max(1, len(JUNK) // count)]][:count]
    texts += [str(place) for place in range(count - len(texts))]
    completions = tuple(
        Completion(text, tuple(range(len(text))), (0.0,) * len(text), Ending.END_TOKEN)
        for text in texts
    )
    grades = tuple(grade_of(environment, problem, completion.said) for completion in completions)
    return Rollout(problem, 0, completions, grades)


def rehearse_reward(reward: Reward, rollouts: list[Rollout]) -> None:
    """Has the reward speak of groups that nobody wrote, twice each.

    Raises:
        RewardscopeError: If it raises, says something else than numbers, changes what it was
            shown, or says another thing the second time.
    """
    cls = type(reward)
    for rollout in rollouts:
        before = copy.deepcopy(rollout)
        told = [
            calling(
                reward,
                "__call__",
                f"for a made-up group of {_short(rollout.problem.prompt)}",
                lambda rollout=rollout: tell(reward, rollout, ("rehearse", rollout.problem.id)),  # type: ignore[misc]
            )
            for _ in range(2)
        ]
        if rollout != before:
            raise StudyError(
                f"{cls.__name__} changes what it is shown",
                value=f"the group of {_short(rollout.problem.prompt)} is another one afterwards",
                allowed="a reward that reads",
                do="Copy what you want to change: dict(view.problem.facts)",
                where=line_of(cls.__call__),
            )
        if told[0].rewards != told[1].rewards:
            raise StudyError(
                f"{cls.__name__} says different things of the same group",
                value=f"{told[0].rewards}, then {told[1].rewards}",
                allowed="a function of the group and the address",
                do="Draw with rewardscope.seeds: `generator(*address).random(...)`, not with "
                "random or numpy's global state",
                where=line_of(cls.__call__),
            )


def _fault(
    environment: Environment, method: str, what: str, value: str, allowed: str, do: str
) -> EnvironmentFault:
    cls = type(environment)
    return EnvironmentFault(
        f"{cls.__name__}.{method}() {what}",
        value=value,
        allowed=allowed,
        do=do,
        where=line_of(getattr(cls, method)),
    )


def _short(value: object, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else text[:most] + " ..."
