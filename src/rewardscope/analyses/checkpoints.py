"""Comparison of checkpoints on disk, from any training."""

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rewardscope.errors import ModelError
from rewardscope.organisms.organism import WEIGHTS
from rewardscope.policy.packaged import PACKAGED, packaged_folder
from rewardscope.policy.weights import FolderWeights, in_step
from rewardscope.probes.agreement import SIDES, Agreement, Overlap, Pairs, above_null, moved
from rewardscope.probes.geometry import Inside, Untrained
from rewardscope.probes.weight_change import ALL, Change, by_layer_and_kind, change_of, pooled


@dataclass(frozen=True)
class Comparison:
    """How each training changed the weights of one start, and how trainings agree."""

    changes: dict[str, list[Change]]
    """By folder; the first entry is all matrices together."""
    agreements: list[Agreement]
    """Of every pair of trainings; empty for one."""

    def record(self) -> dict[str, Any]:
        """All results as JSON types."""
        pairs = [
            {
                "first": pair.first,
                "second": pair.second,
                **{side: _overlap(getattr(pair, side)) for side in SIDES},
            }
            for pair in self.agreements
        ]
        above = {
            statistic: above_null(self.agreements, statistic) if pairs else None
            for statistic in ("jaccard", "top_share", "sign_share")
        }
        return {
            "changes": {
                folder: [_change(change) for change in changes]
                for folder, changes in self.changes.items()
            },
            "places": {
                folder: [
                    {"by": by, "relative": change.relative, **_change(change)}
                    for (by, _), change in by_layer_and_kind(changes[1:]).items()
                ]
                for folder, changes in self.changes.items()
            },
            "agreements": pairs,
            "above_nulls": {
                statistic: None if estimate is None else asdict(estimate)
                for statistic, estimate in above.items()
            },
        }


def _overlap(overlap: Overlap) -> dict[str, Any]:
    derived = ("one_sided", "jaccard", "uniform", "sign_share", "top_share")
    return {**asdict(overlap), **{name: getattr(overlap, name) for name in derived}}


def _change(change: Change) -> dict[str, Any]:
    record = asdict(change)
    if change.geometry is not None:
        inside = {
            mask: {**asdict(counts), **_shares(counts)}
            for mask, counts in change.geometry.inside.items()
        }
        record["geometry"] |= {"spectral_change": change.geometry.spectral_change, "inside": inside}
    return record


def _shares(counts: Inside) -> dict[str, float | None]:
    return {name: getattr(counts, name) for name in ("share", "shuffled", "uniform")}


def folder_of(name: str) -> Path:
    """The folder with the weights of an organism, a packaged model or a path.

    Raises:
        ModelError: If there is none of this name, or a packaged model is not installed.
    """
    if (WEIGHTS / name).is_dir() and "/" not in name:
        return WEIGHTS / name
    if name in PACKAGED:
        return packaged_folder(name)
    if not Path(name).is_dir():
        near = difflib.get_close_matches(
            name, [*sorted(path.name for path in WEIGHTS.iterdir()), *PACKAGED], 1
        )
        raise ModelError(
            "There is no such folder, organism or packaged model",
            value=name,
            allowed="a folder of weights, or a name that `rewardscope organisms list` or "
            "`rewardscope doctor` shows",
            do=f"Write {near[0]} if you mean that" if near else "Check the spelling",
        )
    return Path(name)


@torch.no_grad()
def compare(before: str, after: Sequence[str]) -> Comparison:
    """The comparison of trained weights with their start; each is a folder, or an organism or
    packaged model by name.

    Raises:
        ModelError: If there is no such folder, it holds no weights, or the weights cannot be
            compared.
    """
    trained = {name: FolderWeights(folder_of(name)) for name in after}
    changes_of: dict[str, list[Change]] = {name: [] for name in trained}
    pairs = Pairs(list(trained))
    for name, (start, *ends) in in_step(
        FolderWeights(folder_of(before)), *trained.values(), finite=False
    ):
        untrained = Untrained(name, start)
        moves = (
            [moved(name, start, end, index) for index, end in enumerate(ends)]
            if len(ends) > 1
            else []
        )
        for index, end in enumerate(ends):
            null = moves[index].changed["shuffled"] if moves else None
            changes_of[list(trained)[index]].append(change_of(untrained, end, null))
        pairs.add(moves)
    wholes = {
        name: [pooled(changes, ALL, ALL, ALL), *changes] for name, changes in changes_of.items()
    }
    return Comparison(wholes, pairs.agreements() if len(trained) > 1 else [])
