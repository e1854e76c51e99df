"""What the learner makes of the streams of credit that are more than an advantage."""

from collections.abc import Callable

from torch import Tensor

from rewardscope.learner.losses import divergence, with_tail
from rewardscope.tensors import Distillation, TokenCredit


def whole(streams: TokenCredit) -> bool:
    """Whether a stream compares whole distributions, which takes (tokens x vocabulary) numbers."""
    return streams.distillation is not None and not streams.distillation.sampled


def taught(streams: TokenCredit) -> Tensor:
    """True (N, T) where any stream is not 0."""
    taught_NT = streams.advantage_NT != 0
    if streams.imitation_NT is not None:
        taught_NT = taught_NT | (streams.imitation_NT != 0)
    if streams.distillation is not None:
        taught_NT = taught_NT | streams.distillation.teaching.evidence_N[:, None]
    return taught_NT


def distillation_loss(
    stream: Distillation,
    everything_MV: Tensor | None,
    logprob_M: Tensor,
    sampler_M: Tensor,
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
        loss_M = loss_M * (logprob_M.detach() - sampler_M).clamp(-20, 20).exp().clamp(
            max=stream.most_ratio
        )
    evidence_NT = said.evidence_N[:, None].expand(said.logprob_NTK.shape[:2])
    return stream.weight * loss_M * pick(evidence_NT)
