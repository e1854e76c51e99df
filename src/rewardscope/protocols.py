"""The interfaces of all parts of a study.

A component satisfies an interface by having its members; nothing has to be inherited. Optional
members have interfaces of their own, such as :class:`TakesTurns` or :class:`Categorised`.
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
"""A group as a reward sees it: whole if the reward declares ``uses_truth``, else sealed."""
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
        """All strategies that grade() can recognise; one that no completion shows has share 0."""

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index): always the same one."""

    def grade(self, problem: Problem, text: str) -> Grade:
        """The verifier's verdict on the policy's text (``Completion.said``); never raises, whatever
        the text.
        """

    def oracle(self, problem: Problem) -> str:
        """A completion that is graded as fully correct; one turn per line if the environment takes
        turns.
        """


@runtime_checkable
class Grader(Protocol):
    """Compares a completion with the key of its problem; text only, no models."""

    def grade(self, prompt: str, completion: str, answer: str) -> Grade:
        """The grade of the completion; never raises, whatever the completion.

        Args:
            prompt: The text that the policy read.
            completion: The policy's text.
            answer: The key.
        """

    def oracle(self, answer: str) -> str:
        """A completion that is graded as fully correct for this key."""


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
        """A completion that is graded as fully correct for this prompt."""


@runtime_checkable
class Wraps(Protocol):
    """An environment that wraps another one, and leaves the rest to it.

    Turns, categories, skills and lessons are those of ``inner``, unless the wrapper has members of
    its own for them. A wrapper without ``inner`` forwards nothing.
    """

    @property
    def inner(self) -> Environment:
        """The wrapped environment."""


@runtime_checkable
class TakesTurns(Protocol):
    """An environment that answers the policy between its turns; one without ``reply`` takes a
    single turn.
    """

    @property
    def max_turns(self) -> int:
        """Turns after which an episode ends in any case."""

    def reply(self, problem: Problem, turns: Sequence[str]) -> str | None:
        """The environment's answer to these turns, which depends on them alone; None = the episode
        is over.
        """


@runtime_checkable
class Categorised(Protocol):
    """An environment with kinds of problems."""

    def category(self, prompt: str) -> str:
        """The kind of a problem, from its prompt alone, so that recall needs no answer key."""


@runtime_checkable
class Distils(Protocol):
    """An environment that can say what a completion teaches."""

    def skill(self, problem: Problem | SealedProblem, text: str) -> str:
        """The completion's approach, right or wrong, as a rule for its category; empty = none."""

    def lesson(self, problem: Problem | SealedProblem, text: str) -> str:
        """What to avoid after this completion, and what to do instead if the problem is not sealed;
        empty = none.
        """


@runtime_checkable
class Finite(Protocol):
    """An environment that knows how many problems it has."""

    def size(self, split: str) -> int | None:
        """Number of different problems in the split; None = unknown."""


def unwrapped(environment: object) -> Iterator[object]:
    """The environment, then those it wraps, down to the innermost. The first with an optional
    interface provides it for all.
    """
    yield environment
    while isinstance(environment, Wraps):
        environment = environment.inner
        yield environment


def turn_taker(environment: object) -> TakesTurns | None:
    """The environment that answers between turns; None if a completion is one turn."""
    return next((part for part in unwrapped(environment) if isinstance(part, TakesTurns)), None)


def replies(environment: object, problems: Sequence[Problem]) -> Replies | None:
    """The environment's answers between turns, for the completions of each problem; None if a
    completion is one turn.
    """
    taker = turn_taker(environment)
    if taker is None:
        return None
    return Replies(lambda index, turns: taker.reply(problems[index], turns), taker.max_turns)


@runtime_checkable
class Regime(Protocol):
    """Selects the problems of a step from the seed, the step and the history. Arms with the same
    seed get the same problems, unless the history matters.
    """

    @property
    def uses_truth(self) -> bool:
        """Whether its choice depends on the answer key."""

    def indices(
        self, seed: int, step: int, count: int, history: History, sampling_round: int = 0
    ) -> list[int]:
        """Indices into the training split, one per problem of a sampling round of the step.

        Args:
            seed: Of the replicate.
            step: Step of the run.
            count: Number of indices.
            history: How often this policy solved the problems so far; a regime that reads it
                declares ``uses_truth``.
            sampling_round: Number of the round. Without history, the first round does not depend on
                later ones, so arms with more rounds meet the same problems and additional ones.
        """


@runtime_checkable
class Reward(Protocol):
    """Gives the rewards of a group."""

    @property
    def uses_truth(self) -> bool:
        """Whether it may read the answer key and everything derived from it."""

    @property
    def placebo(self) -> bool:
        """Whether it is unrelated or opposed to correctness."""

    def __call__(self, view: View, address: tuple[Address, ...]) -> Rewards:
        """One number per completion; None where there is no reward.

        Args:
            view: The group, sealed unless ``uses_truth``.
            address: Of its randomness; the same in every arm.
        """


State = Mapping[str, Any]
"""What a reward carries from step to step: text keys, and values that JSON holds exactly."""


@runtime_checkable
class Remembers(Protocol):
    """A reward with a state that it carries from step to step.

    The state is fixed within a step, and moves once at its end. So rewards do not depend on the
    order of the groups. Each checkpoint holds it, and a resumed run goes on from it. Called as a
    :class:`Reward`, it pays by its first state. One that wraps others passes on their states.
    """

    @property
    def first_state(self) -> State:
        """The state before the first step."""

    def given(self, state: State, view: View, address: tuple[Address, ...]) -> Rewards:
        """The rewards of a group under this state; the arguments are those of a reward."""

    def next_state(self, state: State, views: Sequence[View], told: Sequence[Rewards]) -> State:
        """The state after a step.

        Args:
            state: During the step.
            views: The step's groups in order of sampling; sealed unless ``uses_truth``.
            told: What it gave to each of them.
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
    """A method with settings for its signals. One that wraps another must pass on those of the
    other.
    """

    @property
    def asks(self) -> Mapping[str, object]:
        """Signal -> settings of its maker: ``planning_NT`` -> grams, ``teaching`` ->
        :class:`Lesson`.
        """


@runtime_checkable
class Makes(Protocol):
    """A method with signals of its own. One that wraps another must pass on those of the other."""

    @property
    def makers(self) -> Mapping[str, Maker]:
        """Name -> its maker. The method reads the signal by ``signals.ask(name, method)``."""


def asked(credit: object) -> Mapping[str, object]:
    """The method's settings for its signals; empty if it has none, or there is no method."""
    return credit.asks if isinstance(credit, Asks) else {}


def makers_of(credit: object) -> Mapping[str, Maker]:
    """The makers of the method's own signals; empty if it has none."""
    return credit.makers if isinstance(credit, Makes) else {}


@runtime_checkable
class Preference(Protocol):
    """Turns the rewards of a step into a loss over whole completions; takes the role of a credit
    method.
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
    """Samples completions, each with its tokens and their logprobs under the sampling weights."""

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
    """A sampler that gets the new weights after every update."""

    @property
    def version(self) -> int:
        """Number of updates of its current weights."""

    @property
    def exact(self) -> bool:
        """Whether its logprobs equal the policy's own scores, up to rounding. If not, each step row
        has their distance (``sampler/gap_nats``).
        """

    def follow(self, policy: Trainable, version: int) -> None:
        """Switches to these weights, which had ``version`` updates."""


@runtime_checkable
class Trainable(Protocol):
    """A model that is trained: its tokens, its scores, its weights on disk."""

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt with its completion."""

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Tokens of a prompt as the model reads it."""

    def decode(self, token_ids: tuple[int, ...]) -> str:
        """Text of a completion's tokens."""

    def score(self, batch: Batch) -> TokenScores:
        """Nats of each chosen token, and the entropy of its distribution; no gradient is kept."""

    def save(self, folder: Path) -> None:
        """Writes config, tokenizer and safetensors, for any other tool to read."""


@runtime_checkable
class Start(Protocol):
    """An untrained policy by name."""

    @property
    def label(self) -> str:
        """Its name on pages and in measurements."""

    def identity(self) -> str:
        """A digest of its weights, which enters the signature of every cell that starts from it."""

    def load(self, device: str = "cpu") -> Policy:
        """A fresh copy of the policy on the device."""


@runtime_checkable
class InFolder(Protocol):
    """A start whose model lies in a folder, so that its shape is known before it is read."""

    def folder(self) -> Path | None:
        """A Hugging Face folder; None if it is nowhere on this machine."""


class Writes(Protocol):
    """The part of an environment that demonstrations use."""

    def oracle(self, problem: Problem) -> str:
        """A completion that earns full marks."""


@runtime_checkable
class Demonstrations(Protocol):
    """Provides completions instead of the policy; these are graded and rewarded as usual."""

    @property
    def uses_truth(self) -> bool:
        """Whether the texts were written or chosen with the answer key."""

    def identity(self) -> str:
        """A digest of whatever determines the texts beyond the fields. It enters the signature of
        every cell that learns from them.
        """

    def texts(self, problem: Problem, environment: Writes, count: int) -> tuple[str, ...]:
        """``count`` completions of the problem."""


class Reader(Protocol):
    """The part of a policy that a bank uses: how it reads text."""

    def tokens(self, prompt: str) -> int:
        """Number of tokens of the prompt as the policy reads it."""

    def plain(self, text: str) -> bool:
        """Whether no token of the text ends or structures a prompt, or is the unknown token."""


class Writer(Protocol):
    """Turns attempts into notes."""

    @property
    def uses_truth(self) -> bool:
        """Whether it sees the answer key or files by truth; if not, its attempts are sealed."""

    @property
    def files_by_truth(self) -> bool:
        """Whether correctness, not the reward, decides if an attempt went well."""

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """What the attempts teach.

        Args:
            attempts: Attempts with a reward, category by category.
            environment: The environment of their problems.
            ask: Asks the policy for text.
        """


class Recall(Protocol):
    """Selects the texts in the block before a problem; all of them reach the prompt."""

    placebo: ClassVar[bool]
    """Whether its texts are unrelated to the problem's category."""

    def texts(self, known: Known, query: Query) -> list[str]:
        """The entries' texts, first to last; they fit the block together."""


class Detector(Protocol):
    """Detects a behaviour in the text of a completion, by a pattern."""

    name: ClassVar[str]
    """The label of its rows."""
    behaviour: ClassVar[str]
    """The behaviour to detect; names the file of labelled texts for its validation."""
    published: ClassVar[bool]
    """Whether it follows a paper exactly, including its mistakes."""

    def __call__(self, prompt: str, text: str) -> bool:
        """Whether the behaviour shows in the completion ``text`` of ``prompt``."""


class Probe(Protocol):
    """An instrument. It reads but never writes, and it does not change the policy.

    Three members are optional. ``needs`` (default: completions alone) and ``uses`` are frozensets
    of :class:`rewardscope.probes.Need`; the second allows it to measure more. ``section`` is a
    :class:`rewardscope.section.Section` with the layout of its rows on the page.
    """

    metrics: ClassVar[tuple[str, ...]]
    """Every metric it can produce; those of ours have a row in docs/instruments.md."""

    def measure(self, evidence: Evidence) -> list[Measurement]:
        """Its rows. Rows labelled with a problem carry one problem's number; the others are
        aggregates.
        """


class RunSource(Protocol):
    """A run of any tool: its arms and seeds, its records, and their gaps."""

    @property
    def name(self) -> str:
        """Its name on pages."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of its treatments."""

    def seeds(self, arm: str) -> tuple[int, ...]:
        """The arm's replicates."""

    def steps(self, arm: str, seed: int) -> tuple[int, ...]:
        """Steps with stored training completions, first to last: the number of updates before
        sampling.
        """

    def rollouts(self, arm: str, seed: int, step: int) -> Iterator[Rollout]:
        """Training completions of the policy after ``step`` updates."""

    def held_out(self, arm: str, seed: int | None) -> Iterator[Rollout]:
        """Completions on held-out problems at the end of training, or, with seed None, of the arm's
        untrained policy; empty if none were stored.
        """

    def metrics(self, arm: str, seed: int) -> Iterator[Mapping[str, object]]:
        """One row per training step: ``step``, and its recorded metrics."""

    def checkpoints(self, arm: str, seed: int) -> Mapping[int, Path]:
        """Step -> folder of the weights after that step."""

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Information that the run does not have."""


@runtime_checkable
class Work(Protocol):
    """The work for each name. It is pickled and sent to the workers."""

    def begin(self) -> None:
        """Called once in each worker, before its first name."""

    def __call__(self, name: str) -> str | None:
        """None after success, else the reason of the failure."""


@runtime_checkable
class Slotted(Protocol):
    """Work whose workers each need something of their own, such as a GPU."""

    @property
    def slots(self) -> Sequence[Mapping[str, str]]:
        """Environment variables of each slot. A worker has one slot while it lives; several share
        one only if there are more workers than slots.
        """


@runtime_checkable
class Runner(Protocol):
    """Does the submitted work, in an order and with a parallelism of its own choice."""

    def submit(self, name: str) -> None:
        """Adds one piece of work, which may have been lost before."""

    def finished(self, seconds: float) -> list[Outcome]:
        """Outcomes since the last call; waits up to ``seconds`` for the first."""

    def stop(self) -> None:
        """Ends all running work at once, without leftovers. Interrupted work is not reported."""
