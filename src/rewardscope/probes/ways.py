"""Ways of asking that may elicit more from a policy than plain sampling: everything about a
completion except the weights.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rewardscope.policy import Policy, Sampling, sample
from rewardscope.probes.sharpening import Draws, verdicts_of
from rewardscope.protocols import Environment, replies, turn_taker
from rewardscope.seeds import generator
from rewardscope.stats import pass_at_ks
from rewardscope.types import Grade, Problem, Rollout

PLAIN = "as sampled"
"""The way of the study itself."""
SLOT = "{prompt}"
OWN_SHARE = 0.01
"""Share of the policy's completions that must begin with a token for it to count as an opening of
its own.
"""
SHOT_FORMS = ("{prompt}\n{completion}\n\n", "{prompt}{completion}")
"""Formats of an example before the question; the first that the tokenizer can write is used."""


@dataclass(frozen=True)
class Way:
    """One way of asking."""

    name: str
    template: str = SLOT
    opening: str = ""
    """What every completion is made to begin with."""
    shots: int = 0
    """Solved training problems before the question."""
    temperature: float | None = None
    """None = the study's own."""
    power: float | None = None
    """Completions as if drawn from the policy's distribution over whole completions to this power;
    costs no draws of its own.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether it shows the policy something from the answer key."""
        return self.shots > 0


@dataclass(frozen=True)
class Answers:
    """The results of one way, per problem; NaN where it could not be asked, or nothing could be
    graded.
    """

    right_P: np.ndarray
    """pass@1."""
    within_k_P: np.ndarray
    """pass@k; NaN where draws are weighted or all alike."""
    draws_P: np.ndarray
    """Number of graded draws."""
    effective_P: np.ndarray
    """Effective number of weighted draws, (sum w)^2 / sum w^2; NaN for others."""


def own_openings(policy: Policy, rollouts: Sequence[Rollout], count: int) -> list[str]:
    """The commonest first tokens of completions, as text, most common first; no grade is read."""
    first = Counter(
        c.token_ids[0]
        for r in rollouts
        for c in r.completions
        if c.token_ids and c.token_ids[0] not in policy.end_ids
    )
    enough = OWN_SHARE * sum(len(r.completions) for r in rollouts)
    ordered = sorted(
        (token for token, number in first.items() if number >= enough),
        key=lambda token: (-first[token], token),
    )
    texts = [(token, str(policy.tokenizer.decode([token]))) for token in ordered[:count]]
    return [
        text for token, text in texts if policy.encode_opening(text) == (token,)
    ]  # part of a character is not an opening


def ask(
    policy: Policy,
    environment: Environment,
    problems: Sequence[Problem],
    way: Way,
    sampling: Sampling,
    draws: int,
    k: int,
    strict: bool,
) -> Answers:
    """What the policy answers when asked in a way that is not plain.

    A problem is not asked if its prompt does not fit the model's context. None is asked if the
    tokenizer cannot write what the way needs, or if an environment that takes turns would have to
    be shown as one text. At temperature 0 one draw is enough.
    """
    changed = (
        sampling if way.temperature is None else replace(sampling, temperature=way.temperature)
    )
    draws = 1 if changed.temperature == 0 else draws
    form = next(
        (form for form in SHOT_FORMS if policy.writes(form.format(prompt="", completion=""))), None
    )
    possible = (
        policy.writes(way.template.replace(SLOT, ""))
        and policy.writes(way.opening)
        and (form is not None or not way.shots)
    )
    possible = possible and not (turn_taker(environment) is not None and (way.opening or way.shots))
    room = policy.context_length - len(policy.encode_opening(way.opening)) - changed.max_tokens
    texts: dict[int, str] = {}
    for index, problem in enumerate(problems if possible else ()):
        text = _examples(environment, problem, way.shots, form or "") + way.template.replace(
            SLOT, problem.prompt
        )
        if len(policy.encode(text)) <= room:
            texts[index] = text
    right_P, within_k_P, draws_P = (
        unknown(len(problems)),
        unknown(len(problems)),
        np.zeros(len(problems), dtype=np.int64),
    )
    if texts:
        addresses = [("elicitation", way.name, problems[index].id) for index in texts]
        turns = replies(environment, [problems[index] for index in texts])
        groups = sample(policy, list(texts.values()), draws, changed, addresses, turns, way.opening)
        for index, group in zip(texts, groups, strict=True):
            grades = [
                environment.grade(problems[index], way.opening + completion.said)
                for completion in group
            ]
            right_P[index], within_k_P[index], draws_P[index] = _passes(grades, k, strict)
    return Answers(right_P, within_k_P, draws_P, unknown(len(problems)))


def unknown(count: int) -> np.ndarray:
    """An array of ``count`` NaNs."""
    return np.full(count, np.nan)


def _examples(environment: Environment, problem: Problem, count: int, form: str) -> str:
    """Solved problems of the training split. Each problem gets its own, so that no result depends
    on one lucky choice.
    """
    indices = generator("elicitation", "shots", problem.id).integers(2**40, size=count).tolist()
    shown = [environment.problem("train", index) for index in indices]
    return "".join(
        form.format(prompt=other.prompt, completion=environment.oracle(other))
        for other in shown
        if other.id != problem.id
    )


def _passes(grades: Sequence[Grade], k: int, strict: bool) -> tuple[float, float, int]:
    """pass@1 and pass@k of the graded draws, and their number."""
    right_N = verdicts_of(grades, strict)
    known_N = right_N[~np.isnan(right_N)]
    if not len(known_N):
        return np.nan, np.nan, 0
    return (
        float(known_N.mean()),
        float(pass_at_ks(np.array([len(known_N)]), np.array([known_N.sum()]), [k])[0, 0]),
        len(known_N),
    )


def as_sampled(rollouts: Sequence[Rollout], k: int, strict: bool) -> Answers:
    """The answers of the stored completions."""
    right_P, within_k_P, draws_P = np.array(
        [_passes(rollout.grades, k, strict) for rollout in rollouts]
    ).T
    return Answers(right_P, within_k_P, draws_P.astype(np.int64), unknown(len(rollouts)))


def sharpened(
    rollouts: Sequence[Rollout], power: float, sampling: Sampling, strict: bool
) -> Answers:
    """The answers of the stored completions under p(y)^power / Z (:meth:`Draws.sharpened`); unknown
    where sampling was cut.
    """
    draws = Draws.of(rollouts, sampling, strict)
    right_P, effective_P = draws.sharpened(power)
    draws_P = np.array(
        [(~np.isnan(correct_N)).sum() for correct_N in draws.correct_PN], dtype=np.int64
    )
    return Answers(right_P, unknown(len(rollouts)), draws_P, effective_P)
