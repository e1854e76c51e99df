"""The memory that an arm takes, computed from its model's shape before anything is loaded."""

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from rewardscope.errors import StudyError
from rewardscope.learner.low_rank import LowRank
from rewardscope.learner.moments import BYTES
from rewardscope.learner.passes import USABLE, Held, activation_bytes, fitting_tokens
from rewardscope.policy.placement import Placement
from rewardscope.policy.precision import Precision
from rewardscope.policy.room import total_bytes
from rewardscope.policy.sampler import CACHE_BYTES, FREE_SHARE, MOST_ROWS, row_bytes
from rewardscope.policy.scoring import LOGIT_NUMBERS
from rewardscope.protocols import InFolder
from rewardscope.training.arm import Arm
from rewardscope.training.signals import reads_reference

GIB = 2**30
SHAPE = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
"""What a configuration must tell; one that is nested tells it elsewhere."""
LOGIT_COPIES = 3
"""Of a chunk's logits: themselves, their softmax, its gradient."""


@dataclass(frozen=True)
class Estimate:
    """Bytes on the device that trains. Updates and sampling take turns."""

    weights: int
    optimizer: int
    """Master copies and moments."""
    gradients: int
    companions: int
    """Reference, teacher, implicit reward model with its optimizer."""
    activations: int
    """Of one pass, with its logits."""
    cache: int
    """Keys and values of one batch of rows, with their logits."""

    @property
    def peak(self) -> int:
        """The most at one time."""
        held = self.weights + self.optimizer + self.companions
        return held + max(self.gradients + self.activations, self.cache)

    def __str__(self) -> str:
        parts = {spec.name: getattr(self, spec.name) / GIB for spec in fields(self)}
        said = ", ".join(f"{name} {gib:.1f}" for name, gib in parts.items() if gib >= 0.05)
        return f"{self.peak / GIB:.1f} GiB ({said})"


@cache
def empty_model(folder: Path, precision: Precision) -> PreTrainedModel:
    """The model of a Hugging Face folder without memory for its weights."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=precision.dtype)
    return model


def estimate(arm: Arm, model: PreTrainedModel, *, tokens: int, rows: int) -> Estimate:
    """The memory of an arm.

    Args:
        arm: The treatment.
        model: Its start's, in the number format of the run; weights may be missing (``meta``).
        tokens: Of one forward and backward pass.
        rows: Completions sampled at once.
    """
    learner, config = arm.learner, model.config
    number_bytes = int(model.dtype.itemsize)
    whole = sum(weight.numel() for weight in model.parameters())
    held = _held(arm, model)
    plain, trained = held.weights, Held.of(model, whole, BYTES["float32"])
    companions = 0
    if reads_reference(arm.credit) or learner.kl_weight > 0 or learner.implicit is not None:
        companions += plain
    if learner.teacher is not None and learner.teacher.kind != "live":
        companions += plain + (trained.masters if learner.teacher.kind == "average" else 0)
    if learner.implicit is not None:
        companions += trained.total
    vocabulary = int(config.vocab_size)
    logits = 4 * LOGIT_COPIES * min(LOGIT_NUMBERS, tokens * vocabulary)
    kept = tokens * activation_bytes(config, number_bytes, recomputing=learner.recomputing)
    return Estimate(
        weights=held.weights,
        optimizer=held.masters + held.moments,
        gradients=held.gradients,
        companions=companions,
        activations=kept + logits,
        cache=rows * row_bytes(config, number_bytes, arm.sampling.max_tokens, vocabulary),
    )


def _held(arm: Arm, model: PreTrainedModel) -> Held:
    low_rank, whole = arm.learner.low_rank, sum(weight.numel() for weight in model.parameters())
    moving = whole if low_rank is None else _adapter_numbers(model, low_rank)
    return Held.of(model, moving, BYTES[arm.learner.moments])


def _adapter_numbers(model: PreTrainedModel, low_rank: LowRank) -> int:
    """Weights of the adapters."""
    head = model.get_output_embeddings()
    return sum(
        low_rank.rank * (module.in_features + module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module is not head
        and (not low_rank.layers or name.endswith(low_rank.layers))
    )


def check_memory(arm: Arm, placement: Placement) -> Estimate | None:
    """What the arm takes on its device, with passes and rows as the run would choose them; None if
    its start tells no shape.

    Raises:
        StudyError: If it takes more than there is even with one row at a time; with the changes
            that would make it fit.
    """
    folder = arm.start.folder() if isinstance(arm.start, InFolder) else None
    if folder is None:
        return None
    device = torch.device(placement.device)
    precision = placement.precision or Precision.of(placement.device)
    limit = int(USABLE * total_bytes(device))

    def least(other: Arm, form: Precision) -> Estimate:
        length = other.sampling.max_tokens
        return estimate(other, empty_model(folder, form), tokens=length, rows=1)

    if not all(hasattr(empty_model(folder, precision).config, name) for name in SHAPE):
        return None
    smallest = least(arm, precision)
    if smallest.peak > limit:
        fitting = [
            f"{change}: {found.peak / GIB:.1f} GiB"
            for change, other, form in _changes(arm, precision)
            if (found := least(other, form)).peak <= limit
        ]
        raise StudyError(
            f"Arm '{arm.name}' does not fit the memory of its device",
            value=f"{smallest}, with one completion at a time",
            allowed=f"{limit / GIB:.1f} GiB, {USABLE:.0%} of {placement.device}'s",
            do="; or ".join(fitting) or "Take a smaller model, or a larger device",
        )
    return _as_run(arm, empty_model(folder, precision), device, limit, smallest)


def _as_run(
    arm: Arm, model: PreTrainedModel, device: torch.device, limit: int, smallest: Estimate
) -> Estimate:
    """The estimate with as many tokens in a pass and rows at once as the run has work and room
    for.
    """
    learner, length = arm.learner, arm.sampling.max_tokens
    total_rows = arm.problems_per_step * arm.completions_per_problem
    fitting = learner.pass_tokens or fitting_tokens(
        model, device, _held(arm, model), recomputing=learner.recomputing
    )
    tokens = max(length, min(fitting, total_rows * length))
    free = limit - smallest.weights - smallest.optimizer - smallest.companions
    room = max(CACHE_BYTES, smallest.weights // 2) if device.type == "cpu" else FREE_SHARE * free
    rows = max(1, min(total_rows, MOST_ROWS, int(room // smallest.cache)))
    return estimate(arm, model, tokens=tokens, rows=rows)


def _changes(arm: Arm, precision: Precision) -> list[tuple[str, Arm, Precision]]:
    """Arms that take less, with how each is written, from the smallest change on."""

    def learned(**settings: Any) -> Arm:
        return replace(arm, learner=replace(arm.learner, **settings))

    narrow = Precision("bfloat16", float32_head=precision.float32_head)
    lean: list[tuple[str, dict[str, Any]]] = [
        ("Learner(recomputing=True)", {"recomputing": True}),
        ("Learner(moments='8bit')", {"moments": "8bit"}),
        ("Learner(moments='8bit', recomputing=True)", {"moments": "8bit", "recomputing": True}),
        ("Learner(low_rank=LowRank())", {"low_rank": LowRank()}),
        (
            "Learner(low_rank=LowRank(), recomputing=True)",
            {"low_rank": LowRank(), "recomputing": True},
        ),
    ]
    if arm.learner.mask is not None:  # takes all weights, with moments in float32
        lean = lean[:1]
    changes = [(said, learned(**settings), precision) for said, settings in lean]
    if precision != narrow:
        changes += [("Study(precision=Precision('bfloat16'))", arm, narrow)]
        changes += [
            (f"{said} and Study(precision=Precision('bfloat16'))", learned(**settings), narrow)
            for said, settings in lean
        ]
    return changes
