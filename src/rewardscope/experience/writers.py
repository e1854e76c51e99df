"""Writers turn attempts into notes: by rules of the environment, by the policy itself, or by
keeping raw trajectories.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.experience.entries import Ask, Attempt, Note, plain
from rewardscope.protocols import Distils, Writer, Writes, unwrapped


@dataclass(frozen=True)
class ByRule:
    """The environment's own words for a completion: a skill if it went well, a lesson if not;
    deterministic.

    A category has one skill. An attempt that went well votes for the skill's wording and against
    the lesson about the same action; one that went badly does the opposite. An entry whose votes
    turn is rewritten or dropped. Without the key, a lesson is about what was done. With it
    (``sees_key``), the environment can also say what should have been done, or where objects are.
    """

    sees_key: bool = False
    files_by_truth: bool = False
    """Counts correct completions as gone well, whatever their reward."""

    @property
    def uses_truth(self) -> bool:
        """Whether it sees the answer key or files by it."""
        return self.sees_key or self.files_by_truth

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """Up to two notes per attempt.

        Raises:
            ComponentError: If the environment cannot say what a completion teaches.
            TruthSealed: If the environment needs the answer key for it.
        """
        words, notes = _words_of(environment), list[Note]()
        for attempt in attempts:
            skill, lesson = (
                of(attempt.problem, attempt.text) for of in (words.skill, words.lesson)
            )
            if skill:
                notes.append(
                    replace(_about(attempt, "skill", "skill", skill), against=not attempt.won)
                )
            if lesson:
                notes.append(
                    replace(_about(attempt, "lesson", lesson, lesson), against=attempt.won)
                )
        return notes


def _words_of(environment: object) -> Distils:
    """The first of the environment and those it wraps that can say what a completion teaches."""
    words = next((part for part in unwrapped(environment) if isinstance(part, Distils)), None)
    if words is None:
        raise ComponentError(
            "This environment cannot say what a completion teaches",
            value=type(environment).__name__,
            allowed="one with skill(problem, text) and lesson(problem, text), such as Rules",
            do="Use ByPolicy() or Trajectories()",
        )
    return words


def _about(attempt: Attempt, kind: str, topic: str, text: str) -> Note:
    problem = attempt.problem
    return Note(kind, attempt.category, text, topic, problem=problem.id, about=problem.prompt)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Trajectories:
    """Raw trajectories of attempts that went well, one per problem.

    Source:
        SkillRL, arXiv:2602.08234, section 4 (the ablation "raw trajectories").
    """

    template: str = "{prompt} {completion}"

    uses_truth: ClassVar[bool] = False
    files_by_truth: ClassVar[bool] = False

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """One demonstration per attempt; a vote against it if it went badly."""
        return [
            replace(
                _about(attempt, "demonstration", attempt.problem.id, self._text(attempt)),
                against=not attempt.won,
            )
            for attempt in attempts
        ]

    def _text(self, attempt: Attempt) -> str:
        before, _, rest = self.template.partition(
            "{prompt}"
        )  # one pass, so that braces in a completion stay text
        return before + attempt.problem.prompt + rest.replace("{completion}", attempt.text)


@dataclass(frozen=True)
class Uniform:
    """``base`` with every attempt marked as gone well: the ablation of the distinction between
    success and failure.
    """

    base: Writer = ByRule()

    @property
    def uses_truth(self) -> bool:
        """As its base."""
        return self.base.uses_truth

    @property
    def files_by_truth(self) -> bool:
        """As its base."""
        return self.base.files_by_truth

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """The base's notes, as if all attempts were successes."""
        return self.base.notes(
            [replace(attempt, won=True) for attempt in attempts], environment, ask
        )


ASK = "Problem: {prompt}\nAnswer: {completion}\n"
SUCCESS = (
    f"{ASK}This answer was good. In one short sentence, give advice for other problems of this "
    "kind, without the answer."
)
FAILURE = (
    f"{ASK}This answer was bad. In one short sentence, say what was done wrong and what should be "
    "done instead."
)


@dataclass(frozen=True)
class ByPolicy:
    """Advice from the policy itself: a skill from an answer that went well, a lesson from one that
    went badly.

    It is shown a few of the attempts. Categories take turns, the worst first, with one good and one
    bad attempt per turn, each of another problem while there are others. Its text is hostile: the
    bank cuts it to one line of plain characters.

    Source:
        SkillRL, arXiv:2602.08234, section 3, where OpenAI o3 writes. Here no stronger model takes
            part.
    """

    most_attempts: int = 4
    """Attempts it is asked about at a time."""
    most_tokens: int = 32
    """Tokens it may write about each."""
    success: str = SUCCESS
    failure: str = FAILURE

    def __post_init__(self) -> None:
        complete = all(
            "{prompt}" in text and "{completion}" in text for text in (self.success, self.failure)
        )
        if self.most_attempts < 1 or self.most_tokens < 1 or not complete:
            raise ComponentError(
                "ByPolicy asks about a problem and a completion",
                value=self,
                allowed="most_attempts and most_tokens of 1 or more; {prompt} and {completion} in "
                "both texts",
                do="Correct it in the study file",
            )

    uses_truth: ClassVar[bool] = False
    files_by_truth: ClassVar[bool] = False

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """One note for each attempt that it was asked about."""
        chosen = spread(attempts, self.most_attempts)
        answers = (
            ask([self._question(attempt) for attempt in chosen], self.most_tokens) if chosen else []
        )
        return [
            _about(attempt, "skill" if attempt.won else "lesson", "", text)
            for attempt, text in zip(chosen, answers, strict=True)
        ]

    def _question(self, attempt: Attempt) -> str:
        text = self.success if attempt.won else self.failure
        before, _, rest = text.partition("{prompt}")
        return (
            before + attempt.problem.prompt + rest.replace("{completion}", plain(attempt.text, 400))
        )


def spread(attempts: Sequence[Attempt], count: int) -> list[Attempt]:
    """``count`` attempts: each (category, won) takes turns in order of appearance, with another
    problem at each turn while there are others.
    """
    heaps: dict[tuple[str, bool], list[Attempt]] = {}
    for attempt in _new_problems_first(attempts):
        heaps.setdefault((attempt.category, attempt.won), []).append(attempt)
    chosen: list[Attempt] = []
    while len(chosen) < count and any(heaps.values()):
        chosen += [heap.pop(0) for heap in heaps.values() if heap]
    return chosen[:count]


def _new_problems_first(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The same attempts, reordered: first all first ones per problem, category and outcome, then
    all second ones, and so on.
    """
    met: dict[tuple[str, str, bool], int] = {}
    turns = []
    for attempt in attempts:
        key = (attempt.category, attempt.problem.id, attempt.won)
        met[key] = met.get(key, 0) + 1
        turns.append((met[key], attempt))
    return [attempt for _, attempt in sorted(turns, key=lambda pair: pair[0])]
