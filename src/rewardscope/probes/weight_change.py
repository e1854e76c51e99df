"""How much of the weights moved, how far, in how many directions, and where."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rewardscope.policy.weights import Weights, in_step, refuse_not_finite
from rewardscope.probes.base import Evidence, Need
from rewardscope.probes.geometry import Geometry, Untrained, geometry_of, together
from rewardscope.probes.matrix_names import kind_of, layer_of
from rewardscope.probes.nulls import shuffled
from rewardscope.probes.spectra import numerical_rank, singular_values, stable_rank
from rewardscope.types import Measurement

TOLERANCE = 1e-5
"""Absolute; the sparsity paper's threshold."""
RELATIVE = 1e-3
"""Below the spacing of bfloat16, so on stored bfloat16 values it asks for the same bits."""
ALL = "all"
"""Name for all matrices together."""
CHUNK = 1 << 16
"""Entries that are compared at a time, so that every intermediate number stays in the cache."""
VIEWS = ("float32", "bfloat16", "relative_1e-3", "tolerance_1e-5")


@dataclass(frozen=True)
class Tally:
    """Entries that differ, in float32, as bfloat16 would store them, by more than 1e-3 of the
    larger, by more than 1e-5; and how far.
    """

    changed: dict[str, int]
    moved: float
    """Sum of squares of after - before."""
    norm: float
    """Sum of squares of the weights before."""


def tally(before: Tensor, after: Tensor) -> Tally:
    """What differs between two float32 tensors of one shape, in one pass over both.

    A sum is NaN or infinite where an entry is.
    """
    first, second = before.reshape(-1).numpy(), after.reshape(-1).numpy()
    starts = range(0, len(first), CHUNK)
    threads = torch.get_num_threads() if len(starts) > 16 else 1
    parts = [starts[thread::threads] for thread in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(lambda part: _tally_chunks(first, second, part), parts))
    counts, sums = (np.sum([pair[which] for pair in results], axis=0) for which in (0, 1))
    return Tally(dict(zip(VIEWS, map(int, counts), strict=True)), *map(float, sums))


def _tally_chunks(
    first: np.ndarray, second: np.ndarray, starts: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    counts, sums = np.zeros(len(VIEWS), dtype=np.int64), np.zeros(2)
    with np.errstate(over="ignore", invalid="ignore"):  # the state is each thread's own
        for start in starts:
            before, after = first[start : start + CHUNK], second[start : start + CHUNK]
            apart = after - before
            # bit patterns, which compare ten times as fast as bfloat16 does: a NaN that differs
            # from itself is caught by the sums
            stored = [
                torch.from_numpy(side).bfloat16().view(torch.int16).numpy()
                for side in (before, after)
            ]
            sums += _squares(apart), _squares(before)
            moved = apart != 0
            np.abs(apart, out=apart)
            larger = np.maximum(np.abs(before), np.abs(after))
            larger *= np.float32(RELATIVE)
            # 0 and -0 differ in bits alone
            differs = (
                moved,
                (stored[0] != stored[1]) & moved,
                apart > larger,
                apart > np.float32(TOLERANCE),
            )
            counts += [np.count_nonzero(view) for view in differs]
    return counts, sums


def _squares(part: np.ndarray) -> float:
    """Sum of squares: in float32, or in float64 where that falls out of float32's range."""
    total = float(np.dot(part, part))
    return (
        total
        if 1e-30 < total < 1e30 or not part.any()
        else float(np.square(part, dtype=np.float64).sum())
    )


@dataclass(frozen=True)
class Change:
    """The change of one matrix, or of all together."""

    matrix: str
    layer: str
    kind: str
    """q, k, v, o, gate, up, down, norm, embedding, head ...; ``unknown`` where the name says
    nothing.
    """
    size: int
    changed: dict[str, int]
    moved: float
    """Sum of squares of the update."""
    norm: float
    """Sum of squares of the untrained weights."""
    rank_share: dict[str, float]
    """Numerical rank over the largest possible one, of the update in float32 and of the update that
    bfloat16 stores; empty for vectors.
    """
    stable_rank: dict[str, float]
    """Squared Frobenius norm over squared largest singular value; lacks a view whose update is 0.
    """
    geometry: Geometry | None
    """None for vectors, and where it was not requested."""

    @property
    def relative(self) -> float | None:
        """Norm of the update over that of the untrained weights."""
        return (self.moved / self.norm) ** 0.5 if self.norm else None


def change_of(
    before: Untrained,
    after: Tensor,
    changed_shuffled: Tensor | None = None,
    *,
    spectra: bool = True,
) -> Change:
    """The change of one tensor.

    Args:
        before: Untrained.
        after: Trained, in float32.
        changed_shuffled: Mask of what bfloat16 stores as changed by the shuffled update; drawn by
            the tensor's name where not given.
        spectra: Whether to look at ranks and geometry, which costs most of the time.

    Raises:
        ModelError: If a number in one of them is not finite.
    """
    counts = tally(before.weight, after)
    if not np.isfinite([counts.moved, counts.norm]).all():
        refuse_not_finite(before.name, before.weight, after)
    rank_share, stable, geometry = {}, {}, None
    if spectra and after.ndim == 2:
        update = after - before.weight
        eps = torch.finfo(torch.float32).eps
        views = {
            "float32": (
                update,
                eps / 2 * float(torch.maximum(before.weight.abs().max(), after.abs().max())),
            ),
            "bfloat16": (after.bfloat16().float() - before.stored.float(), 0.0),
        }
        largest = 0.0
        for view, (moved, rounding) in views.items():
            values = (
                singular_values(moved) if counts.changed[view] else torch.zeros(min(moved.shape))
            )
            rank_share[view] = numerical_rank(values, tuple(moved.shape), rounding) / len(values)
            ratio = stable_rank(values)
            if ratio is not None:
                stable[view] = ratio
            if view == "float32":
                largest = float(values[0])
        if changed_shuffled is None:
            changed_shuffled = (
                before.weight + shuffled(update, 0, before.name)
            ).bfloat16() != before.stored
        geometry = geometry_of(before, after, changed_shuffled, largest)
    names = (before.name, layer_of(before.name), kind_of(before.name))
    return Change(
        *names,
        after.numel(),
        counts.changed,
        counts.moved,
        counts.norm,
        rank_share,
        stable,
        geometry,
    )


def changes(before: Weights, after: Weights, *, spectra: bool = True) -> list[Change]:
    """The change of every tensor, and first that of all together; ranks and angles of all together
    are means over matrices.

    Raises:
        ModelError: If the two are not of one architecture, or a tensor cannot be compared.
    """
    per_tensor = [
        change_of(Untrained(name, first), last, spectra=spectra)
        for name, (first, last) in in_step(before, after, finite=False)
    ]
    return [pooled(per_tensor, ALL, ALL, ALL), *per_tensor]


def pooled(tensors: Sequence[Change], matrix: str, layer: str, kind: str) -> Change:
    """Several tensors as one: sums of counts and squares, means of ranks."""
    geometries = [change.geometry for change in tensors if change.geometry is not None]
    return Change(
        matrix,
        layer,
        kind,
        sum(change.size for change in tensors),
        {view: sum(change.changed[view] for change in tensors) for view in VIEWS},
        sum(change.moved for change in tensors),
        sum(change.norm for change in tensors),
        _means([change.rank_share for change in tensors]),
        _means([change.stable_rank for change in tensors]),
        together(geometries) if geometries else None,
    )


def by_layer_and_kind(tensors: Sequence[Change]) -> dict[tuple[str, str], Change]:
    """All tensors of each layer together, and all of each kind: ("layer", "3") or ("kind", "q") ->
    their change.
    """
    groups: dict[tuple[str, str], list[Change]] = {}
    for label in ("layer", "kind"):
        for change in tensors:
            groups.setdefault((label, getattr(change, label)), []).append(change)
    return {
        (label, name): pooled(group, ALL, *((name, ALL) if label == "layer" else (ALL, name)))
        for (label, name), group in groups.items()
    }


def _means(entries: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each view over the matrices that have it."""
    views = dict.fromkeys(view for entry in entries for view in entry)
    values = {view: [entry[view] for entry in entries if view in entry] for view in views}
    return {view: sum(numbers) / len(numbers) for view, numbers in values.items()}


@dataclass(frozen=True)
class WeightChange:
    """Share of changed entries, norm, rank and location of the update, per matrix and in all,
    against the untrained weights.

    A share in bfloat16 view is a property of the storage as much as of the training: an entry
    counts only when the update passes half the spacing of bfloat16 at that entry's size. So is a
    full rank of the stored update: a rank-1 update of small entries is stored as one of nearly full
    rank. So is where the changed entries lie: small weights change first, whatever was learned, and
    the overlaps with the low and the principal entries are reported beside those of the same update
    shuffled over the matrix and stored again.

    NSS = ||sigma(W+) - sigma(W0)|| / ||sigma(W0)||. Angles are those between the first 16 singular
    directions before and after; where the gap sigma_16 - sigma_17 is smaller than the update's
    largest singular value, nothing bounds them (Wedin).

    Source:
        Mukherjee et al. 2025, arXiv:2505.11711 (share at tolerance 1e-5, rank); Zhu et al. 2025,
            arXiv:2511.08567 (bfloat16 view, NSS, angles, masks); 2606.07082 (masks of 0.3, 16
            directions). The shuffled null is ours.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.WEIGHTS, Need.BASE_WEIGHTS})
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "weights/changed_share",
            "weights/update_norm",
            "weights/relative_update_norm",
            "weights/rank_share",
            "weights/stable_rank",
        ),
        *(
            "weights/spectral_change",
            "weights/principal_angle",
            "weights/spectral_gap",
            "weights/gap_over_update",
        ),
        *("weights/principal_overlap", "weights/low_overlap"),
    )

    @torch.no_grad()
    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows per matrix and for ``matrix = all``, norms also per layer and kind; none for the
        base itself.
        """
        before, after = evidence.untrained_weights, evidence.trained_weights
        if before is None or after is None:
            return []
        per_tensor = changes(before, after)
        rows = [row for change in per_tensor for row in _rows(evidence, change)]
        return rows + [
            row
            for group, change in by_layer_and_kind(per_tensor[1:]).items()
            for row in _norms(evidence, change, dict([group]))
        ]


def _norms(evidence: Evidence, change: Change, labels: dict[str, str]) -> list[Measurement]:
    size = change.size
    return [
        evidence.row(
            "weights/update_norm", "l2", change.moved**0.5, n=size, over="weights", labels=labels
        ),
        _row(evidence, "relative_update_norm", "ratio", change.relative, size, labels),
    ]


def _row(
    evidence: Evidence,
    metric: str,
    unit: str,
    value: float | None,
    size: int,
    labels: dict[str, str],
) -> Measurement:
    """A row whose value may be None; then n is 0."""
    return evidence.row(
        f"weights/{metric}",
        unit,
        value,
        n=0 if value is None else size,
        over="weights",
        labels=labels,
    )


def _rows(evidence: Evidence, change: Change) -> list[Measurement]:
    matrix, size = {"matrix": change.matrix}, change.size
    rows = [
        evidence.row(
            "weights/changed_share",
            "share",
            count / size,
            n=size,
            over="weights",
            labels={"view": view, **matrix},
        )
        for view, count in change.changed.items()
    ]
    rows += _norms(evidence, change, matrix)
    for view, share in change.rank_share.items():
        labels = {"view": view, **matrix}
        rows.append(
            evidence.row(
                "weights/rank_share", "share", share, n=size, over="weights", labels=labels
            )
        )
        rows.append(
            _row(evidence, "stable_rank", "directions", change.stable_rank.get(view), size, labels)
        )
    return (
        rows
        if change.geometry is None
        else rows + _location_rows(evidence, change.geometry, matrix, size)
    )


def _location_rows(
    evidence: Evidence, geometry: Geometry, matrix: dict[str, str], size: int
) -> list[Measurement]:
    """Rows for where the update lies. Overlaps are beside those of a shuffled update and of an
    independent mask.
    """
    rows = [
        _row(evidence, "spectral_change", "ratio", geometry.spectral_change, size, matrix),
        _row(evidence, "spectral_gap", "l2", geometry.gap, size, matrix),
        _row(evidence, "gap_over_update", "ratio", geometry.gap_over_update, size, matrix),
    ]
    for side, angles in geometry.angles.items():
        rows += [
            _row(
                evidence,
                "principal_angle",
                "degrees",
                angle,
                size,
                {"side": side, "of": of, **matrix},
            )
            for of, angle in angles.items()
        ]
    for mask, counts in geometry.inside.items():
        uniform = counts.uniform if counts.changed else None
        values = {"trained": counts.share, "shuffled": counts.shuffled, "uniform": uniform}
        rows += [
            _row(evidence, f"{mask}_overlap", "share", value, size, {"update": name, **matrix})
            for name, value in values.items()
        ]
    return rows
