"""How much of the weights moved, how far, and in how many directions."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rewardscope.policy.weights import PolicyWeights, Weights, in_step
from rewardscope.probes.base import Subject
from rewardscope.probes.spectra import numerical_rank, singular_values, stable_rank
from rewardscope.types import Measurement

TOLERANCE = 1e-5
"""Absolute; the sparsity paper's threshold."""
RELATIVE = 1e-3
"""Below the spacing of bfloat16, so on stored bfloat16 values it asks for the same bits."""
ALL = "all"
"""Stands for every matrix together."""


def changed_counts(before: Tensor, after: Tensor) -> dict[str, int]:
    """Entries that differ: in float32, as bfloat16 would store them, by more than 1e-3 of the larger, and by more than 1e-5."""
    apart = (before - after).abs()
    return {
        "float32": int((before != after).sum()),
        "bfloat16": int((before.bfloat16() != after.bfloat16()).sum()),
        "relative_1e-3": int((apart > RELATIVE * torch.maximum(before.abs(), after.abs())).sum()),
        "tolerance_1e-5": int((apart > TOLERANCE).sum()),
    }


@dataclass(frozen=True)
class Change:
    """What happened to one matrix, or to all together."""

    matrix: str
    size: int
    changed: dict[str, int]
    moved: float
    """Sum of squares of the update."""
    norm: float
    """Sum of squares of the untrained weights."""
    rank_share: dict[str, float]
    """Numerical rank over the largest possible one, of the update in float32 and of the update that bfloat16 stores; empty for vectors."""
    stable_rank: dict[str, float]
    """Squared Frobenius norm over squared largest singular value; lacks a view whose update is 0."""


def change_of(name: str, before: Tensor, after: Tensor, *, ranks: bool) -> Change:
    """The change of one tensor."""
    rank_share, stable = {}, {}
    if ranks and before.ndim == 2:
        eps = torch.finfo(torch.float32).eps
        views = {
            "float32": (after - before, eps / 2 * float(torch.maximum(before.abs().max(), after.abs().max()))),
            "bfloat16": (after.bfloat16().float() - before.bfloat16().float(), 0.0),
        }
        for view, (update, rounding) in views.items():
            values = singular_values(update)
            rank_share[view] = numerical_rank(values, tuple(update.shape), rounding) / len(values)
            found = stable_rank(values)
            if found is not None:
                stable[view] = found
    squares = float((after - before).double().square().sum()), float(before.double().square().sum())
    return Change(name, before.numel(), changed_counts(before, after), *squares, rank_share, stable)


def changes(before: Weights, after: Weights, *, ranks: bool = True) -> list[Change]:
    """The change of every tensor, and first that of all together; ranks of all together are means over matrices.

    Raises:
        ModelError: If the two are not of one architecture, or a tensor cannot be compared.
    """
    found = [change_of(name, first, last, ranks=ranks) for name, (first, last) in in_step(before, after)]
    together = Change(
        ALL,
        sum(change.size for change in found),
        {view: sum(change.changed[view] for change in found) for view in found[0].changed},
        sum(change.moved for change in found),
        sum(change.norm for change in found),
        _means([change.rank_share for change in found]),
        _means([change.stable_rank for change in found]),
    )
    return [together, *found]


def _means(entries: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each view over the matrices that have it."""
    views = dict.fromkeys(view for entry in entries for view in entry)
    values = {view: [entry[view] for entry in entries if view in entry] for view in views}
    return {view: sum(numbers) / len(numbers) for view, numbers in values.items()}


@dataclass(frozen=True)
class WeightChange:
    """Share of changed entries, norm and rank of the update, per matrix and in all, against the untrained weights.

    A share in bfloat16 view is a property of the storage as much as of the training: an entry counts only when the update passes
    half the spacing of bfloat16 at that entry's size. So is a full rank of the stored update: a rank-1 update of small entries is stored
    as one of nearly full rank.

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711 (share at tolerance 1e-5, rank); Zhu et al. 2025, arXiv:2511.08567 (bfloat16 view).
    """

    reads: ClassVar[str] = "weights, of the base too"
    metrics: ClassVar[tuple[str, ...]] = (
        *("weights/changed_share", "weights/update_norm", "weights/relative_update_norm", "weights/rank_share", "weights/stable_rank"),
    )

    @torch.no_grad()
    def measure(self, subject: Subject) -> list[Measurement]:
        """Rows per matrix and for ``matrix = all``; none for the base itself."""
        if subject.base_policy is None:
            return []
        found = changes(PolicyWeights(subject.base_policy), PolicyWeights(subject.policy))
        return [row for change in found for row in _rows(subject, change)]


def _rows(subject: Subject, change: Change) -> list[Measurement]:
    matrix, size = {"matrix": change.matrix}, change.size
    relative = (change.moved / change.norm) ** 0.5 if change.norm else None
    rows = [
        subject.row("weights/changed_share", "share", count / size, n=size, over="weights", labels={"view": view, **matrix})
        for view, count in change.changed.items()
    ]
    rows.append(subject.row("weights/update_norm", "l2", change.moved**0.5, n=size, over="weights", labels=matrix))
    number = size if relative is not None else 0
    rows.append(subject.row("weights/relative_update_norm", "ratio", relative, n=number, over="weights", labels=matrix))
    for view, share in change.rank_share.items():
        rows.append(subject.row("weights/rank_share", "share", share, n=size, over="weights", labels={"view": view, **matrix}))
        value = change.stable_rank.get(view)
        number = size if value is not None else 0
        rows.append(subject.row("weights/stable_rank", "directions", value, n=number, over="weights", labels={"view": view, **matrix}))
    return rows
