"""SDPO: the policy reads a solution or feedback, then teaches itself what to write instead."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch

from rewardscope.credit.reprompt import Reprompt
from rewardscope.errors import ComponentError
from rewardscope.protocols import Credit, Maker, asked, makers_of
from rewardscope.tensors import Distillation, Signals, TokenCredit

Over = Literal["vocabulary", "top", "sampled"]
Kept = int | Literal["all", "sampled"]
"""That many of the student's likeliest tokens; the whole vocabulary; or the sampled token."""


@dataclass(frozen=True)
class Lesson:
    """Settings of the signal ``teaching``."""

    reprompt: Reprompt
    """What the teacher reads before each completion."""
    kept: Kept
    """The tokens whose probabilities it gives."""


@dataclass(frozen=True)
class SelfDistillation:
    """Divergence from a teacher that scores the policy's own completions after a :class:`Reprompt`;
    nothing new is sampled.

    over: the policy's ``top`` likeliest tokens, with all others as one more entry; the whole
    vocabulary, which takes 4 bytes x tokens x vocabulary of the machine's memory; or the sampled
    token, whose loss is stop_gradient(log policy - log teacher) x log policy.
    mixing: 0 = KL(teacher || policy), 1 = KL(policy || teacher), between = Jensen-Shannon;
    "sampled" is a reverse KL and takes no other. With a ``base`` the loss has base_share x its
    advantage and (1 - base_share) x the divergence. The source weighs tokens as
    `Learner(normalise="sequence")` does. Its precondition is a model that uses a hint: measure that
    first.

    Source:
        Huebotter et al. 2026, arXiv:2601.20802 (SDPO), eq. 1 and appendix A; mixing 0.5 and top 100
            in its section 3, mixing 1 and top 20 in sections 4 and 5; base_share 0.9 helped its
            smallest model.
    """

    reprompt: Reprompt = Reprompt()
    over: Over = "top"
    top: int = 100
    mixing: float = 0.5
    most_ratio: float = 2.0
    """Cap of the ratio to the sampler that each token's loss is multiplied by; 0 = no ratio."""
    base: Credit | None = None
    base_share: float = 0.9

    def __post_init__(self) -> None:
        numbers = (
            0 <= self.mixing <= 1
            and self.top >= 1
            and self.most_ratio >= 0
            and 0 <= self.base_share <= 1
        )
        if (
            self.over not in get_args(Over)
            or not numbers
            or (self.over == "sampled" and self.mixing != 1)
        ):
            raise ComponentError(
                "SelfDistillation cannot have these settings",
                value=self,
                allowed=f"over one of {', '.join(get_args(Over))}; 0 <= mixing <= 1, and 1 for "
                "sampled; top >= 1, most_ratio >= 0, "
                "0 <= base_share <= 1",
                do="Correct them in the study file",
            )

    @property
    def uses_truth(self) -> bool:
        """Whether the reprompt has feedback, or the base reads the answer key."""
        return self.reprompt.uses_truth or (self.base is not None and self.base.uses_truth)

    @property
    def needs(self) -> frozenset[str]:
        """The teaching, and the signals of the base."""
        mine = frozenset({"teaching"})
        return mine if self.base is None else mine | self.base.needs

    @property
    def asks(self) -> Mapping[str, object]:
        """The lesson, and the settings that the base asks for."""
        return {**asked(self.base), "teaching": Lesson(self.reprompt, self.kept)}

    @property
    def makers(self) -> Mapping[str, Maker]:
        """The makers of the base."""
        return makers_of(self.base)

    @property
    def kept(self) -> Kept:
        """The tokens whose probabilities the teacher gives."""
        return {"vocabulary": "all", "top": self.top, "sampled": "sampled"}[self.over]  # type: ignore[return-value]

    def __call__(self, signals: Signals) -> TokenCredit:
        """The teacher's divergence, with the base's credit at its share. Notes gain
        ``credit/taught_share``, the share of completions with a teacher.

        Raises:
            ComponentError: If there is no teaching.
        """
        if signals.teaching is None:
            raise ComponentError(
                "SelfDistillation reads a signal that was not given",
                value="teaching",
                do="Let its `needs` name teaching",
            )
        evidence_N = signals.teaching.evidence_N & ~signals.reward_N.isnan()
        teaching = replace(signals.teaching, evidence_N=evidence_N)
        notes = {"credit/taught_share": float(evidence_N.float().mean())}
        if self.base is None:
            stream = Distillation(
                teaching, self.mixing, 1.0, self.over == "sampled", self.most_ratio
            )
            return TokenCredit(torch.zeros(signals.mask_NT.shape), notes, distillation=stream)
        credit = self.base(signals)
        stream = Distillation(
            teaching, self.mixing, 1 - self.base_share, self.over == "sampled", self.most_ratio
        )
        return replace(
            credit,
            advantage_NT=self.base_share * credit.advantage_NT,
            notes={**credit.notes, **notes},
            distillation=stream,
        )
