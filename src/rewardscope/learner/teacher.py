"""The self-teacher: the policy, or a copy that follows it, with a hint in its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from rewardscope.errors import ComponentError
from rewardscope.policy.packing import arrange, choose_layout
from rewardscope.policy.policy import Policy
from rewardscope.policy.room import free_bytes
from rewardscope.policy.scoring import (
    distribution_tokens,
    distributions_of_rows,
    likeliest,
    on_mask,
)
from rewardscope.tensors import Batch, Teaching

Kind = Literal["live", "frozen", "average", "trust_region"]


@dataclass(frozen=True)
class Teacher:
    """The kind of self-teacher: one of four, none of which receives a gradient.

    live: the current policy, which diverged in the source; frozen: the untrained policy; average:
    weights that follow the policy, w' <- (1 - rate) w' + rate w after each step; trust_region:
    probabilities proportional to frozen^(1 - rate) x live^rate.

    Source:
        Huebotter et al. 2026, arXiv:2601.20802 (SDPO), appendix A.1; rate 0.05 in its section 3,
            0.01 in its sections 4 and 5.
    """

    kind: Kind = "average"
    rate: float = 0.05

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or not 0 <= self.rate <= 1:
            raise ComponentError(
                "Teacher has settings outside their ranges",
                value=self,
                allowed=f"kind one of {', '.join(get_args(Kind))}, 0 <= rate <= 1",
                do="Correct it in the study file",
            )

    def begin(self, start: Policy) -> "TeacherState":
        """The teacher of an untrained policy; ``start`` is its own copy of that policy."""
        own = start.with_masters() if self.kind == "average" else start
        return TeacherState(self, None if self.kind == "live" else own)


@dataclass(frozen=True, eq=False)
class TeacherState:
    """A teacher beside a policy in training."""

    settings: Teacher
    own: Policy | None
    """The teacher's policy; None for a live teacher, which has no weights of its own."""

    def teach(
        self,
        policy: Policy,
        batch: Batch,
        prompt_ids: Sequence[tuple[int, ...] | None],
        kept: int | Literal["all", "sampled"],
    ) -> Teaching:
        """The teacher's distributions at each token of the completions, after their reprompts.

        Args:
            policy: The current student, whose likeliest tokens are kept.
            batch: The student's completions.
            prompt_ids: A reprompt per completion; None = no evidence, so no distributions.
            kept: How many of the student's likeliest tokens; or all of the vocabulary; or the
                sampled one.
        """
        if kept == "sampled":
            kept_NTK: Tensor | None = batch.token_NT[:, :, None]
        else:
            whole = kept == "all" or kept >= policy.vocabulary_size
            kept_NTK = None if whole else likeliest(policy, batch, int(kept))
        evidence_N = torch.tensor([ids is not None for ids in prompt_ids])
        width = policy.vocabulary_size if kept_NTK is None else kept_NTK.shape[2]
        _check_room(len(batch.mask_NT), batch.mask_NT.shape[1], width)
        logprob_NTK = torch.zeros(*batch.mask_NT.shape, width)
        taught = evidence_N.nonzero().squeeze(1).tolist()
        if taught:
            behind = batch.behind([ids for ids in prompt_ids if ids is not None], taught)
            logprob_NTK[taught] = self._say(
                policy, behind, None if kept_NTK is None else kept_NTK[taught]
            )
        return Teaching(evidence_N, logprob_NTK, kept_NTK)

    @torch.no_grad()
    def _say(self, policy: Policy, batch: Batch, kept_NTK: Tensor | None) -> Tensor:
        own, rate = self.own or policy, self.settings.rate
        width = policy.vocabulary_size if kept_NTK is None else kept_NTK.shape[2]
        logprob_NTK = torch.zeros(*batch.mask_NT.shape, width)
        for rows in arrange(
            batch, choose_layout(policy, batch), distribution_tokens(policy), policy.device
        ):
            cells = on_mask(batch, rows)
            said_MV = distributions_of_rows(own, rows, batch)
            if self.settings.kind == "trust_region":
                said_MV = torch.log_softmax(
                    (1 - rate) * said_MV + rate * distributions_of_rows(policy, rows, batch), dim=-1
                )
            if kept_NTK is not None:
                said_MV = said_MV.gather(1, kept_NTK[cells].to(said_MV.device))
            logprob_NTK[cells] = said_MV.cpu()
        return logprob_NTK

    @torch.no_grad()
    def follow(self, policy: Policy) -> None:
        """Moves an averaged teacher towards the policy by ``rate``; other kinds stay the same."""
        if self.settings.kind != "average" or self.own is None:
            return
        for mine, theirs in zip(self.own.moving().values(), policy.moving().values(), strict=True):
            mine.lerp_(theirs, self.settings.rate)
        self.own.settle()

    def save(self, folder: Path) -> None:
        """Writes the weights of an averaged teacher; other kinds are recreated from the start."""
        if self.settings.kind == "average" and self.own is not None:
            save_file(
                {name: tensor.contiguous() for name, tensor in self.own.moving().items()},
                folder / "teacher.safetensors",
            )

    def load(self, folder: Path) -> None:
        """Reads them back."""
        if self.settings.kind == "average" and self.own is not None:
            saved = load_file(folder / "teacher.safetensors")
            with torch.no_grad():
                for name, parameter in self.own.moving().items():
                    parameter.copy_(saved[name])
            self.own.settle()


def _check_room(rows: int, tokens: int, width: int) -> None:
    """Raises if the teacher's distributions do not fit the machine's memory.

    Raises:
        ComponentError: Naming how much they take.
    """
    wanted, free = 4 * rows * tokens * width, free_bytes(torch.device("cpu"))
    if wanted > free:
        raise ComponentError(
            "A teacher's distributions do not fit the machine's memory",
            value=f"{rows} completions x {tokens} tokens x {width} entries: {wanted / 2**30:.0f} "
            f"GiB",
            allowed=f"{free / 2**30:.0f} GiB, which are free",
            do='Take SelfDistillation(over="top", top=100), or fewer completions a step',
        )
