"""The nouns of the laboratory as frozen records; no torch here.

Facts and rewards are different types: a :class:`Grade` is what the verifier found and is stored in
every arm; a reward is what the learner was told.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, NoReturn

from rewardscope.errors import TruthSealed


class Ending(StrEnum):
    """How a completion came to its end: a fact to record, never a reason not to grade."""

    END_TOKEN = "end_token"
    LENGTH = "length"
    STOP_TEXT = "stop_text"
    OVER = "over"
    """The environment said that the episode is over."""
    TURNS = "turns"
    """As many turns as the environment takes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is asked; the policy sees ``prompt`` and nothing else."""

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
    """What else the environment knows, for grading; sealed like the answer."""

    def chance_of(self, answer: str | None) -> float | None:
        """Chance that an answer is right, given the prompt, where the environment knows it: its
        fact ``chance <answer>``; else None.
        """
        known = self.facts.get(f"chance {answer}")
        return None if known is None else float(known)


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled text with the tokens it was sampled as; where an environment answered between
    turns, with its answers.
    """

    text: str
    """Decoded text without the end token; turns and answers one a line."""
    token_ids: tuple[int, ...]
    """Sampled tokens, the end token included when there was one, and between turns those of the
    environment.
    """
    logprobs: tuple[float, ...]
    """Nats per token under the policy at the sampling temperature, before any top-p cut; 0 on
    tokens that it did not choose.
    """
    ending: Ending
    chosen: tuple[bool, ...] | None = None
    """Which of the tokens the policy chose; None = all of them."""
    turns: tuple[str, ...] | None = None
    """What it said, turn by turn, each on one line; None = a single turn."""

    @property
    def said(self) -> str:
        """What is graded: the policy's turns, one a line, or the text of its only one."""
        return self.text if self.turns is None else "\n".join(self.turns)

    @property
    def places(self) -> tuple[int, ...]:
        """Where among the tokens those stand that the policy chose."""
        return tuple(
            place
            for place in range(len(self.token_ids))
            if self.chosen is None or self.chosen[place]
        )

    @property
    def length(self) -> int:
        """Tokens that the policy chose."""
        return len(self.token_ids) if self.chosen is None else sum(self.chosen)


@dataclass(frozen=True)
class Replies:
    """What an environment says between the turns of a policy."""

    to: Callable[[int, Sequence[str]], str | None]
    """From a prompt's place and the turns of one of its completions to what is said next; None =
    the episode is over.
    """
    max_turns: int


@dataclass(frozen=True, slots=True)
class Grade:
    """What the verifier found: facts, computed in every arm."""

    correct: bool | None
    """Tolerant verdict on the answer; None = could not be graded, which is not False."""
    strict: bool | None
    """The same under the strict extractor: the answer where and how the prompt asked for it."""
    well_formed: bool
    """Whether the completion has the form that was asked for, right or wrong."""
    answer: str | None = None
    """The answer as extracted from the completion, by a reading that never looks at the key."""
    confidence: float | None = None
    """Stated confidence in [0, 1], where one was stated."""
    feedback: str | None = None
    """What a teacher could say about it; reads the key, so it is sealed."""
    strategy: str | None = None
    """Which known way of solving it shows; None = none recognised. Some environments name it by the
    verdict, so it is sealed.
    """
    steps: tuple[bool, ...] | None = None
    """Whether each written step is right given what stands before it; None = no steps to check."""
    proxy: float | None = None
    """What a faulty scorer gives, 0 to 1, where the environment has one beside its verifier; it may
    read the key, so it is sealed.
    """


@dataclass(frozen=True, slots=True)
class Rollout:
    """The completions of one problem (a group) with facts and, once told, rewards."""

    problem: Problem
    policy_step: int
    """Number of updates behind the policy that sampled it."""
    completions: tuple[Completion, ...]
    grades: tuple[Grade, ...]
    rewards: tuple[float | None, ...] | None = None
    """What the learner was told, per completion; None inside = untold, and left out of the
    baseline.
    """
    parts: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    """Named terms that the rewards were made of."""
    recalled: tuple[str, ...] = ()
    """Experience that stood before the problem, in pieces as they stood there."""

    @property
    def prompt(self) -> str:
        """What it was sampled from: the recalled pieces, then the problem's prompt."""
        return "".join((*self.recalled, self.problem.prompt))

    @property
    def pass_rate(self) -> float | None:
        """Share of the graded completions that are correct; None where none could be graded."""
        graded = [grade.correct for grade in self.grades if grade.correct is not None]
        return sum(graded) / len(graded) if graded else None

    def told(self, rewards: "Rewards") -> "Rollout":
        """The same rollout with what the learner was told about it."""
        return replace(self, rewards=rewards.values, parts=rewards.parts)


@dataclass(frozen=True, slots=True)
class Rewards:
    """What a reward scheme says about one group."""

    values: tuple[float | None, ...]
    """One number per completion; None = cannot say."""
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
    """What can be said of a completion without the key."""

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
        """Raises: feedback is written with the key in hand."""
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
    """A group as a component without the truth gets to see it."""

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
    """One number an instrument produced, with its unit, its interval and what it was read from."""

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
    """How lower and upper were made; empty = there is none."""
    n: int
    """How many of ``over`` stand behind the value."""
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
    """Something that could not be read or measured of one policy: stated, never filled in."""

    of: str
    """Which instrument, or which part of a run."""
    arm: str
    """Arm name, or ``base:<start>`` for an untrained policy."""
    seed: int | None
    step: int
    metrics: tuple[str, ...] = ()
    """What is not known because of it."""
    lacks: tuple[str, ...] = ()
    """What was not there."""
    failure: str = ""
    """What went wrong; empty where something was lacking."""
    partial: bool = False
    """Whether the rest was measured, and only less of it."""
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
    """What became of a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_RUN = "not_run"


Expectation = Literal["greater", "less", "same"]
"""What a claim says of treatment less control."""


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
    """What the measurements made of a claim."""

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

    def __repr__(self) -> str:
        line: str = importlib.import_module(DRAWN_BY).verdict_line(self)
        return f"Verdict({line})"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        html: str = importlib.import_module(DRAWN_BY).verdicts_html([self])
        return html
