"""How fast every environment makes problems and grades completions: ``python
benchmarks/environments.py``.

CPU seconds of this process, but for `Code`, whose programs run in another: there, seconds on the
clock. With a number behind it, that many junk completions are graded by each as well, and the
slowest is printed.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from contract.test_environments import EXAMPLES
from junk import junk
from rewardscope.environments.confident import Confident
from rewardscope.protocols import Environment

PROSE = "Let me think about this. First I would say 3 + 4 = 7 and go on from there.\n" * 5
SECONDS = 2.0
"""At least this long each, or 2,000 of them."""


def in_a_sandbox(environment: Environment) -> bool:
    return (environment.base if isinstance(environment, Confident) else environment).name == "Code"


def per_second(do: Callable[[int], object], clock: Callable[[], float]) -> float:
    """How often in a second, over up to 2,000 times."""
    do(0)
    started, done = clock(), 0
    while done < 2000 and (done < 20 or clock() - started < SECONDS):
        do(done)
        done += 1
    return done / (clock() - started)


def speed(environment: Environment) -> str:
    clock = time.perf_counter if in_a_sandbox(environment) else time.process_time
    problems = [environment.problem("train", index) for index in range(50)]
    oracles = [environment.oracle(problem) for problem in problems]
    made = per_second(lambda index: environment.problem("train", index), clock)
    right = per_second(
        lambda index: environment.grade(problems[index % 50], oracles[index % 50]), clock
    )
    wordy = per_second(
        lambda index: environment.grade(problems[index % 50], PROSE + oracles[index % 50]), clock
    )
    wrong = per_second(
        lambda index: environment.grade(problems[index % 50], oracles[(index + 1) % 50]), clock
    )
    return f"{made:9.0f} {right:9.0f} {wordy:9.0f} {wrong:9.0f}"


def survive(environment: Environment, texts: list[str]) -> str:
    problems = [environment.problem("train", index) for index in range(20)]
    slowest, right, unknown = 0.0, 0, 0
    started = time.perf_counter()
    for index, text in enumerate(texts):
        began = time.perf_counter()
        grade = environment.grade(problems[index % 20], text)
        slowest = max(slowest, time.perf_counter() - began)
        right, unknown = right + (grade.correct is True), unknown + (grade.correct is None)
    return (
        f"{len(texts)} junk: {time.perf_counter() - started:.1f} s, slowest {slowest:.3f} s, "
        f"{right} right, {unknown} ungraded"
    )


def main() -> None:
    texts = list(junk(int(sys.argv[1]))) if len(sys.argv) > 1 else []
    print(f"{'problems/s':>9} {'oracle/s':>9} {'wordy/s':>9} {'wrong/s':>9}")
    for environment in EXAMPLES:
        print(speed(environment), str(environment)[:100], flush=True)
        if texts:
            print(" " * 40, survive(environment, texts), flush=True)


if __name__ == "__main__":
    main()
