"""How much of the weights moved, and how far."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rewardscope.probes.base import Subject
from rewardscope.types import Measurement

TOLERANCE = 1e-5
"""Absolute; the sparsity paper's threshold."""


def changed_counts(before: Tensor, after: Tensor) -> dict[str, int]:
    """Entries that differ: in float32, as bfloat16 would store them, and by more than 1e-5."""
    return {
        "float32": int((before != after).sum()),
        "bfloat16": int((before.bfloat16() != after.bfloat16()).sum()),
        "tolerance_1e-5": int(((before - after).abs() > TOLERANCE).sum()),
    }


@dataclass(frozen=True)
class WeightChange:
    """Share of changed entries and norm of the update, per matrix and in all, against the untrained weights.

    A share in bfloat16 view is a property of the storage as much as of the training: an entry counts only when the update passes
    half the spacing of bfloat16 at that entry's size.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711 (share at tolerance 1e-5); Zhu et al. 2025 (bfloat16 view).
    """

    metrics: ClassVar[tuple[str, ...]] = ("weights/changed_share", "weights/update_norm", "weights/relative_update_norm")

    @torch.no_grad()
    def measure(self, subject: Subject) -> list[Measurement]:
        """Rows per matrix and for ``matrix = all``; none for the base itself."""
        if subject.base_policy is None:
            return []
        before = dict(subject.base_policy.model.named_parameters())
        rows: list[Measurement] = []
        total = {"float32": 0, "bfloat16": 0, "tolerance_1e-5": 0}
        moved = norm = 0.0
        for name, parameter in subject.policy.model.named_parameters():
            first, last = before[name].float().cpu(), parameter.float().cpu()
            changed = changed_counts(first, last)
            squares = float((last - first).double().square().sum()), float(first.double().square().sum())
            rows += self._rows(subject, name, changed, first.numel(), *squares)
            total = {view: total[view] + changed[view] for view in total}
            moved, norm = moved + squares[0], norm + squares[1]
        size = sum(parameter.numel() for parameter in before.values())
        return self._rows(subject, "all", total, size, moved, norm) + rows

    def _rows(self, subject: Subject, matrix: str, changed: dict[str, int], size: int, moved: float, norm: float) -> list[Measurement]:
        """Rows of one matrix; ``moved`` and ``norm`` are sums of squares of the update and of the untrained weights."""
        rows = [
            subject.row("weights/changed_share", "share", count / size, n=size, over="weights", labels={"view": view, "matrix": matrix})
            for view, count in changed.items()
        ]
        relative = (moved / norm) ** 0.5 if norm else None
        rows.append(subject.row("weights/update_norm", "l2", moved**0.5, n=size, over="weights", labels={"matrix": matrix}))
        rows.append(subject.row("weights/relative_update_norm", "ratio", relative, n=size, over="weights", labels={"matrix": matrix}))
        return rows
