"""Retraining only the entries that an arm had changed, and as many other entries for comparison: a
study made from a finished run, and its results. Entries that a seed had changed replay that seed,
so those of another seed are the control that decides.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from rewardscope.errors import StudyError
from rewardscope.learner.subnetwork import Entries, Subnetwork, View
from rewardscope.policy.weights import FolderWeights, PolicyWeights, Weights, in_step
from rewardscope.probes import Probe
from rewardscope.stats import Estimate, paired_contrast
from rewardscope.store import RunDirectory, read_rollouts
from rewardscope.study.study import Cell, Evaluation, Study
from rewardscope.training import Arm
from rewardscope.types import Claim

FULL = "full"
METRIC = "boundary/pass_at_k"
"""The metric of the claims, if the run measured it."""
TOLERANCES = (1e-5, 1e-4)
"""Absolute, as in arXiv:2505.11711, table 2."""
MATCHED: tuple[Entries, ...] = ("changed", "other", "random")
"""Also trained with steps of the norm that full steps have, in the view ``largest``."""
MARGIN = 0.05
"""Margin of the claims: the share of held-out draws that would matter."""


def subnetwork_study(
    name: str,
    arm: Arm,
    trained: Mapping[int, Path],
    evaluation: Evaluation,
    probes: tuple[Probe, ...],
    threads_per_cell: int,
    device: str,
) -> Study:
    """The arm in full, with four masks in each of two views, and with three of them at the norm of
    full steps.

    Args:
        name: Name of the study.
        arm: The arm as it was trained in full.
        trained: Its last checkpoint by seed.
        evaluation: Evaluation of the run that it comes from.
        probes: Instruments of that run.
        threads_per_cell: Threads per cell in that run.
        device: Device of that run.

    Raises:
        StudyError: If there are fewer than two seeds, or the arm's learner does not train all
            weights.
    """
    if len(trained) < 2:
        raise StudyError(
            "A subnetwork study needs several finished seeds",
            value=f"{len(trained)} finished seed",
            allowed="2 or more",
            do="Add another seed to the run",
        )
    if arm.learner.low_rank is not None or arm.learner.mask is not None:
        raise StudyError(
            "The arm did not train all weights",
            value=arm.name,
            allowed="no low_rank, no mask",
            do="Choose another arm",
        )
    seeds = tuple(trained)
    folders = tuple((seed, str(trained[seed].resolve())) for seed in seeds)
    next_folders = tuple(
        (seed, folders[(index + 1) % len(folders)][1]) for index, seed in enumerate(seeds)
    )
    full = replace(arm, name=FULL)
    truth = any(arm.uses_truth.values())
    arms = [full]
    masks = [(view, entries, False) for view in get_args(View) for entries in get_args(Entries)]
    for view, entries, matched in [*masks, *(("largest", entries, True) for entries in MATCHED)]:
        mask = Subnetwork(
            folders,
            entries,
            view,
            others=next_folders if entries == "other" else (),
            trained_with_truth=truth,
            matched=matched,
        )
        named = f"{view}-{entries}{'-matched' if matched else ''}"
        arms.append(replace(arm, name=named, learner=replace(arm.learner, mask=mask)))
    return Study(
        name=name,
        question=f"Are the weights that '{arm.name}' changed enough to be trained, and are they "
        "better than as many others?",
        about=__doc__ or "",
        arms=tuple(arms),
        seeds=seeds,
        evaluation=evaluation,
        probes=probes,
        claims=_claims() if any(METRIC in probe.metrics for probe in probes) else (),
        threads_per_cell=threads_per_cell,
        device=device,
    )


def _claims() -> tuple[Claim, ...]:
    """For each view: as good as full training, better than as many random entries, and the same of
    another seed's entries, which decides; that once more at the norm of full steps.
    """
    shared: dict[str, Any] = {"metric": METRIC, "labels": {"k": "1"}, "margin": MARGIN}
    claims = []
    for view in get_args(View):
        entries = {
            "bfloat16": "that bfloat16 stores as changed",
            "largest": "of the largest tenth of float32 updates",
        }[view]
        claims += [
            Claim(
                sentence=f"Training the entries {entries} alone is as good as training all.",
                treatment=f"{view}-changed",
                control=FULL,
                expects="same",
                **shared,
            ),
            Claim(
                sentence=f"They are better than as many random ones ({view}).",
                treatment=f"{view}-changed",
                control=f"{view}-random",
                **shared,
            ),
            Claim(
                sentence=f"They do not merely replay their seed: another's do as well ({view}).",
                treatment=f"{view}-changed",
                control=f"{view}-other",
                expects="same",
                **shared,
            ),
            Claim(
                sentence=f"Another seed's are better than as many random ones ({view}).",
                treatment=f"{view}-other",
                control=f"{view}-random",
                **shared,
            ),
        ]
    claims.append(
        Claim(
            sentence="So they are at the norm of full steps (largest).",
            treatment="largest-other-matched",
            control="largest-random-matched",
            **shared,
        )
    )
    return tuple(claims)


@dataclass(frozen=True)
class Retrained:
    """One arm's results compared with full training; means over seeds."""

    arm: str
    trained_share: float
    """Share of all weights that it trains."""
    accuracy: Estimate
    """Share of held-out draws that are right."""
    against_full: Estimate | None
    against_random: Estimate | None
    equal: dict[str, Estimate]
    """Tolerance -> share of the entries inside the mask that ended as in full training."""
    equal_untrained: dict[str, Estimate]
    """The same for the untrained weights: what would be equal if nothing had been learned."""
    moved_outside: int
    """Entries outside the mask that differ from the start, over all seeds."""
    update_norm: float
    """Norm of the whole update over that of full training; mean over seeds."""


@torch.no_grad()
def read_subnetworks(study: Study, run: RunDirectory) -> dict[str, Any]:
    """The results as JSON types: the untrained policy's accuracy, and each arm compared with full
    training.

    Raises:
        StudyError: If a cell is not done.
    """
    cells = study.cells()
    undone = [cell.name for cell in cells if run.cell(cell.name).status()["state"] != "done"]
    if undone:
        raise StudyError(
            "Some cells are not done",
            value=", ".join(undone[:4]),
            do="Run the command again: finished cells are kept",
        )
    right = {
        arm.name: _right(run, [cell for cell in cells if cell.label == arm.name], arm.steps)
        for arm in study.arms
    }
    base = _right(run, [cells[0]] * len(study.seeds), 0)
    rows = [_retrained(study, run, arm, right, study.arms[0]) for arm in study.arms]
    return {
        "untrained": asdict(_over_seeds(base, "untrained")),
        "arms": [asdict(row) for row in rows],
        "seeds": list(study.seeds),
    }


def _right(run: RunDirectory, cells: Sequence[Cell], step: int) -> np.ndarray:
    """Share of right draws (seeds, problems)."""
    groups = [read_rollouts(run.cell(cell.name).step_file("evaluation", step)) for cell in cells]
    return np.array(
        [
            [np.nan if rollout.pass_rate is None else rollout.pass_rate for rollout in group]
            for group in groups
        ]
    )


def _over_seeds(value_SP: np.ndarray, address: str, low: float = 0.0) -> Estimate:
    """The mean of shares, or with ``low`` = -1 of their differences, over the problems that could
    be graded under every seed.

    Where all are alike, the interval is the remaining uncertainty, as for a verdict. No interval
    exceeds the range of a share.
    """
    bounds = (low, 1.0)
    graded_SP = value_SP[:, np.isfinite(value_SP).all(axis=0)]
    return paired_contrast(graded_SP, address=f"subnetwork/{address}", bounds=bounds).within(bounds)


def _retrained(
    study: Study, run: RunDirectory, arm: Arm, right: Mapping[str, np.ndarray], full: Arm
) -> Retrained:
    start = PolicyWeights(arm.start.load())
    counts_of_seeds = [_inside(run, study, arm, seed, start) for seed in study.seeds]
    view, _, rest = arm.name.partition("-")
    random = f"{view}-random{'-matched' if rest.endswith('-matched') else ''}"
    against_full = (
        None
        if arm.name == FULL
        else _over_seeds(right[arm.name] - right[FULL], f"{arm.name}/full", -1.0)
    )
    plain = arm.name in (FULL, random)
    against_random = (
        None if plain else _over_seeds(right[arm.name] - right[random], f"{arm.name}/random", -1.0)
    )

    def share(quantity: str) -> dict[str, Estimate]:
        return {
            f"{tolerance:g}": _over_seeds(
                np.array(
                    [
                        [counts[quantity, tolerance] / counts["inside", 0]]
                        for counts in counts_of_seeds
                    ]
                ),
                f"{arm.name}/{quantity}",
            )
            for tolerance in TOLERANCES
        }

    inside, size = (
        sum(counts[quantity, 0] for counts in counts_of_seeds) for quantity in ("inside", "size")
    )
    moved = sum(counts["moved_outside", 0] for counts in counts_of_seeds)
    norms = [
        math.sqrt(counts["own_square", 0] / counts["full_square", 0])
        for counts in counts_of_seeds
        if counts["full_square", 0]
    ]
    shares = (
        (share("equal"), share("untrained"))
        if all(counts["inside", 0] for counts in counts_of_seeds)
        else ({}, {})
    )
    return Retrained(
        arm.name,
        inside / size,
        _over_seeds(right[arm.name], arm.name),
        against_full,
        against_random,
        *shares,
        int(moved),
        float(np.mean(norms)) if norms else math.nan,
    )


def _inside(
    run: RunDirectory, study: Study, arm: Arm, seed: int, start: Weights
) -> dict[tuple[str, float], float]:
    """Counts over all matrices of one seed, inside its mask and outside, and the squared norms of
    its update and of full training's.
    """
    step = arm.steps
    by_label = {
        (cell.label, cell.seed): run.cell(cell.name).checkpoint(step) for cell in study.cells()
    }
    full, own = (FolderWeights(by_label[label, seed]) for label in (FULL, arm.name))
    masks: Mapping[str, Tensor] = arm.learner.mask.masks(start, seed) if arm.learner.mask else {}
    total: dict[tuple[str, float], float] = dict.fromkeys(
        [("inside", 0), ("size", 0), ("moved_outside", 0)], 0
    )
    for name, (before, in_full, in_arm) in in_step(start, full, own):
        mask = masks.get(name, torch.ones_like(before, dtype=torch.bool))
        counts = {
            ("inside", 0.0): mask,
            ("size", 0.0): torch.ones_like(mask),
            ("moved_outside", 0.0): (in_arm != before) & ~mask,
            ("own_square", 0.0): (in_arm - before).double() ** 2,
            ("full_square", 0.0): (in_full - before).double() ** 2,
        }
        for tolerance in TOLERANCES:
            counts["equal", tolerance] = ((in_arm - in_full).abs() <= tolerance) & mask
            counts["untrained", tolerance] = ((before - in_full).abs() <= tolerance) & mask
        for key, value in counts.items():
            total[key] = total.get(key, 0) + float(value.sum())
    return total
