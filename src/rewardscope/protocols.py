"""What a component must be: every interface that a study's parts are held to, declared once.

A component satisfies an interface by having its members; nothing has to be inherited. What is
optional has an interface of its own, such as :class:`TakesTurns` or :class:`Categorised`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from rewardscope.types import (
    Grade,
    Problem,
    Replies,
    Rewards,
    Rollout,
    SealedProblem,
    SealedRollout,
)

if TYPE_CHECKING:
    from rewardscope.experience.entries import Ask, Attempt, Note
    from rewardscope.experience.recall import Known, Query
    from rewardscope.policy import Policy
    from rewardscope.seeds import Address
    from rewardscope.tensors import Signal, Signals, TokenCredit

View = Rollout | SealedRollout
"""A group as a scheme gets to see it: whole if it declares ``uses_truth``, sealed if not."""
History = Mapping[int, Sequence[tuple[int, float]]]
"""Index into the training split -> (step, share of its graded completions that were right), first
to last.
"""


@runtime_checkable
class Environment(Protocol):
    """Makes problems, grades completions; text only."""

    name: ClassVar[str]
    """Class name in the table of environments."""

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that grade() can recognise; one that no completion shows has share 0, not
        an unknown one.
        """

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index): always the same one."""

    def grade(self, problem: Problem, text: str) -> Grade:
        """What the verifier finds in what the policy said (``Completion.said``); never raises on
        junk.
        """

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks; of an environment that takes turns, one turn a
        line.
        """


@runtime_checkable
class Wraps(Protocol):
    """An environment that stands before another one and leaves to it what it does not do itself.

    Its turns, its categories and its words for what a completion teaches are those of ``inner``,
    unless it has members of its own for them. A wrapper without ``inner`` forwards nothing.
    """

    @property
    def inner(self) -> Environment:
        """The environment that it stands before."""


@runtime_checkable
class TakesTurns(Protocol):
    """An environment that answers the policy between its turns; one without ``reply`` takes a
    single turn.
    """

    @property
    def max_turns(self) -> int:
        """Turns after which an episode is over, whatever was said."""

    def reply(self, problem: Problem, turns: Sequence[str]) -> str | None:
        """What the environment says after these turns, a function of them alone; None = the episode
        is over.
        """


@runtime_checkable
class Categorised(Protocol):
    """An environment that tells kinds of problem apart."""

    def category(self, prompt: str) -> str:
        """The kind of a problem, from its prompt alone: no key is needed to look something up."""


@runtime_checkable
class Distils(Protocol):
    """An environment that can say what a completion teaches."""

    def skill(self, problem: Problem | SealedProblem, text: str) -> str:
        """What the completion did, right or wrong, as a rule for others of its category; empty =
        nothing.
        """

    def lesson(self, problem: Problem | SealedProblem, text: str) -> str:
        """What it did and is not to be done again; with a problem that is not sealed also what
        should have been done; empty = nothing.
        """


@runtime_checkable
class Finite(Protocol):
    """An environment that knows how many problems it has."""

    def size(self, split: str) -> int | None:
        """Different problems in the split; None = not known."""


def unwrapped(environment: object) -> Iterator[object]:
    """The environment, then the one that it declares to wrap, down to the innermost: the first that
    has an optional interface speaks for all of them.
    """
    yield environment
    while isinstance(environment, Wraps):
        environment = environment.inner
        yield environment


def turn_taker(environment: object) -> TakesTurns | None:
    """Who answers between turns; None where a completion is one turn."""
    return next((each for each in unwrapped(environment) if isinstance(each, TakesTurns)), None)


def replies(environment: object, problems: Sequence[Problem]) -> Replies | None:
    """What the environment says between the turns of each problem's completions; None where a
    completion is one turn.
    """
    taker = turn_taker(environment)
    if taker is None:
        return None
    return Replies(lambda place, turns: taker.reply(problems[place], turns), taker.max_turns)


@runtime_checkable
class Regime(Protocol):
    """Says which problems a step draws: a function of seed and step, so that arms under one seed
    meet the same ones, and of the past.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether it chooses by what only the key can tell."""

    def indices(
        self, seed: int, step: int, count: int, history: History, sampling_round: int = 0
    ) -> list[int]:
        """Indices into the training split, one per problem of a sampling round of the step.

        Args:
            seed: The replicate's.
            step: Which step of the run.
            count: How many.
            history: How often this policy solved what it met so far; a regime that reads it
                declares ``uses_truth``.
            sampling_round: Which round; without history the first one's do not depend on whether
                there are others, so that arms with more rounds meet the same problems and then
                some.
        """


@runtime_checkable
class Reward(Protocol):
    """Says what the learner is told about a group."""

    uses_truth: ClassVar[bool]
    """Whether it may read the key and what follows from it."""
    placebo: ClassVar[bool]
    """Whether it says nothing about being right, or the opposite."""

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """One number per completion; None where the scheme cannot say.

        Args:
            view: The group, sealed unless ``uses_truth``.
            address: Where its randomness is found; the same in every arm.
        """


@runtime_checkable
class Credit(Protocol):
    """Spreads the rewards of a step over its tokens; pure, no gradient attached."""

    @property
    def uses_truth(self) -> bool:
        """Whether it reads the key by another door than the reward."""

    @property
    def needs(self) -> frozenset[Signal]:
        """Signals it reads beside rewards and tokens; only these are computed."""

    def __call__(self, signals: Signals) -> TokenCredit:
        """The streams the learner trains on."""


@runtime_checkable
class Preference(Protocol):
    """Turns the rewards of a step into a loss of whole completions; stands where a credit method
    stands.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether it reads the key by another door than the reward."""

    @property
    def needs(self) -> frozenset[Signal]:
        """Signals it reads beside rewards and tokens; only these are computed."""

    def __call__(self, signals: Signals) -> TokenCredit:
        """No advantage, and a loss of completions."""


@runtime_checkable
class Start(Protocol):
    """An untrained policy by name."""

    @property
    def label(self) -> str:
        """What pages and measurements call it."""

    def identity(self) -> str:
        """What determines its weights: part of the signature of every cell that starts from it."""

    def load(self, device: str = "cpu") -> Policy:
        """A fresh copy of the policy on the device."""


class Writes(Protocol):
    """An environment, as far as demonstrations ask of one."""

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks."""


@runtime_checkable
class Demonstrations(Protocol):
    """Says what was written about a problem, instead of the policy; graded and rewarded like
    anything else.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether the texts were written or chosen with the key in hand."""

    def identity(self) -> str:
        """What the texts are determined by, beyond the fields: part of the signature of every cell
        that learns from them.
        """

    def texts(self, problem: Problem, environment: Writes, count: int) -> tuple[str, ...]:
        """``count`` completions of the problem."""


class Reader(Protocol):
    """The policy, as far as a bank asks of it: how it reads text."""

    def tokens(self, prompt: str) -> int:
        """Tokens of the prompt as the policy meets it."""

    def plain(self, text: str) -> bool:
        """Whether the text is read as text: no token in it is one that ends or structures a prompt,
        or stands for the unknown.
        """


class Writer(Protocol):
    """Turns attempts into notes."""

    @property
    def uses_truth(self) -> bool:
        """Whether it sees the key or files by what is right; if not, what it is given is sealed."""

    @property
    def files_by_truth(self) -> bool:
        """Whether an attempt went well if it is right, instead of if it was told so."""

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """What the attempts teach.

        Args:
            attempts: Those that something was told about, category by category.
            environment: Whose problems they are.
            ask: The policy, for a writer that has it write.
        """


class Recall(Protocol):
    """Says what is written into the block of a problem; all of it reaches the prompt."""

    placebo: ClassVar[bool]
    """Whether what it writes says nothing of the problem's category."""

    def texts(self, known: Known, query: Query) -> list[str]:
        """The entries' texts, first to last; they fit the block together."""


class Detector(Protocol):
    """Says of a completion whether a behaviour shows in its text: a pattern, not an
    understanding.
    """

    name: ClassVar[str]
    """What its rows are labelled with."""
    behaviour: ClassVar[str]
    """What it stands for: the file of labelled texts that it is judged on."""
    published: ClassVar[bool]
    """Whether it is kept as a paper has it, mistakes included."""

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the behaviour shows in the completion ``text`` of ``prompt``."""
