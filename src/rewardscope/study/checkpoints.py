"""Checkpoints on disk side by side, whoever trained them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rewardscope.organisms.organism import WEIGHTS
from rewardscope.policy.packaged import PACKAGED, packaged_folder
from rewardscope.policy.weights import FolderWeights
from rewardscope.probes.agreement import Agreement, agreements
from rewardscope.probes.weight_change import Change, changes


@dataclass(frozen=True)
class Comparison:
    """What became of the weights of one start in each training, and between trainings."""

    changes: dict[str, list[Change]]
    """By folder; the first entry is all matrices together."""
    agreements: list[Agreement]
    """Of every pair of trainings; empty for one."""

    def record(self) -> dict[str, Any]:
        """Everything for machines."""
        overlaps = [
            {"first": pair.first, "second": pair.second, **{name: _overlap(pair, name) for name in ("found", "shuffled")}}
            for pair in self.agreements
        ]
        return {"changes": {folder: [asdict(change) for change in found] for folder, found in self.changes.items()}, "agreements": overlaps}


def _overlap(pair: Agreement, name: str) -> dict[str, Any]:
    overlap = pair.found if name == "found" else pair.shuffled
    derived = {"one_sided": overlap.one_sided, "jaccard": overlap.jaccard, "uniform": overlap.uniform, "top_share": overlap.top_share}
    return {**asdict(overlap), **derived}


def folder_of(name: str) -> Path:
    """Where the weights of an organism, a packaged model or a folder are.

    Raises:
        ModelError: If a packaged model is not installed.
    """
    if (WEIGHTS / name).is_dir() and "/" not in name:
        return WEIGHTS / name
    return packaged_folder(name) if name in PACKAGED else Path(name)


@torch.no_grad()
def compare(before: str, after: Sequence[Path]) -> Comparison:
    """The comparison of trained folders with what they began as.

    Raises:
        ModelError: If a folder holds no weights, or weights that cannot be compared.
    """
    start = FolderWeights(folder_of(before))
    trained = {str(folder): FolderWeights(folder) for folder in after}
    found = {name: changes(start, weights) for name, weights in trained.items()}
    return Comparison(found, agreements(start, trained) if len(trained) > 1 else [])
