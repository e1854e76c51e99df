"""Where updates push token probabilities on average, by how probable the tokens were before."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import stats as distributions
from torch import Tensor

from rewardscope.policy import Policy
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.scoring import distribution_tokens, distributions_of_rows
from rewardscope.stats import LEVEL
from rewardscope.tensors import Batch

EDGES = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
"""Bins of prior probability."""
BINS = tuple(f"{low:g} to {high:g}" for low, high in itertools.pairwise(EDGES))
NUMBERS = 1 << 24
"""Probabilities held at once in float64; more are processed in chunks."""
TOP, ENTROPY = "likeliest token, p", "entropy, nats"
SAMPLED_LOGPROB, SAMPLED, MASS = "sampled tokens, log p", "sampled tokens, p", "all tokens, mass"
WHOLE = "all"
Record = dict[tuple[str, str], float]
"""(quantity, bin of prior probability) -> number of one replicate; NaN where it has none."""


@dataclass(frozen=True)
class Drift:
    """Mean change of one quantity over replicates of one step."""

    quantity: str
    prior: str
    """Bin of prior probability, or ``all``."""
    mean: float | None
    """None where no replicate had such a token."""
    error: float | None
    """Standard error over replicates; None for fewer than two."""
    replicates: int
    """Replicates that had such a token."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Mean -+ t x standard error."""
        if self.mean is None or self.error is None:
            return None
        half = float(distributions.t.ppf((1 + LEVEL) / 2, self.replicates - 1)) * self.error
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class ClipBias:
    """Where one step on coin flips pushes the probability of tokens, by their prior probability,
    with the clip and without it.
    """

    arms: Mapping[str, tuple[Drift, ...]]
    """Change by kind of update."""
    against: Mapping[str, tuple[Drift, ...]]
    """Change minus that of the unclipped update on the same completions and flips."""
    untouched: bool
    """Whether a step on equal rewards left every weight unchanged, bit for bit."""

    reads: ClassVar[str] = "a policy, and clones of it after one step on coin flips"

    def record(self) -> dict[str, Any]:
        """All results as JSON types."""

        def rows(by_kind: Mapping[str, tuple[Drift, ...]]) -> dict[str, list[dict[str, Any]]]:
            return {
                kind: [asdict(drift) | {"interval": drift.interval} for drift in drifts_of_kind]
                for kind, drifts_of_kind in by_kind.items()
            }

        return {
            "arms": rows(self.arms),
            "against_no_clip": rows(self.against),
            "untouched_by_equal_rewards": self.untouched,
        }


@dataclass(frozen=True)
class Changes:
    """Values before and after an update, at every sampled token's position; for :func:`means`."""

    prior_M: np.ndarray
    """Probability of the sampled token before."""
    sampled_M: np.ndarray
    """After."""
    top_M: np.ndarray
    """Change of the probability of the token that was likeliest before."""
    entropy_M: np.ndarray
    """Change in nats."""
    mass_MB: np.ndarray
    """Change of the summed probability of all tokens whose prior lies in each bin."""


def changes(before_MV: Tensor, after_MV: Tensor, token_M: Tensor) -> Changes:
    """The changes from logprobs of whole distributions before and after; bins are :data:`EDGES`, a
    prior of 1 in the last.
    """
    prior_MV, after = before_MV.double().exp(), after_MV.double().exp()
    moved_MV = after - prior_MV
    bin_MV = _bin(prior_MV)
    mass_MB = torch.zeros(
        len(token_M), len(BINS), dtype=torch.float64, device=moved_MV.device
    ).scatter_add_(1, bin_MV, moved_MV)
    top_M = moved_MV.gather(1, prior_MV.argmax(dim=1, keepdim=True))[:, 0]
    entropy_M = torch.special.entr(after).sum(dim=1) - torch.special.entr(prior_MV).sum(dim=1)
    chosen = token_M[:, None].to(moved_MV.device)
    tensors = (
        prior_MV.gather(1, chosen)[:, 0],
        after.gather(1, chosen)[:, 0],
        top_M,
        entropy_M,
        mass_MB,
    )
    return Changes(*(tensor.cpu().numpy() for tensor in tensors))


def _bin(prior: Tensor) -> Tensor:
    """Bin of each prior probability."""
    return torch.bucketize(
        prior, torch.tensor(EDGES[1:-1], dtype=prior.dtype, device=prior.device), right=True
    )


@torch.no_grad()
def changes_of(before: Policy, after: Policy, batch: Batch) -> list[Changes]:
    """The changes at every sampled token of the batch, pass by pass."""
    per_pass = []
    for rows in arrange(
        batch, choose_layout(before, batch), distribution_tokens(before), before.device
    ):
        members = list(rows.members)
        token_M = batch.token_NT[members][batch.mask_NT[members]]
        before_MV, after_MV = (
            distributions_of_rows(before, rows, batch),
            distributions_of_rows(after, rows, batch),
        )
        chunk = max(1, NUMBERS // before.vocabulary_size)
        parts = [slice(start, start + chunk) for start in range(0, len(token_M), chunk)]
        per_pass += [changes(before_MV[part], after_MV[part], token_M[part]) for part in parts]
    return per_pass


def means(parts: list[Changes]) -> Record:
    """Mean change of each quantity over one replicate's tokens.

    Mass is per position, so its bins sum to 0 and show between which bins probability moves.
    """
    prior_M, sampled_M = (
        np.concatenate([c.prior_M for c in parts]),
        np.concatenate([c.sampled_M for c in parts]),
    )
    bin_M = _bin(torch.from_numpy(prior_M)).numpy()
    mass_B = np.concatenate([c.mass_MB for c in parts]).mean(axis=0)
    with np.errstate(divide="ignore"):
        log_M = np.log(sampled_M) - np.log(prior_M)
    record: Record = {
        (TOP, WHOLE): float(np.concatenate([c.top_M for c in parts]).mean()),
        (ENTROPY, WHOLE): float(np.concatenate([c.entropy_M for c in parts]).mean()),
        (SAMPLED_LOGPROB, WHOLE): float(log_M.mean()),
        (SAMPLED, WHOLE): float((sampled_M - prior_M).mean()),
    }
    for quantity, moved_M in ((SAMPLED, sampled_M - prior_M), (SAMPLED_LOGPROB, log_M)):
        for index, name in enumerate(BINS):
            inside_M = bin_M == index
            record[quantity, name] = float(moved_M[inside_M].mean()) if inside_M.any() else np.nan
    record |= {(MASS, name): float(mass) for name, mass in zip(BINS, mass_B, strict=True)}
    return record


def drifts(replicates: list[Record]) -> tuple[Drift, ...]:
    """Mean and standard error over replicates of each quantity."""
    return tuple(_drifts(replicates))


def _drifts(replicates: list[Record]) -> Iterator[Drift]:
    for quantity, prior in replicates[0]:
        value_R = np.array([record[quantity, prior] for record in replicates])
        known_R = value_R[~np.isnan(value_R)]
        count = len(known_R)
        error = float(known_R.std(ddof=1) / np.sqrt(count)) if count > 1 else None
        yield Drift(quantity, prior, float(known_R.mean()) if count else None, error, count)
