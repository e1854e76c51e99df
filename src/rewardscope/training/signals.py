"""Signals that credit methods read in addition to rewards and tokens: a table, with their makers.

A method names the signals it needs. The loop makes only these, and knows none by name. A method
from outside can bring its own makers (:class:`rewardscope.protocols.Makes`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

from rewardscope.conformance import line_of
from rewardscope.credit.self_distillation import Lesson
from rewardscope.errors import ComponentError
from rewardscope.learner import Companions
from rewardscope.learner.learner import Learner
from rewardscope.policy import Policy, gram_mask, pack, score
from rewardscope.protocols import Credit, Preference, View, asked, makers_of
from rewardscope.seeds import Address
from rewardscope.tensors import Batch, Signals, Teaching
from rewardscope.types import Rollout, sealed

Method = Credit | Preference
Part = TypeVar("Part")


@dataclass(frozen=True)
class SignalContext:
    """The data of a step that a maker may read. Each part is computed when first read, and only
    once.
    """

    credit: Method
    policy: Policy
    companions: Companions
    batch: Batch
    rollouts: tuple[View, ...]
    """The step's groups; sealed unless the credit method declares ``uses_truth``."""
    told_PG: tuple[tuple[float | None, ...], ...]
    """The reward of each completion; None = none."""
    address: tuple[Address, ...]
    learner: Learner = Learner()
    """In whose passes the policy and its reference are read where formats are not exact."""

    @classmethod
    def of_step(
        cls,
        credit: Method,
        policy: Policy,
        companions: Companions,
        rollouts: Sequence[Rollout],
        temperature: float,
        address: tuple[Address, ...],
        learner: Learner,
        *,
        exact: bool,
    ) -> "SignalContext":
        """The context for the groups of an update.

        Args:
            credit: The method that will read the signals.
            policy: Before the update.
            companions: The learner's state beside the policy.
            rollouts: The groups, with rewards.
            temperature: Of the sampling.
            address: Of the step's randomness.
            learner: That will read the credit.
            exact: Whether the sampler's logprobs are the policy's own if its format is exact.
        """
        views = rollouts if credit.uses_truth else [sealed(rollout) for rollout in rollouts]
        told = tuple(tuple(rollout.rewards or ()) for rollout in rollouts)
        batch = pack(policy, rollouts, temperature)
        batch = replace(batch, exact=batch.exact and exact)
        return cls(credit, policy, companions, batch, tuple(views), told, address, learner)

    def asked(self, signal: str, kind: type[Part]) -> Part:
        """The credit method's settings for this signal.

        Raises:
            ComponentError: If there are none, or they have another type.
        """
        wish = asked(self.credit).get(signal)
        if not isinstance(wish, kind):
            raise ComponentError(
                f"{type(self.credit).__name__} needs the signal {signal}, but has no settings for "
                "it",
                value=f"asks[{signal!r}] = {wish!r}",
                allowed=f"a {kind.__name__}",
                do=f"Give the method a member `asks` with {signal!r} in it; a method that wraps "
                "another passes on that one's `asks`",
            )
        return wish

    @cached_property
    def reward_PG(self) -> Tensor:
        """The rewards; NaN = none."""
        return torch.tensor(
            [[float("nan") if told is None else told for told in group] for group in self.told_PG]
        )

    @cached_property
    def reference_logprob_NT(self) -> Tensor | None:
        """Nats under the reference; None without a reference."""
        reference = self.companions.reference
        return None if reference is None else self._score(reference)

    @cached_property
    def policy_logprob_NT(self) -> Tensor:
        """Nats under the policy before the update: the sampler's own where they are exact."""
        return self.batch.sampler_logprob_NT if self.batch.exact else self._score(self.policy)

    def _score(self, policy: Policy) -> Tensor:
        if self.batch.exact:
            return score(policy, self.batch).logprob_NT
        return self.learner.score(policy, self.batch, self.address)

    @cached_property
    def value_NT_state_MD(self) -> tuple[Tensor | None, Tensor | None]:
        """The critic's values and the states they come from; None without a critic."""
        critic = self.companions.critic
        return (None, None) if critic is None else critic.values(self.policy, self.batch)


@dataclass(frozen=True)
class Signal:
    """How one signal is made."""

    make: Callable[[SignalContext], Tensor | Teaching | None]
    reads: Literal["reference", "critic", "implicit", "teacher"] | None = None
    """The companion that it needs. All except the reference are optional parts of the learner."""


def _implicit(context: SignalContext) -> Tensor | None:
    implicit, reference_NT = context.companions.implicit, context.reference_logprob_NT
    if implicit is None or reference_NT is None:
        return None
    return implicit.rewards(context.batch, reference_NT)


def _teaching(context: SignalContext) -> Teaching:
    """The teacher's distributions at the step's completions, after the credit method's reprompts.

    Raises:
        ComponentError: If a reprompt and a completion do not fit the model's context.
    """
    teacher, policy, batch = context.companions.teacher, context.policy, context.batch
    assert teacher is not None
    lesson = context.asked("teaching", Lesson)
    views = [
        sealed(view) if isinstance(view, Rollout) and not lesson.reprompt.uses_truth else view
        for view in context.rollouts
    ]
    texts = lesson.reprompt.texts(views, context.told_PG)
    prompt_ids = [None if text is None else policy.encode(text) for text in texts]
    for n, (ids, length) in enumerate(zip(prompt_ids, batch.length_N.tolist(), strict=True)):
        if ids is not None and len(ids) + length > policy.context_length:
            raise ComponentError(
                "A teacher's prompt and the completion are longer than the model's context",
                value=f"{len(ids)} + {length} tokens, problem "
                f"{views[n // batch.group_size].problem.id}",
                allowed=f"{policy.context_length} tokens in all",
                do="Shorten the reprompt's template, the problems, or max_tokens",
            )
    return teacher.teach(policy, batch, prompt_ids, lesson.kept)


def _mismatched(context: SignalContext) -> Tensor:
    reference = context.companions.reference
    assert reference is not None
    ids = [view.problem.id for view in context.rollouts]
    return mismatched(context.policy, reference, context.batch, ids)


def mismatched(policy: Policy, reference: Policy, batch: Batch, ids: Sequence[str]) -> Tensor:
    """Nats (N,): log-ratio of policy to reference for each completion, after the prompt of the next
    group with another problem.

    Args:
        policy: The numerator.
        reference: The denominator.
        batch: The step's completions.
        ids: The problem of each group.

    Raises:
        ComponentError: If all groups of the step have the same problem, or another problem's prompt
            and a completion do not fit the context.
    """
    if len(set(ids)) < 2:
        raise ComponentError(
            "A mismatched prompt needs another problem, but all groups of the step have the same "
            "one",
            value=f"{len(ids)} groups of problem {ids[0]}",
            allowed="2 or more different problems per step",
            do="Raise problems_per_step, or let the regime have more problems",
        )
    others = [
        next(q for q in (*range(p + 1, len(ids)), *range(p)) if ids[q] != ids[p])
        for p in range(len(ids))
    ]
    behind = replace(
        batch, prompt_ids=tuple(batch.prompt_ids[q] for q in others)
    )  # whole groups move, so that they can be packed
    longest_P = batch.length_N.reshape(-1, batch.group_size).amax(dim=1).tolist()
    for p, (prompt, longest) in enumerate(zip(behind.prompt_ids, longest_P, strict=True)):
        if len(prompt) + longest > policy.context_length:
            raise ComponentError(
                "Another problem's prompt and the completion are longer than the model's context",
                value=f"{len(prompt)} + {longest} tokens, problem {ids[p]} behind {ids[others[p]]}",
                allowed=f"{policy.context_length} tokens in all",
                do="Shorten the problems, or max_tokens",
            )
    return (score(policy, behind).logprob_NT - score(reference, behind).logprob_NT).sum(dim=1)


SIGNALS: Mapping[str, Signal] = {
    "policy_logprob_NT": Signal(lambda step: step.policy_logprob_NT),
    "reference_logprob_NT": Signal(lambda step: step.reference_logprob_NT, "reference"),
    "entropy_NT": Signal(lambda step: score(step.policy, step.batch).entropy_NT),
    "planning_NT": Signal(
        lambda step: gram_mask(step.policy, step.batch, step.asked("planning_NT", tuple))
    ),
    "value_NT": Signal(lambda step: step.value_NT_state_MD[0], "critic"),
    "implicit_NT": Signal(_implicit, "implicit"),
    "teaching": Signal(_teaching, "teacher"),
    "mismatched_N": Signal(_mismatched, "reference"),
}
"""Field of :class:`rewardscope.tensors.Signals` -> its maker and the companion it reads."""


def reads_reference(credit: Method) -> bool:
    """Whether the method needs a signal that reads the reference."""
    return any(SIGNALS[name].reads == "reference" for name in credit.needs if name in SIGNALS)


def check_signals(arm: str, credit: Method, learner: Learner) -> None:
    """Checks that each signal that the method needs can be made.

    Raises:
        ComponentError: If a signal has no maker, the method brings one under a name of ours, or the
            learner lacks the part for it.
    """
    own = makers_of(credit)
    known = {*SIGNALS, *own}
    if taken := sorted(set(own) & set(Signals.__dataclass_fields__)):
        raise ComponentError(
            f"Arm '{arm}' has a credit method that brings a signal under a name that is taken",
            value=", ".join(taken),
            allowed="a name that is no field of Signals",
            do="Rename it in the method's `makers` and `needs`",
            where=line_of(type(credit)),
        )
    if not isinstance(credit.needs, (frozenset, set)) or not credit.needs <= known:
        raise ComponentError(
            f"Arm '{arm}' has a credit method that needs a signal without a maker",
            value=f"needs={credit.needs!r}",
            allowed=f"a frozenset of {', '.join(sorted(known))}",
            do="Write `needs: ClassVar[frozenset[str]] = frozenset({...})` with those that the "
            "method reads; for a signal of its own, give it a member `makers` with that name",
            where=line_of(type(credit)),
        )
    for name in sorted(credit.needs):
        part = SIGNALS[name].reads if name in SIGNALS else None
        if part is not None and part != "reference" and getattr(learner, part) is None:
            raise ComponentError(
                f"Arm '{arm}' has a credit method that reads {name}, but its learner does not make "
                "it",
                value=f"credit={credit}",
                allowed=f"Learner({part}=...)",
                do=f"Give the learner a {part}",
            )


def make_signals(context: SignalContext) -> Signals:
    """The signals that the credit method needs, and no others.

    Raises:
        ComponentError: If a maker of the method's own returns something else than a tensor.
    """
    needs, own = context.credit.needs, makers_of(context.credit)
    extra = {name: own[name](context) for name in sorted(needs & own.keys())}
    for name, made in extra.items():
        if not isinstance(made, Tensor):
            raise ComponentError(
                f"{type(context.credit).__name__} brings a signal that is not a tensor",
                value=f"{name}: {type(made).__name__}",
                allowed="a torch tensor without gradient",
                do="Let its maker return one",
            )
    ours: dict[str, Any] = {
        name: signal.make(context) for name, signal in SIGNALS.items() if name in needs
    }
    return Signals(
        reward_PG=context.reward_PG,
        mask_NT=context.batch.mask_NT,
        sampler_logprob_NT=context.batch.sampler_logprob_NT,
        token_NT=context.batch.token_NT,
        address=context.address,
        extra={name: made.detach() for name, made in extra.items()},
        **ours,
    )
