"""Completions that replace the policy's own: for imitation, and for preferences from a stored
file.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.identity import file_digest
from rewardscope.protocols import Writes
from rewardscope.store import read_rollouts
from rewardscope.types import Problem


@dataclass(frozen=True)
class Oracle:
    """The environment's own correct answer, repeated."""

    uses_truth: ClassVar[bool] = True

    def identity(self) -> str:
        """Nothing beyond the environment."""
        return ""

    def texts(self, problem: Problem, environment: Writes, count: int) -> tuple[str, ...]:
        """The oracle's text, ``count`` times."""
        return (environment.oracle(problem),) * count


@dataclass(frozen=True)
class Stored:
    """The completions in a folder of rollouts that another run wrote, such as
    ``runs/<study>/cells/<cell>/rollouts``, in their order.

    They carry the answer key if their writer had it: an oracle, or a policy trained with the truth.
    Regime and seed must lead to the same problems, for instance by the same `Pool` in both.
    """

    folder: str
    written_with_truth: bool = True
    """Whether the answer key helped to write them. False only for an untrained policy, or one
    trained without the truth.
    """

    @property
    def uses_truth(self) -> bool:
        """As ``written_with_truth`` says."""
        return self.written_with_truth

    def identity(self) -> str:
        """SHA-256 of the files.

        Raises:
            ComponentError: If there are none.
        """
        digest = hashlib.sha256()
        for path in self._files():
            digest.update(bytes.fromhex(file_digest(path)))
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        files = sorted(Path(self.folder).glob("*.parquet"))
        if not files:
            raise ComponentError(
                "This folder has no stored rollouts",
                value=self.folder,
                allowed="a folder of step_*.parquet",
                do="Check the path",
            )
        return files

    @cached_property
    def _by_problem(self) -> Mapping[str, list[str]]:
        texts: dict[str, list[str]] = {}
        for path in self._files():
            for rollout in read_rollouts(path):
                texts.setdefault(rollout.problem.id, []).extend(
                    completion.said for completion in rollout.completions
                )
        return texts

    def texts(self, problem: Problem, environment: Writes, count: int) -> tuple[str, ...]:
        """The first ``count`` stored completions of the problem, repeated from the first if there
        are fewer.

        Raises:
            ComponentError: If the problem has no stored completion.
        """
        texts = self._by_problem.get(problem.id)
        if not texts:
            raise ComponentError(
                "The stored rollouts have no completion of a problem that the arm met",
                value=f"problem {problem.id} ({problem.prompt[:60]!r}), {len(self._by_problem)} "
                f"problems in {self.folder}",
                do="Give the arm the environment, regime and seed of the run that wrote them, such "
                "as one Pool in both",
            )
        return tuple(texts[index % len(texts)] for index in range(count))
