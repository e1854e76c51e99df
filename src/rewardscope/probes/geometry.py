"""Where an update lies, relative to the singular directions of the untrained weights, their
principal entries and their small entries.
"""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from rewardscope.policy.weights import largest
from rewardscope.probes.spectra import Directions, directions, principal_angles

DIRECTIONS = 16
"""k of the subspaces; the one number in the literature (projected training in arXiv:2606.07082),
fixed before anything was measured.
"""
ALPHA = 0.3
"""Share of a matrix's entries in the principal and in the low mask, as in the figures of
arXiv:2606.07082; Zhu et al. train with 0.5.
"""


@dataclass(frozen=True)
class Untrained:
    """One untrained matrix, with what every training of it is compared to. Each part is computed
    once, when it is first used.
    """

    name: str
    weight: Tensor
    """In float32."""

    @cached_property
    def directions(self) -> Directions:
        """Its singular values and first directions."""
        return directions(self.weight, DIRECTIONS)

    @cached_property
    def stored(self) -> Tensor:
        """As bfloat16 stores it."""
        return self.weight.bfloat16()

    @cached_property
    def masks(self) -> dict[str, Tensor]:
        """``principal``: the largest entries of the rank-k reconstruction; ``low``: the smallest
        weights; a share of ALPHA each.
        """
        count = int(ALPHA * self.weight.numel())
        low = largest(-self.weight.abs(), count)
        own = self.directions
        if own.left_MK is None or own.right_NK is None:
            return {"low": low}
        left_MK = (own.left_MK * own.value_R[: own.count]).float()
        return {"principal": largest((left_MK @ own.right_NK.float().T).abs(), count), "low": low}


@dataclass(frozen=True)
class Inside:
    """How much of a changed mask lies in a mask of the untrained weights."""

    mask_size: int
    size: int
    changed: int
    inside: int
    changed_shuffled: int
    """By the same update shuffled over the matrix and stored again."""
    inside_shuffled: int

    @property
    def share(self) -> float | None:
        """|mask and changed| / |changed|; None where nothing changed."""
        return self.inside / self.changed if self.changed else None

    @property
    def shuffled(self) -> float | None:
        """The same for the shuffled update: what storage alone produces."""
        return self.inside_shuffled / self.changed_shuffled if self.changed_shuffled else None

    @property
    def uniform(self) -> float:
        """The same for a changed mask that is independent of the weights."""
        return self.mask_size / self.size

    def __add__(self, other: "Inside") -> "Inside":
        """The sum of both, field by field."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Inside(*(first + second for first, second in pairs))


@dataclass(frozen=True)
class Geometry:
    """Where the update of one matrix lies. For all together: sums, and means over the matrices that
    have a value.
    """

    spectrum_moved: float
    """Sum of squares of sigma(trained) - sigma(untrained)."""
    spectrum: float
    """Sum of squares of sigma(untrained)."""
    inside: dict[str, Inside]
    """By mask."""
    gap: float | None
    """sigma_k - sigma_(k + 1) of the untrained matrix; None where it has no k directions."""
    gap_over_update: float | None
    """The same over the update's largest singular value: above 1 the largest angle is below asin(1
    / it), below 1 nothing bounds it.
    """
    angles: dict[str, dict[str, float]]
    """Side (left, right) -> largest and mean principal angle between the first k directions before
    and after, in degrees.
    """

    @property
    def spectral_change(self) -> float | None:
        """NSS = ||sigma(trained) - sigma(untrained)|| / ||sigma(untrained)||."""
        return (self.spectrum_moved / self.spectrum) ** 0.5 if self.spectrum else None


def geometry_of(
    before: Untrained, after: Tensor, changed_shuffled: Tensor, largest_of_update: float
) -> Geometry:
    """The geometry of one matrix.

    Args:
        before: Untrained.
        after: Trained, in float32.
        changed_shuffled: Mask of what bfloat16 stores as changed by the shuffled update.
        largest_of_update: Largest singular value of trained - untrained.
    """
    changed, null = after.bfloat16() != before.stored, changed_shuffled
    numbers = (int(changed.count_nonzero()), int(null.count_nonzero()))
    inside = {
        name: Inside(
            int(mask.count_nonzero()),
            mask.numel(),
            numbers[0],
            int((mask & changed).count_nonzero()),
            numbers[1],
            int((mask & null).count_nonzero()),
        )
        for name, mask in before.masks.items()
    }
    own = before.directions
    spectrum = float(own.value_R.square().sum())
    if largest_of_update == 0:
        return Geometry(
            0.0,
            spectrum,
            inside,
            own.gap,
            None,
            {side: {"largest": 0.0, "mean": 0.0} for side in _sides(own)},
        )
    new = directions(after, DIRECTIONS)
    angles = {
        side: {"largest": float(angle_K[-1]), "mean": float(angle_K.mean())}
        for side, first in _sides(own).items()
        if (second := _sides(new).get(side)) is not None
        for angle_K in [principal_angles(first, second)]
    }
    ratio = None if own.gap is None else own.gap / largest_of_update
    return Geometry(
        float((new.value_R - own.value_R).square().sum()), spectrum, inside, own.gap, ratio, angles
    )


def _sides(subspaces: Directions) -> dict[str, Tensor]:
    """The subspaces that exist, by side."""
    sides = {"left": subspaces.left_MK, "right": subspaces.right_NK}
    return {side: vectors for side, vectors in sides.items() if vectors is not None}


def together(geometries: list[Geometry]) -> Geometry:
    """All matrices as one: sums of the spectra and counts, means of gaps and angles."""
    inside: dict[str, Inside] = {}
    for geometry in geometries:
        for mask, counts in geometry.inside.items():
            inside[mask] = inside[mask] + counts if mask in inside else counts
    angles: dict[str, dict[str, float]] = {}
    for side in ("left", "right"):
        entries = [geometry.angles[side] for geometry in geometries if side in geometry.angles]
        if entries:
            angles[side] = {
                which: sum(entry[which] for entry in entries) / len(entries) for which in entries[0]
            }
    return Geometry(
        sum(geometry.spectrum_moved for geometry in geometries),
        sum(geometry.spectrum for geometry in geometries),
        inside,
        _mean([geometry.gap for geometry in geometries]),
        _mean([geometry.gap_over_update for geometry in geometries]),
        angles,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
