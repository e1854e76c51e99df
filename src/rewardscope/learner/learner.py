"""The learner: updates a policy from streams of credit, independent of the method behind them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.learner.critic import Critic
from rewardscope.learner.implicit import ImplicitReward
from rewardscope.learner.losses import (
    Normalise,
    Ratio,
    clipped_surrogate,
    completion_pull,
    divergence,
    ratio_to_sampler,
    token_weights,
    with_tail,
)
from rewardscope.learner.low_rank import LowRank, merged
from rewardscope.learner.optimizers import begin_state
from rewardscope.learner.subnetwork import Subnetwork, hold_outside
from rewardscope.learner.teacher import Teacher
from rewardscope.policy.packing import Rows, arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.scoring import distribution_tokens, distributions_of_rows, score, score_rows
from rewardscope.seeds import Address, generator
from rewardscope.tensors import Batch, Distillation, TokenCredit, kl_estimate

PASS_TOKENS = 4096
"""Most tokens in one forward and backward pass. It bounds memory and does not change results: token
weights come from the whole minibatch.
"""
PASS_BYTES = 3 << 29
"""Bytes of activations a pass may keep for its backward pass on a CPU, counted as 16 numbers of the
model's width per layer and token. A Llama's layers keep 12.
"""
KLTerm = Literal["k2", "k3"]
"""Estimators of the KL whose expected gradient is not 0."""
Notes = dict[str, float]


@dataclass(frozen=True)
class Learner:
    """AdamW at a constant learning rate on the sum of a credit method's streams.

    loss = sum over tokens of weight x (-min(ratio A, clipped ratio A) + kl_weight x KL to the
    reference + imitation x -log policy + distillation x divergence from the teacher) + the loss of
    whole completions. A stream that is not given costs nothing. The ratio is to the sampler's own
    logprobs. A minibatch consists of whole groups, so the advantages of a group, which sum to zero,
    are never split over updates.
    """

    learning_rate: float = 1e-4
    clip_low: float = 0.2
    clip_high: float = 0.2
    ratio: Ratio = "token"
    """Per token, or one per completion: its geometric mean (GSPO; its clips are about 3e-4 and
    4e-4), or the product (RLOO in TRL).
    """
    kl_weight: float = 0.0
    """Reward units per nat; 0 = no KL term, and no reference is kept for it."""
    kl: KLTerm = "k3"
    """Estimator of the KL term, k2 or k3. On the sampler's own tokens the expected gradient of k2
    is that of KL(policy || reference), and the one of k3 is that of KL(reference || policy). The
    one of k1 is 0, so k1 belongs in the reward (``KLInReward``).
    """
    normalise: Normalise = "token"
    minibatches: int = 1
    """Updates per pass over the step's groups."""
    epochs: int = 1
    """Passes over the step's groups."""
    max_gradient_norm: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    reset_every: int = 0
    """Steps between resets (ProRL): the reference becomes the current policy, the optimizer state
    is cleared; 0 = never.
    """
    restart_every: int = 0
    """Steps between restarts of weights and optimizer from the start (expert iteration), after
    sampling and before the update; 0 = never.
    """
    low_rank: LowRank | None = None
    """Adapters to train instead of the weights themselves; None = all weights are trained."""
    mask: Subnetwork | None = None
    """Which entries of the weights may change; None = all."""
    critic: Critic | None = None
    """For credit that reads values."""
    implicit: ImplicitReward | None = None
    """For credit that reads implicit rewards."""
    teacher: Teacher | None = None
    """For credit that reads a teacher's distributions."""

    def __post_init__(self) -> None:
        rates = (
            self.learning_rate >= 0
            and self.kl_weight >= 0
            and 0 <= self.clip_low <= 1
            and self.clip_high >= 0
        )
        counts = (
            self.minibatches >= 1
            and self.epochs >= 1
            and self.reset_every >= 0
            and self.restart_every >= 0
        )
        if not (rates and counts and self.ratio in get_args(Ratio) and self.kl in get_args(KLTerm)):
            raise ComponentError(
                "Learner cannot learn with these settings",
                value=self,
                allowed="learning_rate, kl_weight, clip_high, reset_every, restart_every >= 0, 0 "
                "<= clip_low <= 1, minibatches >= 1, "
                "epochs >= 1, ratio one of token, sequence, product, kl one of k2, k3 (as a loss, "
                "k1 has an expected gradient of 0)",
                do="Correct them in the study file; use KLInReward for a penalty by k1",
            )
        if self.mask is not None and self.low_rank is not None:
            raise ComponentError(
                "A mask selects weights to train, but low-rank adapters freeze all weights",
                value="mask and low_rank",
                do="Leave one of them out",
            )
        token_weights(torch.ones(1, 1, dtype=torch.bool), self.normalise, 1)

    def prepared(self, policy: Policy) -> Policy:
        """The policy as this learner trains it: itself, or with adapters attached in place."""
        return policy if self.low_rank is None else self.low_rank.attach(policy)

    def plain(self, policy: Policy) -> Policy:
        """A prepared policy as a plain model: itself, or a copy with its adapters merged."""
        return policy if self.low_rank is None else merged(policy)

    def optimizer(
        self, policy: Policy, masks: Mapping[str, Tensor] | None = None
    ) -> torch.optim.AdamW:
        """A fresh optimizer over the trainable weights. With masks, entries outside them stay the
        same to the bit.
        """
        optimizer = torch.optim.AdamW(
            policy.trainable().values(),
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            weight_decay=self.weight_decay,
            fused=True,
        )
        begin_state(optimizer)
        if masks is not None:
            hold_outside(optimizer, policy.trainable(), masks)
        return optimizer

    def update(
        self,
        policy: Policy,
        optimizer: torch.optim.Optimizer,
        batch: Batch,
        credit: TokenCredit,
        reference_logprob_NT: Float[Tensor, "N T"] | None,
        max_tokens: int,
        address: tuple[Address, ...],
    ) -> Mapping[str, float]:
        """Numbers about an update of epochs x minibatches optimizer steps.

        Args:
            policy: Updated in place.
            optimizer: Its state, updated in place.
            batch: The step's tokens.
            credit: The streams.
            reference_logprob_NT: Of the reference; only read when ``kl_weight`` is not 0.
            max_tokens: Longest possible completion, for the constant normaliser.
            address: Of the randomness of the order of groups.

        Returns:
            loss, clip_share and gradient_norm (before clipping), each a mean over the optimizer
                steps; entropy_mean_nats of the first minibatch, before any of the updates;
                kl_to_sampler_nats (k3) of the last one, before the last update.
        """
        notes: list[Notes] = []
        for epoch in range(self.epochs):
            order = (
                generator(*address, "minibatches", epoch).permutation(batch.num_problems).tolist()
            )
            count = min(self.minibatches, batch.num_problems)
            for part in range(count):
                chosen = sorted(order[part::count])
                notes.append(
                    self._step(
                        policy,
                        optimizer,
                        batch,
                        credit,
                        reference_logprob_NT,
                        max_tokens,
                        chosen,
                        address,
                    )
                )
        mean = {name: sum(note[name] for note in notes) / len(notes) for name in notes[0]}
        return {
            **mean,
            "entropy_mean_nats": notes[0]["entropy_mean_nats"],
            "kl_to_sampler_nats": notes[-1]["kl_to_sampler_nats"],
        }

    def _step(
        self,
        policy: Policy,
        optimizer: torch.optim.Optimizer,
        batch: Batch,
        credit: TokenCredit,
        reference_logprob_NT: Tensor | None,
        max_tokens: int,
        chosen: list[int],
        address: tuple[Address, ...],
    ) -> Notes:
        """Numbers about one optimizer step on the chosen problems, with gradients summed over as
        many passes as memory requires.
        """
        part = batch.problems(chosen)
        rows_N = torch.tensor(
            [p * batch.group_size + g for p in chosen for g in range(batch.group_size)]
        )
        width = part.token_NT.shape[1]
        streams = credit.rows(rows_N, width)
        reference_NT = (
            None
            if reference_logprob_NT is None or not self.kl_weight
            else reference_logprob_NT[rows_N, :width]
        )
        weight_NT = token_weights(part.mask_NT, self.normalise, max_tokens, _taught(streams))
        most = (
            min(pass_tokens(policy), distribution_tokens(policy))
            if _whole(streams)
            else pass_tokens(policy)
        )
        passes = arrange(part, choose_layout(policy, part), most, policy.device)
        pull_N, total = (
            None,
            {"loss": 0.0, "clip_share": 0.0, "entropy_mean_nats": 0.0, "kl_to_sampler_nats": 0.0},
        )
        if (
            streams.completion_loss is not None and len(passes) > 1
        ):  # completions to compare may be in different passes
            logprob_N = score(policy, part).logprob_NT.sum(dim=1)
            total["loss"], pull_N = completion_pull(
                streams.completion_loss, logprob_N, part.group_size, chosen
            )
        optimizer.zero_grad(set_to_none=True)
        for rows in passes:
            loss, notes = self._pass(
                policy, rows, part, streams, reference_NT, weight_NT, pull_N, chosen
            )
            if not loss.isfinite():
                value = f"{float(loss.detach())} at {address}"
                raise ComponentError(
                    "The loss is not a number",
                    value=value,
                    do="Lower the learning rate; the previous checkpoint is kept",
                )
            loss.backward()  # type: ignore[no-untyped-call]
            total = {name: total[name] + notes[name] for name in total}
        total["gradient_norm"] = float(
            torch.nn.utils.clip_grad_norm_(policy.model.parameters(), self.max_gradient_norm)
        )
        optimizer.step()
        return total

    def _pass(
        self,
        policy: Policy,
        rows: Rows,
        part: Batch,
        streams: TokenCredit,
        reference_NT: Tensor | None,
        weight_NT: Tensor,
        pull_N: Tensor | None,
        chosen: list[int],
    ) -> tuple[Tensor, Notes]:
        """The loss of one pass, with its gradient, and the pass's share of the step's numbers."""
        members = list(rows.members)
        mask = part.mask_NT[members]

        def pick(tensor_NT: Tensor) -> Tensor:
            return tensor_NT[members][mask].to(policy.device)

        everything_MV = distributions_of_rows(policy, rows, part) if _whole(streams) else None
        if everything_MV is None:
            logprob_M, entropy_M = score_rows(policy, rows, part)
        else:
            logprob_M = everything_MV.gather(1, pick(part.token_NT)[:, None]).squeeze(1)
            entropy_M = torch.special.entr(everything_MV.detach().exp()).sum(dim=1)
        old_M = pick(part.sampler_logprob_NT)
        owner_M = torch.arange(len(members)).repeat_interleave(mask.sum(dim=1)).to(policy.device)
        ratio_M = ratio_to_sampler(logprob_M, old_M, owner_M, len(members), self.ratio)
        loss_M, cut_M = clipped_surrogate(
            ratio_M, pick(streams.advantage_NT), self.clip_low, self.clip_high
        )
        if reference_NT is not None:
            loss_M = loss_M + self.kl_weight * kl_estimate(logprob_M, pick(reference_NT), self.kl)
        if streams.imitation_NT is not None:
            loss_M = loss_M - pick(streams.imitation_NT) * logprob_M
        if streams.distillation is not None:
            loss_M = loss_M + _distillation(
                streams.distillation, everything_MV, logprob_M, old_M, pick
            )
        loss = (pick(weight_NT) * loss_M).sum()
        value = float(loss.detach())
        if streams.completion_loss is not None:
            if pull_N is None:
                logprob_C = torch.zeros(len(members), device=policy.device).index_add(
                    0, owner_M, logprob_M.detach()
                )
                completion_value, pull_N = completion_pull(
                    streams.completion_loss, logprob_C.cpu(), part.group_size, chosen
                )
                value += completion_value
            loss = loss + (pull_N[members].to(policy.device)[owner_M] * logprob_M).sum()
        num_tokens = int(part.mask_NT.sum())
        notes = {
            "loss": value,
            "clip_share": float(cut_M.float().sum()) / num_tokens,
            "entropy_mean_nats": float(entropy_M.sum()) / num_tokens,
            "kl_to_sampler_nats": float(kl_estimate(old_M, logprob_M.detach(), "k3").sum())
            / num_tokens,
        }
        return loss, notes


def pass_tokens(policy: Policy) -> int:
    """Tokens that a forward and backward pass may read."""
    if policy.device.type != "cpu":
        return PASS_TOKENS
    token_bytes = (
        16 * 4 * int(policy.model.config.num_hidden_layers) * int(policy.model.config.hidden_size)
    )
    return max(1, min(PASS_TOKENS, PASS_BYTES // token_bytes))


def _whole(streams: TokenCredit) -> bool:
    """Whether a stream compares whole distributions, which takes (tokens x vocabulary) numbers."""
    return streams.distillation is not None and not streams.distillation.sampled


def _taught(streams: TokenCredit) -> Tensor:
    """True (N, T) where any stream is not 0."""
    taught_NT = streams.advantage_NT != 0
    if streams.imitation_NT is not None:
        taught_NT = taught_NT | (streams.imitation_NT != 0)
    if streams.distillation is not None:
        taught_NT = taught_NT | streams.distillation.teaching.evidence_N[:, None]
    return taught_NT


def _distillation(
    stream: Distillation,
    everything_MV: Tensor | None,
    logprob_M: Tensor,
    old_M: Tensor,
    pick: Callable[[Tensor], Tensor],
) -> Tensor:
    """The distillation term of each token; 0 where the teacher had no evidence."""
    said = stream.teaching
    teacher_MK = pick(said.logprob_NTK)
    if everything_MV is None:
        loss_M = (logprob_M - teacher_MK[:, 0]).detach() * logprob_M
    elif said.kept_NTK is None:
        loss_M = divergence(everything_MV, teacher_MK, stream.mixing)
    else:
        loss_M = divergence(
            with_tail(everything_MV.gather(1, pick(said.kept_NTK))),
            with_tail(teacher_MK),
            stream.mixing,
        )
    if stream.most_ratio:
        loss_M = loss_M * (logprob_M.detach() - old_M).clamp(-20, 20).exp().clamp(
            max=stream.most_ratio
        )
    evidence_NT = said.evidence_N[:, None].expand(said.logprob_NTK.shape[:2])
    return stream.weight * loss_M * pick(evidence_NT)
