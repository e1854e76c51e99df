"""The records of the laboratory, as frozen dataclasses without torch.

Facts and rewards are different types. A :class:`Grade` is the verifier's verdict and is stored in
every arm; a reward is the value given to the learner.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, NoReturn

from rewardscope.errors import TruthSealed


class Ending(StrEnum):
    """How a completion ended: recorded as a fact, and graded in any case."""

    END_TOKEN = "end_token"
    LENGTH = "length"
    STOP_TEXT = "stop_text"
    OVER = "over"
    """The environment ended the episode."""
    TURNS = "turns"
    """The environment's limit of turns was reached."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem; the policy sees ``prompt`` and nothing else."""

    id: str
    """Content hash of environment and prompt."""
    environment: str
    """Name of the environment that made it."""
    prompt: str
    answer: str
    """The key. Sealed for components that declare ``uses_truth = False``."""
    level: int = 0
    """Difficulty in the environment's own steps."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further facts of the environment, for grading; sealed like the answer."""

    def chance_of(self, answer: str | None) -> float | None:
        """Chance that an answer is right, given the prompt: the fact ``chance <answer>``; None if
        the environment does not know it.
        """
        known = self.facts.get(f"chance {answer}")
        return None if known is None else float(known)


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled text with its tokens, including an environment's answers between turns."""

    text: str
    """Decoded text without the end token; turns and answers one per line."""
    token_ids: tuple[int, ...]
    """Sampled tokens, with the end token if there was one, and the environment's tokens between
    turns.
    """
    logprobs: tuple[float, ...]
    """Nats per token under the policy at the sampling temperature, before any top-p cut; 0 on
    tokens that it did not choose.
    """
    ending: Ending
    chosen: tuple[bool, ...] | None = None
    """Which of the tokens the policy chose; None = all of them."""
    turns: tuple[str, ...] | None = None
    """The policy's turns, each on one line; None = a single turn."""

    @property
    def said(self) -> str:
        """The text to grade: the policy's turns, one per line, or its only turn."""
        return self.text if self.turns is None else "\n".join(self.turns)

    @property
    def places(self) -> tuple[int, ...]:
        """Positions of the tokens that the policy chose."""
        return tuple(
            position
            for position in range(len(self.token_ids))
            if self.chosen is None or self.chosen[position]
        )

    @property
    def length(self) -> int:
        """Number of tokens that the policy chose."""
        return len(self.token_ids) if self.chosen is None else sum(self.chosen)


@dataclass(frozen=True)
class Replies:
    """An environment's answers between the turns of a policy."""

    to: Callable[[int, Sequence[str]], str | None]
    """(index of a prompt, turns of one of its completions) -> the next answer; None = the episode
    is over.
    """
    max_turns: int


@dataclass(frozen=True, slots=True)
class Grade:
    """The verifier's verdict: facts, computed in every arm."""

    correct: bool | None
    """Tolerant verdict on the answer; None = could not be graded, which differs from False."""
    strict: bool | None
    """Verdict of the strict extractor: the answer in the position and form that the prompt asked
    for.
    """
    well_formed: bool
    """Whether the completion has the form that was asked for, right or wrong."""
    answer: str | None = None
    """The answer as extracted from the completion, by a reading that never looks at the key."""
    confidence: float | None = None
    """Stated confidence in [0, 1], where one was stated."""
    feedback: str | None = None
    """Feedback that a teacher could give; it reads the answer key, so it is sealed."""
    strategy: str | None = None
    """The recognised strategy of the solution; None = none. Some environments name it by the
    verdict, so it is sealed.
    """
    steps: tuple[bool, ...] | None = None
    """Whether each written step is right given the steps before; None = no steps to check."""
    proxy: float | None = None
    """Score of a faulty scorer, 0 to 1, if the environment has one; it may read the answer key, so
    it is sealed.
    """


@dataclass(frozen=True, slots=True)
class Rollout:
    """The completions of one problem (a group) with grades and, once given, rewards."""

    problem: Problem
    policy_step: int
    """Number of updates behind the policy that sampled it."""
    completions: tuple[Completion, ...]
    grades: tuple[Grade, ...]
    rewards: tuple[float | None, ...] | None = None
    """Reward per completion; None inside = no reward, and left out of the baseline."""
    parts: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Named terms of the rewards."""
    recalled: tuple[str, ...] = ()
    """Recalled experience before the problem, in pieces."""

    @property
    def prompt(self) -> str:
        """The text it was sampled from: the recalled pieces, then the problem's prompt."""
        return "".join((*self.recalled, self.problem.prompt))

    @property
    def pass_rate(self) -> float | None:
        """Share of the graded completions that are correct; None if none could be graded."""
        graded = [grade.correct for grade in self.grades if grade.correct is not None]
        return sum(graded) / len(graded) if graded else None

    def told(self, rewards: "Rewards") -> "Rollout":
        """The same rollout with its rewards."""
        return replace(self, rewards=rewards.values, parts=rewards.parts)


@dataclass(frozen=True, slots=True)
class Rewards:
    """The rewards of one group."""

    values: tuple[float | None, ...]
    """One number per completion; None = no reward."""
    parts: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Named terms that sum or multiply to the values, for the record."""


def _refuse(name: str) -> NoReturn:
    raise TruthSealed(
        f"'{name}' was read from a sealed rollout",
        value=f"{name}, by a component with uses_truth = False",
        allowed="a component with uses_truth = False may read the prompt, the completions, and "
        "what a grade says without the key "
        "(well_formed, answer, confidence)",
        do="Declare uses_truth = True, so that the page shows who saw the key, or do not read it",
    )


@dataclass(frozen=True, slots=True)
class SealedProblem:
    """A problem without its key."""

    id: str
    environment: str
    prompt: str
    level: int

    @property
    def answer(self) -> str:
        """Raises: the key is sealed."""
        _refuse("problem.answer")

    @property
    def facts(self) -> Mapping[str, str]:
        """Raises: facts are sealed with the key."""
        _refuse("problem.facts")


@dataclass(frozen=True, slots=True)
class SealedGrade:
    """The part of a grade that needs no answer key."""

    well_formed: bool
    answer: str | None
    confidence: float | None

    @property
    def correct(self) -> bool | None:
        """Raises: whether it is right is sealed."""
        _refuse("grade.correct")

    @property
    def strict(self) -> bool | None:
        """Raises: whether it is right is sealed."""
        _refuse("grade.strict")

    @property
    def feedback(self) -> str | None:
        """Raises: feedback is written with the answer key."""
        _refuse("grade.feedback")

    @property
    def strategy(self) -> str | None:
        """Raises: a strategy may be named by the verdict; a form that needs no key can be read from
        the completion.
        """
        _refuse("grade.strategy")

    @property
    def steps(self) -> tuple[bool, ...] | None:
        """Raises: step verdicts are sealed."""
        _refuse("grade.steps")

    @property
    def proxy(self) -> float | None:
        """Raises: what a scorer gives may follow from the key."""
        _refuse("grade.proxy")


@dataclass(frozen=True, slots=True)
class SealedRollout:
    """A group as a component without the truth sees it."""

    problem: SealedProblem
    policy_step: int
    completions: tuple[Completion, ...]
    grades: tuple[SealedGrade, ...]
    recalled: tuple[str, ...] = ()


def sealed(rollout: Rollout) -> SealedRollout:
    """The rollout without its key: reading the answer, or whether a completion is right, raises
    TruthSealed.
    """
    problem = rollout.problem
    return SealedRollout(
        problem=SealedProblem(problem.id, problem.environment, problem.prompt, problem.level),
        policy_step=rollout.policy_step,
        completions=rollout.completions,
        grades=tuple(SealedGrade(g.well_formed, g.answer, g.confidence) for g in rollout.grades),
        recalled=rollout.recalled,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number from an instrument, with its unit, its interval and its sources."""

    study: str
    arm: str
    """Arm name, or ``base:<start>`` for an untrained policy."""
    seed: int | None
    """Replicate; None for the untrained policy, which has no seed."""
    step: int
    probe: str
    metric: str
    """``probe/metric`` in snake case; each has a row in docs/instruments.md."""
    unit: str
    value: float | None
    """None = could not be computed."""
    lower: float | None = None
    upper: float | None = None
    interval: str = ""
    """The method behind lower and upper; empty = no interval."""
    n: int
    """Number of ``over`` behind the value."""
    over: str
    """What n counts: problems, draws, weights ..."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the row is about: k, problem, strategy, matrix ..."""
    sources: tuple[str, ...] = ()
    """Files of the run directory it was read from."""
    dropped: int = 0
    """How many of ``over`` could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read or measured for a policy: stated, never filled in."""

    of: str
    """Which instrument, or which part of a run."""
    arm: str
    """Arm name, or ``base:<start>`` for an untrained policy."""
    seed: int | None
    step: int
    metrics: tuple[str, ...] = ()
    """Metrics that are unknown because of it."""
    lacks: tuple[str, ...] = ()
    """Missing inputs."""
    failure: str = ""
    """The error; empty if an input was missing."""
    partial: bool = False
    """Whether the other metrics were measured."""
    trace: str = ""
    """Where in the code it went wrong."""

    @property
    def reason(self) -> str:
        """Why, in words.

        >>> Gap(of="Losses", arm="a", seed=0, step=1, lacks=("the policy", "token ids")).reason
        'Losses did not measure: it lacks the policy and token ids'
        """
        if self.failure:
            return f"{self.of} failed: {self.failure}"
        rest = [", ".join(self.lacks[:-1])] if self.lacks[1:] else []
        lacks = " and ".join([*rest, *self.lacks[-1:]])
        did = "measured less" if self.partial else "did not measure"
        return f"{self.of} {did}: it lacks {lacks}"


class Outcome(StrEnum):
    """The outcome of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_RUN = "not_run"


Expectation = Literal["greater", "less", "same"]
"""The sign that a claim expects of treatment - control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence fixed before the run, with the contrast that decides it.

    The contrast is metric(treatment) - metric(control) at the last checkpoint, paired by problem
    and seed. ``greater``: supported when the whole interval lies above ``margin``, refuted when it
    lies below; ``less``: the mirror image, with -margin; ``same``: supported when the interval lies
    inside (-margin, margin), refuted when it lies outside. A study refuses a margin below 0, and
    one of 0 with ``same``, where no interval could lie inside.
    """

    sentence: str
    metric: str
    treatment: str
    """Arm name."""
    control: str
    """Arm name; ``base`` stands for the treatment's own untrained policy."""
    expects: Expectation = "greater"
    margin: float = 0.0
    """In the metric's unit."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Which rows of the metric: for instance {"k": "1"}."""


DRAWN_BY = "rewardscope.report.notebook"
"""What draws records for notebooks. It stands above this module, so it is found by its name."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Verdict:
    """The verdict of the measurements on a claim."""

    claim: Claim
    outcome: Outcome
    estimate: float | None
    lower: float | None
    upper: float | None
    unit: str
    interval: str
    """How lower and upper were made."""
    num_seeds: int
    num_problems: int
    treatment_mean: float | None
    control_mean: float | None
    smallest_visible: float | None
    """Smallest true contrast on the problems behind the estimate that would have been called with
    80 % power; None without an interval.
    """
    evidence: tuple[str, ...]
    """Measurement files the verdict was read from."""
    reason: str
    error: float | None = None
    """Smallest error at which the outcome, supported or refuted, would still be called: its
    p-value. At most 0.05 where it was called; None without an interval.
    """
    error_of_all: float | None = None
    """``error`` by Holm's rule over all claims of the study. At most 0.05 = the outcome holds
    together with all others that have as little.
    """
    by_seed: Mapping[str, float] = field(default_factory=dict)
    """Seed -> the contrast under that seed."""
    apart: str = ""
    """The seed whose contrast is too far from the others'; empty = none."""
    median: float | None = None
    """Of the seeds' contrasts, which one collapsed seed does not move."""
    middle_half: float | None = None
    """Interquartile mean of the seeds' contrasts."""
    improves: float | None = None
    """Share of pairs of a seed of each arm in which the treatment's mean is larger; ties half."""

    def __repr__(self) -> str:
        line: str = importlib.import_module(DRAWN_BY).verdict_line(self)
        return f"Verdict({line})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        html: str = importlib.import_module(DRAWN_BY).verdicts_html([self])
        return html
