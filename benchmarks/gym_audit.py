"""What every task of reasoning-gym takes for right: ``PYTHONHASHSEED=0 python
benchmarks/gym_audit.py > docs/gym.md``.

Each canary of ``rewardscope.environments.canaries`` is given to ``Gym``, and, as the scorer alone
would have judged it, to the task's own scorer with the full mark at 0.99. About five minutes.
"""

import contextlib
import io
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType

from rewardscope.environments.canaries import CANARIES, Canary
from rewardscope.environments.words.gym import (
    EXPLOITABLE,
    HASH_SEEDED,
    REFUSED,
    UNCHANGED,
    Gym,
    hash_seed_is_fixed,
    scorer,
    tasks,
)
from rewardscope.environments.words.gym_answers import FORMS, RIGHT
from rewardscope.types import Problem

PROBLEMS = 20
OLD_FULL_SCORE = 0.99
MOST_SECONDS = 2
SHOWN = ("not a number", "other numbers", "one off", "the prompt", "part of the prompt")
HEAD = """# The tasks of reasoning-gym, one by one

Written by `benchmarks/gym_audit.py`; a test computes some of its rows again. Each task was asked
{problems} problems, and its answers were changed in ways that should make them wrong: NaN and the
infinities, **other** numbers (each n as 2 n + 3), numbers **one off** (the first, the last, or all
of them one higher, the last one lower), the **prompt** again or a **part** of it (a line, what
stands behind a colon, what is quoted), and the best of 13 **constants**. A cell is the share of
answers that `Gym` takes for right; in brackets, where it differs, what the task's own scorer takes
with its full mark at 0.99. A dot is none.

Not every share is a fault. One off is right where many answers are (`graph_color`), or where few
digits are asked for (`power_function`: three); a part of the prompt or a constant is right where
the answer is one of a few words. It says what guessing earns: compare a policy with it.

| task | NaN | other | one off | prompt | part | best constant | what is done |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


class TooLong(Exception):
    """A scorer took more than its seconds."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def scored_alone(gym: Gym, problem: Problem, answer: str) -> bool:
    """What the scorer alone says; nothing that it would run as code is given to it."""
    if gym.task in FORMS and FORMS[gym.task].fullmatch(answer.strip()) is None:
        return False
    with bounded():
        try:
            return float(scorer(gym.task, gym.settings)(answer, gym.entry(problem))) >= (
                OLD_FULL_SCORE
            )
        except Exception:
            return False


def share(gym: Gym, problems: list[Problem], canary: Canary) -> tuple[float, float]:
    """The share of the canary's answers that are right, and that the scorer alone calls so."""
    ours = theirs = tried = 0
    for problem in problems:
        for answer in canary.texts(problem, problem.answer):
            tried += 1
            # given as the answer: whether one can be read out of a text is not the question here
            text = f"<answer>{answer}</answer>"
            ours += bool(answer.strip()) and gym.grade(problem, text).strict is True
            theirs += bool(answer.strip()) and scored_alone(gym, problem, answer)
    return ours / max(tried, 1), theirs / max(tried, 1)


def best_constant(gym: Gym, problems: list[Problem]) -> tuple[str, float, float]:
    texts = next(canary for canary in CANARIES if canary.name == "constants")
    each = [
        (constant, *share(gym, problems, replace(texts, texts=lambda _, __, one=constant: (one,))))
        for constant in texts.texts(problems[0], "")
    ]
    return max(each, key=lambda row: row[1:])


def percent(ours: float, theirs: float) -> str:
    shown = f"{ours:.0%}" if ours else "·"
    return shown if round(ours, 2) == round(theirs, 2) else f"{shown} ({theirs:.0%})"


def what_is_done(task: str) -> str:
    said = []
    if task in EXPLOITABLE:
        said.append(f"only by name: {EXPLOITABLE[task]}")
    if task in HASH_SEEDED:
        said.append("needs PYTHONHASHSEED=0")
    if task in RIGHT:
        first = str(RIGHT[task].__doc__ or "the same number, exactly").split(".")[0]
        said.append(f"our check: {first[0].lower()}{first[1:]}")
    else:
        said.append("the scorer's full mark")
    if task in FORMS:
        said.append("only what is written as an answer")
    if task in UNCHANGED:
        said.append("items whose answer is the input are passed over")
    return "; ".join(said)


def row(task: str, count: int = PROBLEMS) -> str:
    """The task's line of the table."""
    if task in REFUSED:
        return f"| `{task}` | | | | | | | refused: {REFUSED[task]} |"
    gym = Gym(task, exploitable_by_name=True)
    problems = [gym.make(seed) for seed in range(count)]
    named = {canary.name: canary for canary in CANARIES}
    cells = [percent(*share(gym, problems, named[name])) for name in SHOWN]
    constant, ours, theirs = best_constant(gym, problems)
    best = percent(ours, theirs)
    cells.append(best if best == "·" else f"`{constant}` {best}")
    return f"| `{task}` | {' | '.join(cells)} | {what_is_done(task)} |"


if __name__ == "__main__":
    if not hash_seed_is_fixed():
        sys.exit("Start with PYTHONHASHSEED=0: some tasks' items depend on it")
    print(HEAD.format(problems=PROBLEMS))
    for name in tasks():
        print(row(name), flush=True)
