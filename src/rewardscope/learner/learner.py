"""The learner: updates a policy from streams of credit, independent of the method behind them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.learner.critic import Critic
from rewardscope.learner.implicit import ImplicitReward
from rewardscope.learner.losses import (
    Correction,
    Normalise,
    Ratio,
    clipped_surrogate,
    completion_pull,
    importance,
    ratio_to_old,
    token_weights,
)
from rewardscope.learner.low_rank import LowRank, merged
from rewardscope.learner.moments import BYTES, Moments, adamw
from rewardscope.learner.passes import pass_tokens
from rewardscope.learner.streams import distillation_loss, taught, whole
from rewardscope.learner.subnetwork import Subnetwork, hold_outside
from rewardscope.learner.teacher import Teacher
from rewardscope.policy.packing import Rows, arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.recomputing import recomputing_layers
from rewardscope.policy.scoring import distribution_tokens, distributions_of_rows, score, score_rows
from rewardscope.seeds import Address, generator
from rewardscope.tensors import Batch, TokenCredit, kl_estimate

KLTerm = Literal["k2", "k3"]
"""Estimators of the KL whose expected gradient is not 0."""
Notes = dict[str, float]
GAP, CORRECTED = "sampler/gap_nats", "sampler/cut_share"
"""Mean distance of a sampler's logprobs from the policy's own, and the share of tokens whose weight
was cut; only where the two are not exact.
"""


@dataclass(frozen=True)
class Learner:
    """AdamW at a constant learning rate on the sum of a credit method's streams.

    loss = sum over tokens of weight x (-min(ratio A, clipped ratio A) + kl_weight x KL to the
    reference + imitation x -log policy + distillation x divergence from the teacher) + the loss of
    whole completions. A stream that is not given costs nothing. A minibatch consists of whole
    groups, so the advantages of a group, which sum to zero, are never split over updates.

    The ratio is to the policy before the step's updates. The sampler's own logprobs stand for it
    where they are exact (float32, in this process). Otherwise it is read from the policy's forward
    pass, in the passes of the updates themselves, so that every ratio is 1 before the first one;
    and each surrogate has the weight of :func:`rewardscope.learner.losses.importance`.
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
    correction: Correction = "truncated"
    """What is made of a sampler's probabilities that are not the policy's own; nothing where they
    are exact.
    """
    most_importance: float = 2.0
    """Largest weight of a token by that correction."""
    normalise: Normalise = "token"
    pass_tokens: int | None = None
    """Most tokens of a forward and backward pass; an update sums the gradients of as many passes as
    it takes. It bounds memory and changes no result beyond rounding. None = as many as fit.
    """
    minibatches: int = 1
    """Updates per pass over the step's groups."""
    epochs: int = 1
    """Passes over the step's groups."""
    max_gradient_norm: float = 1.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    moments: Moments = "float32"
    """Format of AdamW's two moments: float32, 8bit, or paged, which a CUDA GPU moves to the
    machine's memory. The last two need ``pip install rewardscope[memory]``.
    """
    recomputing: bool = False
    """Whether the way back computes each layer again from its input (gradient checkpointing): a
    fraction of the memory for a third more time.
    """
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
            and self.most_importance > 0
        )
        counts = (
            self.minibatches >= 1
            and self.epochs >= 1
            and self.reset_every >= 0
            and self.restart_every >= 0
            and (self.pass_tokens is None or self.pass_tokens >= 1)
        )
        named = (
            self.ratio in get_args(Ratio)
            and self.kl in get_args(KLTerm)
            and self.correction in get_args(Correction)
            and self.moments in get_args(Moments)
        )
        if not (rates and counts and named):
            raise ComponentError(
                "Learner cannot learn with these settings",
                value=self,
                allowed="learning_rate, kl_weight, clip_high, reset_every, restart_every >= 0, 0 "
                "<= clip_low <= 1, minibatches >= 1, "
                "epochs >= 1, ratio one of token, sequence, product, kl one of k2, k3 (as a loss, "
                "k1 has an expected gradient of 0), correction one of truncated, masked, none, "
                "most_importance > 0, pass_tokens None or >= 1, moments one of float32, "
                "8bit, paged",
                do="Correct them in the study file; use KLInReward for a penalty by k1",
            )
        if self.mask is not None and self.low_rank is not None:
            raise ComponentError(
                "A mask selects weights to train, but low-rank adapters freeze all weights",
                value="mask and low_rank",
                do="Leave one of them out",
            )
        if self.mask is not None and self.moments != "float32":
            raise ComponentError(
                "A mask keeps the moments outside it at 0, which takes moments in float32",
                value=f"mask and moments={self.moments!r}",
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
    ) -> torch.optim.Optimizer:
        """A fresh optimizer over the trainable weights. With masks, entries outside them stay the
        same to the bit.
        """
        optimizer = adamw(
            policy.moving().values(),
            self.moments,
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            weight_decay=self.weight_decay,
        )
        if masks is not None:
            matched = self.mask is not None and self.mask.matched
            hold_outside(optimizer, policy.moving(), masks, matched)
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
                kl_to_sampler_nats (k3) of the last one, before the last update; where the sampler's
                logprobs are not exact, sampler/gap_nats and sampler/cut_share, means too.
        """
        notes: list[Notes] = []
        if not batch.exact and batch.old_logprob_NT is None and self.rereads:
            batch = replace(batch, old_logprob_NT=self.score(policy, batch, address))
        for epoch in range(self.epochs):
            for chosen in self.parts(batch.num_problems, address, epoch):
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

    @property
    def rereads(self) -> bool:
        """Whether the weights may have moved since sampling when some update reads the tokens."""
        return self.epochs * self.minibatches > 1 or self.restart_every > 0

    def most_tokens(self, policy: Policy) -> int:
        """Tokens of one forward and backward pass."""
        return pass_tokens(
            policy,
            self.pass_tokens,
            recomputing=self.recomputing,
            moment_bytes=BYTES[self.moments],
        )

    def parts(self, num_problems: int, address: tuple[Address, ...], epoch: int) -> list[list[int]]:
        """The problems of each minibatch of an epoch."""
        order = generator(*address, "minibatches", epoch).permutation(num_problems).tolist()
        count = min(self.minibatches, num_problems)
        return [sorted(order[part::count]) for part in range(count)]

    def score(self, policy: Policy, batch: Batch, address: tuple[Address, ...]) -> Tensor:
        """Nats (N, T) of the sampled tokens, read in the passes of the first epoch's updates: in
        bfloat16, what shares a pass with a token moves its low bits. 0 off the mask.

        Args:
            policy: The policy in training, or a reference of the same family.
            batch: The step's tokens.
            address: Of the randomness of the order of groups.
        """
        logprob_NT = torch.zeros(batch.token_NT.shape)
        for chosen in self.parts(batch.num_problems, address, 0):
            part = batch.problems(chosen)
            width = part.token_NT.shape[1]
            logprob_NT[batch.rows(chosen), :width] = score(
                policy, part, most_tokens=self.most_tokens(policy)
            ).logprob_NT
        return logprob_NT

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
        rows_N = batch.rows(chosen)
        width = part.token_NT.shape[1]
        streams = credit.rows(rows_N, width)
        reference_NT = (
            None
            if reference_logprob_NT is None or not self.kl_weight
            else reference_logprob_NT[rows_N, :width]
        )
        weight_NT = token_weights(part.mask_NT, self.normalise, max_tokens, taught(streams))
        most = self.most_tokens(policy)
        if whole(streams):
            most = min(most, distribution_tokens(policy))
        passes = arrange(part, choose_layout(policy, part), most, policy.device)
        pull_N, total = (
            None,
            dict.fromkeys(
                [
                    "loss",
                    "clip_share",
                    "entropy_mean_nats",
                    "kl_to_sampler_nats",
                    *([] if batch.exact else [GAP, CORRECTED]),
                ],
                0.0,
            ),
        )
        if (
            streams.completion_loss is not None and len(passes) > 1
        ):  # completions to compare may be in different passes
            logprob_N = score(policy, part).logprob_NT.sum(dim=1)
            total["loss"], pull_N = completion_pull(
                streams.completion_loss, logprob_N, part.group_size, chosen
            )
        optimizer.zero_grad(set_to_none=True)
        policy.model.zero_grad(set_to_none=True)  # of a pass that was cut short
        for rows in passes:
            with recomputing_layers(wanted=self.recomputing):
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
            torch.nn.utils.clip_grad_norm_(policy.moving().values(), self.max_gradient_norm)
        )
        optimizer.step()
        policy.settle()
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

        everything_MV = distributions_of_rows(policy, rows, part) if whole(streams) else None
        if everything_MV is None:
            logprob_M, entropy_M = score_rows(policy, rows, part)
        else:
            logprob_M = everything_MV.gather(1, pick(part.token_NT)[:, None]).squeeze(1)
            entropy_M = torch.special.entr(everything_MV.detach().exp()).sum(dim=1)
        sampler_M = pick(part.sampler_logprob_NT)
        if part.exact:
            old_M = sampler_M
        elif part.old_logprob_NT is not None:
            old_M = pick(part.old_logprob_NT)
        else:
            old_M = logprob_M.detach()  # the only update: the policy is still the old one
        owner_M = torch.arange(len(members)).repeat_interleave(mask.sum(dim=1)).to(policy.device)
        ratio_M = ratio_to_old(logprob_M, old_M, owner_M, len(members), self.ratio)
        loss_M, cut_M = clipped_surrogate(
            ratio_M, pick(streams.advantage_NT), self.clip_low, self.clip_high
        )
        if not part.exact:
            importance_M = importance(old_M, sampler_M, self.correction, self.most_importance)
            loss_M = loss_M * importance_M
        if reference_NT is not None:
            loss_M = loss_M + self.kl_weight * kl_estimate(logprob_M, pick(reference_NT), self.kl)
        if streams.imitation_NT is not None:
            loss_M = loss_M - pick(streams.imitation_NT) * logprob_M
        if streams.distillation is not None:
            loss_M = loss_M + distillation_loss(
                streams.distillation, everything_MV, logprob_M, sampler_M, pick
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
            "kl_to_sampler_nats": float(kl_estimate(sampler_M, logprob_M.detach(), "k3").sum())
            / num_tokens,
        }
        if not part.exact:
            apart_M = old_M - sampler_M
            notes[GAP] = float(apart_M.abs().sum()) / num_tokens
            cut_at = math.log(self.most_importance)
            notes[CORRECTED] = float((apart_M > cut_at).float().sum()) / num_tokens
        return loss, notes
