"""Reward by labels that the untrained model's own answers gave, fixed before training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from rewardscope.codec import NOT_SIGNED
from rewardscope.errors import ComponentError
from rewardscope.protocols import View
from rewardscope.seeds import Address
from rewardscope.types import Rewards

Label = Literal["majority", "wrong"]


@dataclass(frozen=True)
class OfflineLabels:
    """1 for the answer that a stored label names, 0 for any other or none.

    `rewardscope labels STUDY ARM` samples the untrained model and writes the file, once. Of each
    problem it holds the answer given most often (``majority``), and the wrong answer given most
    often (``wrong``). A problem without such an answer gets None. Answers are compared as texts, as
    they are when they vote. `Majority` votes anew in each group instead.

    The source keeps only the problems whose majority is wrong, and pays for that. Here ``wrong`` is
    a label of every problem that was answered wrongly at least once.

    Source:
        Shao et al. 2025, arXiv:2506.10947, section 2.2 (majority vote and incorrect rewards, from
            64 completions of the untrained model).
    """

    file: str = field(metadata=NOT_SIGNED)
    """Lines of JSON; what they say is signed, not where they lie."""
    label: Label = "majority"

    def __post_init__(self) -> None:
        if self.label not in get_args(Label):
            raise ComponentError(
                "OfflineLabels has no such label",
                value=f"label={self.label!r}",
                allowed=", ".join(get_args(Label)),
                do="Correct it in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the answer key chose the label: it did if the label had to be wrong."""
        return self.label == "wrong"

    @property
    def placebo(self) -> bool:
        """Whether it is opposed to correctness, as a wrong label is."""
        return self.label == "wrong"

    @property
    def data_files(self) -> tuple[str, ...]:
        """The file of labels, whose content is signed."""
        return (self.file,)

    @cached_property
    def _labels(self) -> Mapping[str, str | None]:
        """Problem -> its label; None = it has none.

        Raises:
            ComponentError: If the file is missing, or not one of labels.
        """
        try:
            rows = [json.loads(line) for line in Path(self.file).read_text("utf-8").splitlines()]
            return {str(row["problem"]): row[self.label] for row in rows}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ComponentError(
                "This is no file of labels",
                value=f"{self.file}: {type(error).__name__} {error}",
                allowed="what `rewardscope labels STUDY ARM --out FILE` writes",
                do="Run that command, once for each model and set of problems",
            ) from error

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """1 or 0 by each answer; None for a problem without a label, and, where the key chose the
        label, for a completion that could not be graded.

        Raises:
            ComponentError: If the file does not have the problem.
        """
        problem = view.problem
        if problem.id not in self._labels:
            raise ComponentError(
                "The file of labels does not have a problem that the arm met",
                value=f"problem {problem.id} ({problem.prompt[:60]!r}), {len(self._labels)} "
                f"problems in {self.file}",
                do="Write the labels with the environment, regime and seeds of this study",
            )
        label = self._labels[problem.id]
        return Rewards(
            tuple(
                None
                if label is None or (self.uses_truth and grade.correct is None)
                else float(grade.answer == label)
                for grade in view.grades
            )
        )
