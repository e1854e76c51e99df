"""Parts that preference objectives share: rewards become pairs, and pairs a loss."""

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.seeds import Address, generator
from rewardscope.tensors import CompletionLoss, Signals, TokenCredit

Pairs = Literal["all", "one"]
"""All: each better completion of a group with each worse one. One: one such pair per group, drawn
at random.
"""


def check(method: object, pairs: str, *positive: str) -> None:
    """Checks the fields of an objective.

    Raises:
        ComponentError: If ``pairs`` is unknown, or one of the named fields is not above 0.
    """
    if pairs not in get_args(Pairs) or not all(getattr(method, name) > 0 for name in positive):
        allowed = f"pairs one of {', '.join(get_args(Pairs))}; {', '.join(positive)} above 0"
        raise ComponentError(
            f"{type(method).__name__} cannot have these settings",
            value=method,
            allowed=allowed,
            do="Correct them in the study file",
        )


def better_than(
    reward_PG: Float[Tensor, "P G"], pairs: Pairs, address: tuple[Address, ...]
) -> Float[Tensor, "P G G"]:
    """1 at (p, g, h) where completion g has a higher reward than completion h and the two are a
    pair; 0 elsewhere, and for completions without a reward.

    A step whose groups each have equal rewards has no pair and teaches nothing.
    """
    better_PGG = (reward_PG[:, :, None] > reward_PG[:, None, :]).float()
    if pairs == "one":
        noise_PGG = torch.from_numpy(generator(*address, "pairs").random(tuple(better_PGG.shape)))
        best_P = (noise_PGG * better_PGG).flatten(1).argmax(dim=1)
        kept_PGG = torch.nn.functional.one_hot(best_P, better_PGG[0].numel()).reshape(
            better_PGG.shape
        )
        better_PGG = better_PGG * kept_PGG
    return better_PGG


def over_pairs(
    loss_PGG: Float[Tensor, "P G G"], pair_PGG: Float[Tensor, "P G G"]
) -> Float[Tensor, ""]:
    """Mean over the pairs; 0 if a minibatch has none."""
    return (loss_PGG * pair_PGG).sum() / pair_PGG.sum().clamp(min=1)


def apart(value_PG: Float[Tensor, "P G"]) -> Float[Tensor, "P G G"]:
    """value[p, g] - value[p, h]."""
    return value_PG[:, :, None] - value_PG[:, None, :]


def lengths(signals: Signals) -> Float[Tensor, "P G"]:
    """Tokens of each completion."""
    return signals.mask_NT.sum(dim=1).clamp(min=1).reshape(signals.reward_PG.shape).float()


def comparing(signals: Signals, loss: CompletionLoss, **notes: float) -> TokenCredit:
    """Credit that consists of a loss over whole completions alone."""
    nothing_NT = torch.zeros(signals.mask_NT.shape)
    return TokenCredit(
        nothing_NT, {f"credit/{name}": value for name, value in notes.items()}, completion_loss=loss
    )
