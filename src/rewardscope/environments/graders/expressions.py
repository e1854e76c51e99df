"""Compares two expressions by ``math-verify``, in a process of its own that can be killed.

math-verify bounds its time by an alarm, which works in a main thread alone, does not interrupt one
huge product of whole numbers, and measures a busy machine instead of the answer. Here a worker
bounds the time that it computes itself: first by an exception, then by its end.
"""

import atexit
import json
import os
import re
import selectors
import subprocess
import sys
import threading

SECONDS, LAST_SECONDS = 0.2, 0.3
"""Processor time of one comparison, after which the answer counts as wrong; and after which the
worker ends, where sympy does not let itself be interrupted."""
WAIT_SECONDS = 60.0
"""Longest wait for the worker, also while it loads sympy, which takes a second or two."""
MOST_CHARACTERS = 400
"""Characters of an expression that is given to the worker."""
MEMORY_BYTES = 2 * 2**30
FIRST = (
    ("x^2-1", "(x-1)(x+1)"),
    ("(1,2)", "(2,1)"),
    ("[0,1)", "[0,1]"),
    ("\\{1,2\\}", "2,1"),
    ("x \\in [-2,7]", "[-2,7]"),
    ("(0,1)\\cup(2,3)", "(2,3)\\cup(0,1)"),
    ("x=\\sqrt{2}", "2^{1/2}"),
    ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1\\\\3\\end{pmatrix}"),
)
"""What a worker compares before it is ready."""
EXPLOSIVE = re.compile(
    r"""\\(?:sum|prod|int|oint|lim|binom|dbinom|tbinom|begin\{cases\})(?![a-z])
    |!|[)}\]]\s*\^\s*\{?\s*\d{3}|\d{60}|\^\s*\{?\s*-?\d{4}
    |(?:\^[^+\-=,]{0,20}){3}|(?:\\frac){9}|(?:\{\s*){20}|(?:\(\s*){20}""",
    re.VERBOSE,
)
"""What an answer in its final form does not hold, and what makes sympy work without end."""


def readable(expression: str) -> bool:
    """Whether the worker gets to see the expression: short, and without what makes it hang."""
    return len(expression) <= MOST_CHARACTERS and EXPLOSIVE.search(expression) is None


class Worker:
    """One process that compares; restarted when it had to be killed."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False

    def same(self, key: str, answer: str) -> bool | None:
        """Whether the two are equal; False where that took too long, None where no worker
        starts.
        """
        with self._lock:
            for _ in range(2):  # a worker that somebody else killed is started again once
                if not self._start():
                    return None
                verdict = self._ask(key, answer)
                if verdict is not None:
                    return verdict
        return None

    def _start(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._begin()
        if not self._ready:
            self._ready = self._line(WAIT_SECONDS) == b"ready\n"
            if not self._ready:
                self.stop()
        return self._ready

    def _ask(self, key: str, answer: str) -> bool | None:
        """None where the worker had died before it was asked."""
        process = self._process
        assert process is not None and process.stdin is not None
        try:
            process.stdin.write(json.dumps([key, answer]).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            self.stop()
            return None
        line = self._line(WAIT_SECONDS)
        if line is None:
            self.stop()
            self._begin()  # the next one starts while this process goes on
            return False
        return line == b"1\n"

    def _begin(self) -> None:
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-X", "utf8", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # nothing is left to be written to a worker that has died
        )

    def _line(self, seconds: float) -> bytes | None:
        """The worker's next line; None where it ends, or says nothing for so long."""
        assert self._process is not None and self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return None
        return self._process.stdout.readline() or None

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None and self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process = None
        self._ready = False


_workers: dict[int, Worker] = {}


def same_expression(key: str, answer: str) -> bool | None:
    """Whether math-verify calls the two equal; None where it could not be asked.

    An answer that is too long, that holds what an answer in its final form does not, or that takes
    over SECONDS is not equal.
    """
    if not readable(answer) or not readable(key):
        return False
    if os.getpid() not in _workers:  # a forked process has its own
        worker = _workers[os.getpid()] = Worker()
        atexit.register(worker.stop)
    return _workers[os.getpid()].same(key, answer)


def _serve() -> None:
    """Answers lines of [key, answer] with 1 or 0, for ever."""
    import logging
    import resource
    import signal

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout
    sys.stdout = sys.stderr
    logging.disable(logging.CRITICAL)
    import math_verify

    def parsed(text: str) -> list[object]:
        found: list[object] = math_verify.parse(
            f"\\boxed{{{text}}}",
            extraction_config=[
                math_verify.LatexExtractionConfig(boxed_match_priority=0),
                math_verify.ExprExtractionConfig(),
            ],
            parsing_timeout=None,
        )
        return found

    def interrupt(signum: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, interrupt)
    for one, other in FIRST:  # loads what sympy loads late
        math_verify.verify(parsed(one), parsed(other), timeout_seconds=None)
    out.write("ready\n")
    out.flush()
    for line in sys.stdin:
        key, answer = json.loads(line)
        equal = False
        try:
            signal.setitimer(signal.ITIMER_PROF, LAST_SECONDS)  # nobody handles it: it ends us
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            equal = math_verify.verify(parsed(key), parsed(answer), timeout_seconds=None)
        except Exception:  # sympy raises many kinds on what it cannot read
            equal = False
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(f"{int(bool(equal))}\n")
        out.flush()


if __name__ == "__main__":
    _serve()
