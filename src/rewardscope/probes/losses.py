"""What training takes away: how far the policy has moved from its base, on each policy's own
completions and on fixed texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, pack, score
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.scoring import distribution_tokens, distributions_of_rows
from rewardscope.probes.base import PSEUDO, Evidence, Need, first_draws, given
from rewardscope.stats import Estimate, mean_over_problems, ratio_over_problems, ratio_values
from rewardscope.tensors import Batch
from rewardscope.types import Measurement, Rollout


@dataclass(frozen=True)
class Losses:
    """KL between trained policy and base in both directions, and perplexities on the base's
    completions and on fixed texts.

    KL(trained || base) is the mean of log trained - log base over the trained policy's own
    completions, the other direction over the base's; both at the temperature they were drawn at,
    whole completions, the first ``draws`` of each problem. Unknown where sampling was cut
    (top_p) or at temperature 0: the logprobs then do not describe how the draws were made. On the
    fixed ``texts`` the KL is that of whole next-token distributions, without sampling noise.
    Perplexity is exp of minus the mean logprob of a token; it and the texts' KL are at temperature
    1. A perplexity on the policy's own completions would fall with its entropy alone, so there is
    none.

    Source:
        Gao et al. 2022, arXiv:2210.10760 (KL from the start as the distance gone); Shenfeld et al.
            2025, arXiv:2509.04259 (KL from the base on fixed text as what is forgotten).
    """

    texts: tuple[str, ...] = ()
    """Fixed texts of two tokens or more; empty = none."""
    draws: int = 16

    needs: ClassVar[frozenset[Need]] = frozenset(
        {
            Need.ROLLOUTS,
            Need.TOKENS,
            Need.SAMPLING,
            Need.POLICY,
            Need.BASE_ROLLOUTS,
            Need.BASE_POLICY,
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        *(
            "losses/kl_to_base",
            "losses/kl_from_base",
            "losses/base_text_perplexity",
            "losses/text_kl",
            "losses/text_perplexity",
        ),
    )

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise ComponentError(
                "Losses needs completions to read",
                value=f"draws={self.draws}",
                allowed="1 or more",
                do="Raise draws",
            )

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Rows over problems and over texts; for the base itself its perplexities alone."""
        rows = []
        base, policy = evidence.base_policy, given(evidence.policy, Need.POLICY)
        if base is not None and evidence.base_rollouts is not None:
            for metric, rollouts, left, right in (
                ("losses/kl_to_base", evidence.rollouts, policy, base),
                ("losses/kl_from_base", evidence.base_rollouts, base, policy),
            ):
                rows += self._kl_rows(evidence, metric, rollouts, left, right)
        texts = evidence.rollouts if evidence.base_rollouts is None else evidence.base_rollouts
        rows += self._perplexity_rows(evidence, texts)
        return rows + self._text_rows(evidence)

    def _kl_rows(
        self,
        evidence: Evidence,
        metric: str,
        rollouts: Sequence[Rollout],
        left: Policy,
        right: Policy,
    ) -> list[Measurement]:
        sampling = given(evidence.sampling, Need.SAMPLING)
        if not sampling.uncut:
            return [evidence.row(metric, "nats", None, n=0, over="problems", dropped=len(rollouts))]
        apart_P = np.subtract(
            *(self._per_problem(rollouts, policy, sampling.temperature) for policy in (left, right))
        )
        row = evidence.row(
            metric,
            "nats",
            mean_over_problems(list(apart_P), address=metric),
            n=len(apart_P),
            over="problems",
        )
        return [row, *evidence.problem_rows(metric, "nats", _by_problem(rollouts, apart_P))]

    def _per_problem(
        self, rollouts: Sequence[Rollout], policy: Policy, temperature: float
    ) -> np.ndarray:
        """Mean logprob of a whole completion, by problem."""
        batch = pack(policy, first_draws(rollouts, self.draws), temperature)
        logprob_N = score(policy, batch).logprob_NT.double().sum(dim=1)
        return np.asarray(logprob_N.reshape(len(rollouts), -1).mean(dim=1))

    def _perplexity_rows(
        self, evidence: Evidence, rollouts: Sequence[Rollout]
    ) -> list[Measurement]:
        first = first_draws(rollouts, self.draws)
        tokens = [sum(c.length for c in rollout.completions) for rollout in first]
        policy = given(evidence.policy, Need.POLICY)
        surprise_P = -self._per_problem(rollouts, policy, 1.0) * len(first[0].completions)
        metric = "losses/base_text_perplexity"
        estimate = ratio_over_problems(list(surprise_P), tokens, address=metric)
        row = evidence.row(
            metric, "perplexity", _exponential(estimate), n=sum(tokens), over="tokens"
        )
        value_P = _exponential_values(surprise_P, np.array(tokens, dtype=np.float64))
        values = _by_problem(rollouts, value_P)
        return [row, *evidence.problem_rows(metric, "perplexity", values, over=PSEUDO)]

    def _text_rows(self, evidence: Evidence) -> list[Measurement]:
        """Rows of the fixed texts, which count as problems: whole texts are resampled."""
        if not self.texts:
            rows = [evidence.row("losses/text_perplexity", "perplexity", None, n=0, over="tokens")]
            return (
                rows
                if evidence.base_policy is None
                else [evidence.row("losses/text_kl", "nats", None, n=0, over="tokens"), *rows]
            )
        policy = given(evidence.policy, Need.POLICY)
        batch = _texts(policy, self.texts)
        tokens = [float(count) for count in batch.mask_NT.sum(dim=1)]
        surprise_N = -score(policy, batch).logprob_NT.double().sum(dim=1)
        estimate = ratio_over_problems(
            surprise_N.tolist(), tokens, address="losses/text_perplexity"
        )
        rows = [
            evidence.row(
                "losses/text_perplexity",
                "perplexity",
                _exponential(estimate),
                n=int(sum(tokens)),
                over="tokens",
            )
        ]
        names, token_N = [f"text {number}" for number in range(len(tokens))], np.array(tokens)
        values = dict(zip(names, _exponential_values(surprise_N.numpy(), token_N), strict=True))
        rows += evidence.problem_rows("losses/text_perplexity", "perplexity", values, over=PSEUDO)
        if evidence.base_policy is not None:
            kl_N = _kl(evidence.base_policy, policy, batch)
            apart = ratio_over_problems(kl_N.tolist(), tokens, address="losses/text_kl")
            rows.append(
                evidence.row("losses/text_kl", "nats", apart, n=int(sum(tokens)), over="tokens")
            )
            apart_N = ratio_values(np.array(kl_N.tolist()), token_N)
            values = dict(zip(names, map(float, apart_N), strict=True))
            rows += evidence.problem_rows("losses/text_kl", "nats", values, over=PSEUDO)
        return rows


def _by_problem(
    rollouts: Sequence[Rollout], value_P: Sequence[float] | np.ndarray
) -> dict[str, float]:
    return {
        rollout.problem.id: float(value) for rollout, value in zip(rollouts, value_P, strict=True)
    }


def _exponential_values(top_P: np.ndarray, bottom_P: np.ndarray) -> list[float]:
    """The exponential of a ratio as a mean over problems, to first order (:func:`ratio_values`)."""
    ratio = float(top_P.sum() / bottom_P.sum())
    value_P = np.exp(ratio) * (1 + ratio_values(top_P, bottom_P) - ratio)
    return [float(value) for value in value_P]


def _exponential(estimate: Estimate) -> Estimate:
    ends = (
        None if end is None else float(np.exp(end))
        for end in (estimate.value, estimate.lower, estimate.upper)
    )
    value, lower, upper = ends
    return Estimate(value or 0.0, lower, upper, estimate.interval)


def _texts(policy: Policy, texts: Sequence[str]) -> Batch:
    """Each text as a completion after its own first token.

    Raises:
        ComponentError: If a text has fewer than two tokens, or more than the model's context.
    """
    ids = [policy.tokenizer(text, add_special_tokens=True)["input_ids"] for text in texts]
    for text, row in zip(texts, ids, strict=True):
        if not 2 <= len(row) <= policy.context_length:
            raise ComponentError(
                "A fixed text does not fit",
                value=f"{len(row)} tokens: {text[:60]!r}",
                allowed=f"2 to {policy.context_length} tokens",
                do="Split it into texts that fit",
            )
    width = max(map(len, ids)) - 1
    token_NT = torch.tensor([row[1:] + [0] * (width + 1 - len(row)) for row in ids])
    mask_NT = torch.tensor(
        [[True] * (len(row) - 1) + [False] * (width + 1 - len(row)) for row in ids]
    )
    return Batch(
        tuple((int(row[0]),) for row in ids), token_NT, mask_NT, torch.zeros(mask_NT.shape), 1, 1.0
    )


@torch.no_grad()
def _kl(base: Policy, policy: Policy, batch: Batch) -> Tensor:
    """Nats (N,): sum over positions of KL(base || policy) of whole next-token distributions."""
    kl_N = torch.zeros(len(batch.token_NT), dtype=torch.float64)
    for rows in arrange(
        batch, choose_layout(policy, batch), distribution_tokens(policy), policy.device
    ):
        theirs_MV, mine_MV = (
            distributions_of_rows(base, rows, batch).double(),
            distributions_of_rows(policy, rows, batch).double(),
        )
        kl_M = (theirs_MV.exp() * (theirs_MV - mine_MV)).sum(dim=1).cpu()
        owner_M = torch.tensor(rows.members).repeat_interleave(
            batch.mask_NT[list(rows.members)].sum(dim=1)
        )
        kl_N.index_add_(0, owner_M, kl_M)
    return kl_N
