"""What a component must be: every interface that a study's parts are held to, declared once.

A component satisfies an interface by having its members; nothing has to be inherited. What is
optional has an interface of its own, such as :class:`TakesTurns` or :class:`Categorised`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from rewardscope.types import (
    Completion,
    Gap,
    Grade,
    Measurement,
    Problem,
    Replies,
    Rewards,
    Rollout,
    SealedProblem,
    SealedRollout,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from rewardscope.experience.entries import Ask, Attempt, Note
    from rewardscope.experience.recall import Known, Query
    from rewardscope.policy import Policy, Sampling
    from rewardscope.probes.base import Evidence
    from rewardscope.runners.outcome import Outcome
    from rewardscope.seeds import Address
    from rewardscope.tensors import Batch, Signals, TokenCredit, TokenScores

View = Rollout | SealedRollout
"""A group as a scheme gets to see it: whole if it declares ``uses_truth``, sealed if not."""
Maker = Callable[[Any], "Tensor"]
"""Makes one signal from a :class:`rewardscope.training.SignalContext`: the policy, the step's
tokens and its groups.
"""
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
class Grader(Protocol):
    """Compares a completion with the key of its problem; text only, no models."""

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """What the completion is worth; never raises, whatever the completion holds.

        Args:
            prompt: What the policy read.
            completion: What it said.
            answer: The key.
        """

    def oracle(self, answer: str) -> str:
        """A completion that earns full marks for this key."""


@runtime_checkable
class MakesKeys(Protocol):
    """A grader that makes its key from more than the answer's column."""

    def key(self, answer: str, row: Mapping[str, object]) -> str:
        """The key of a row.

        Args:
            answer: Text of the answer's column.
            row: All columns as the file has them.
        """


@runtime_checkable
class AsksSomewhere(Protocol):
    """A grader whose oracle depends on where the prompt asks for the answer."""

    def oracle_for(self, prompt: str, answer: str) -> str:
        """A completion that earns full marks behind this prompt."""


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
    def needs(self) -> frozenset[str]:
        """Signals it reads beside rewards and tokens; only these are computed. A name is a field of
        :class:`Signals`, or one of the method's own ``makers``.
        """

    def __call__(self, signals: Signals) -> TokenCredit:
        """The streams the learner trains on."""


@runtime_checkable
class Asks(Protocol):
    """A method that says how a signal is to be made; one that wraps another passes on what that
    one says.
    """

    @property
    def asks(self) -> Mapping[str, object]:
        """Signal -> what its maker reads: ``planning_NT`` -> grams, ``teaching`` ->
        :class:`Lesson`.
        """


@runtime_checkable
class Makes(Protocol):
    """A method that brings signals of its own; one that wraps another passes on what that one
    brings.
    """

    @property
    def makers(self) -> Mapping[str, Maker]:
        """Name -> its maker. What it makes reaches the method as ``signals.ask(name, method)``."""


def asked(credit: object) -> Mapping[str, object]:
    """What the method says of how its signals are to be made; nothing of one that has no such
    wishes, or of none.
    """
    return credit.asks if isinstance(credit, Asks) else {}


def makers_of(credit: object) -> Mapping[str, Maker]:
    """The makers of the signals that the method brings; none of one that brings none."""
    return credit.makers if isinstance(credit, Makes) else {}


@runtime_checkable
class Preference(Protocol):
    """Turns the rewards of a step into a loss of whole completions; stands where a credit method
    stands.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether it reads the key by another door than the reward."""

    @property
    def needs(self) -> frozenset[str]:
        """Signals it reads beside rewards and tokens; only these are computed."""

    def __call__(self, signals: Signals) -> TokenCredit:
        """No advantage, and a loss of completions."""


@runtime_checkable
class Sampler(Protocol):
    """Writes completions, each with its tokens and their logprobs under the weights that wrote
    them.
    """

    def sample(
        self,
        prompts: Sequence[str],
        group_size: int,
        sampling: Sampling,
        addresses: Sequence[tuple[Address, ...]],
        replies: Replies | None = None,
        opening: str = "",
    ) -> list[tuple[Completion, ...]]:
        """A group of completions per prompt; the arguments are those of
        :func:`rewardscope.policy.sample`. Equal addresses give equal completions of equal weights.
        """


@runtime_checkable
class FollowingSampler(Sampler, Protocol):
    """A sampler that is told of new weights after every update."""

    @property
    def version(self) -> int:
        """Updates behind the weights that it samples with."""

    @property
    def exact(self) -> bool:
        """Whether its logprobs are those of the policy's own scores, up to rounding. Where they are
        not, each step row says how far they are apart (``sampler/gap_nats``).
        """

    def follow(self, policy: Trainable, version: int) -> None:
        """Samples from now on with these weights, which have so many updates behind them."""


@runtime_checkable
class Trainable(Protocol):
    """A model that is trained: its tokens, its scores, its weights on disk."""

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt and its completion together."""

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Tokens of a prompt as the model meets it."""

    def decode(self, token_ids: tuple[int, ...]) -> str:
        """Text of a completion's tokens."""

    def score(self, batch: Batch) -> TokenScores:
        """Nats of each chosen token, and the entropy of what it was drawn from; no gradient is
        kept.
        """

    def save(self, folder: Path) -> None:
        """Writes config, tokenizer and safetensors, for any other tool to read."""


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


class Probe(Protocol):
    """An instrument. It reads, it never writes, and it leaves the policy as it found it.

    Three more members may be there: ``needs`` (else completions alone) and ``uses``, both
    frozensets of :class:`rewardscope.probes.Need`, the second for what makes it say more; and
    ``section``, a :class:`rewardscope.section.Section` that says how its rows stand on the page.
    """

    metrics: ClassVar[tuple[str, ...]]
    """Every metric it can produce; those of ours have a row in docs/instruments.md."""

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Its rows. Rows labelled with a problem carry one problem's number; the others are
        aggregates.
        """


class RunSource(Protocol):
    """A run, whoever made it: what it was made of, what it wrote, and what it does not say."""

    @property
    def name(self) -> str:
        """What pages call it."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of its treatments."""

    def seeds(self, arm: str) -> tuple[int, ...]:
        """The arm's replicates."""

    def steps(self, arm: str, seed: int) -> tuple[int, ...]:
        """Steps whose training completions were kept, by the updates behind the policy that gave
        them, first to last.
        """

    def rollouts(self, arm: str, seed: int, step: int) -> Iterator[Rollout]:
        """Training completions of the policy after ``step`` updates."""

    def held_out(self, arm: str, seed: int | None) -> Iterator[Rollout]:
        """Completions on held-out problems at the end of training, or (seed None) of the policy
        that the arm began with; none where none were kept.
        """

    def metrics(self, arm: str, seed: int) -> Iterator[Mapping[str, object]]:
        """A row per training step: ``step``, and what was written down at it."""

    def checkpoints(self, arm: str, seed: int) -> Mapping[int, Path]:
        """Step -> folder of the weights after it."""

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the run does not say."""


@runtime_checkable
class Work(Protocol):
    """What is done for each name. It is pickled and sent to whoever does it."""

    def begin(self) -> None:
        """Called once where the work is done, before the first name."""

    def __call__(self, name: str) -> str | None:
        """Does it. None = done; otherwise why it failed."""


@runtime_checkable
class Runner(Protocol):
    """Does what it is given; in which order, and how much at once, is its own business."""

    def submit(self, name: str) -> None:
        """Takes on one more piece of work. It may be one that was lost before."""

    def finished(self, seconds: float) -> list[Outcome]:
        """What has come to an end since the last call; waits up to ``seconds`` for the first."""

    def stop(self) -> None:
        """Ends what still runs, at once, and leaves nothing behind. Work that is cut off is not
        reported.
        """
