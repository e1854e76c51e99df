"""Who turns attempts into notes: rules of the environment, the policy itself, or nobody, who keeps
them as they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rewardscope.errors import ComponentError
from rewardscope.experience.entries import Ask, Attempt, Note, plain
from rewardscope.protocols import Distils, Writer, Writes, unwrapped


@dataclass(frozen=True)
class ByRule:
    """The environment's own words for what a completion does: a skill if it went well, a lesson if
    not; deterministic.

    A category has one skill: what went well speaks for its wording and against the lesson of the
    same doing, what went badly the other way round, so an entry whose evidence turns is rewritten
    or dropped. Sealed, a lesson is about what was done; with the key in sight (the environment may
    need it: to say what should have been done, or to know where things lie) both are as the
    environment says.
    """

    sees_key: bool = False
    files_by_truth: bool = False
    """Files what is right as gone well, whatever was told."""

    @property
    def uses_truth(self) -> bool:
        """Where it sees the key or files by it."""
        return self.sees_key or self.files_by_truth

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """Up to two notes an attempt.

        Raises:
            ComponentError: If the environment has no words for it.
            TruthSealed: If the environment needs the key to say it.
        """
        words, found = _words_of(environment), list[Note]()
        for attempt in attempts:
            skill, lesson = (
                of(attempt.problem, attempt.text) for of in (words.skill, words.lesson)
            )
            if skill:
                found.append(
                    replace(_about(attempt, "skill", "skill", skill), against=not attempt.won)
                )
            if lesson:
                found.append(
                    replace(_about(attempt, "lesson", lesson, lesson), against=attempt.won)
                )
        return found


def _words_of(environment: object) -> Distils:
    """The environment, or the one that it wraps, as one that can say what a completion teaches."""
    words = next((each for each in unwrapped(environment) if isinstance(each, Distils)), None)
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
    """What went well, as it was: raw trajectories, one a problem.

    Source:
        SkillRL, arXiv:2602.08234, section 4 (the ablation "raw trajectories").
    """

    template: str = "{prompt} {completion}"

    uses_truth: ClassVar[bool] = False
    files_by_truth: ClassVar[bool] = False

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """A demonstration per attempt, against it where it went badly."""
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
    """``base``, which is told that everything went well: the ablation of treating success and
    failure apart.
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
        """The base's, of successes alone."""
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
    """The policy itself, asked for advice: a skill of an answer that was told to be good, a lesson
    of one told to be bad.

    Of the attempts it is shown a few: a turn for each category, the worst first, and in it one for
    good and one for bad, each of another problem while there are others. What it writes is hostile
    text: the bank cuts it to one line of plain characters.

    Source:
        SkillRL, arXiv:2602.08234, section 3, where OpenAI o3 writes; here no stronger model is let
            in.
    """

    most_attempts: int = 4
    """Attempts it is asked about at a time."""
    most_tokens: int = 32
    """Tokens it may write about each."""
    success: str = SUCCESS
    failure: str = FAILURE

    def __post_init__(self) -> None:
        places = all(
            "{prompt}" in text and "{completion}" in text for text in (self.success, self.failure)
        )
        if self.most_attempts < 1 or self.most_tokens < 1 or not places:
            raise ComponentError(
                "A writer is asked about a problem and a completion",
                value=self,
                allowed="most_attempts and most_tokens of 1 or more; {prompt} and {completion} in "
                "both texts",
                do="Mend it in the study",
            )

    uses_truth: ClassVar[bool] = False
    files_by_truth: ClassVar[bool] = False

    def notes(self, attempts: Sequence[Attempt], environment: Writes, ask: Ask) -> list[Note]:
        """One note for each attempt that it was asked about."""
        chosen = spread(attempts, self.most_attempts)
        found = (
            ask([self._question(attempt) for attempt in chosen], self.most_tokens) if chosen else []
        )
        return [
            _about(attempt, "skill" if attempt.won else "lesson", "", text)
            for attempt, text in zip(chosen, found, strict=True)
        ]

    def _question(self, attempt: Attempt) -> str:
        text = self.success if attempt.won else self.failure
        before, _, rest = text.partition("{prompt}")
        return (
            before + attempt.problem.prompt + rest.replace("{completion}", plain(attempt.text, 400))
        )


def spread(attempts: Sequence[Attempt], count: int) -> list[Attempt]:
    """``count`` attempts: a turn for each (category, won), in the order they come, each turn to
    another problem while there are others.
    """
    heaps: dict[tuple[str, bool], list[Attempt]] = {}
    for attempt in _new_problems_first(attempts):
        heaps.setdefault((attempt.category, attempt.won), []).append(attempt)
    found: list[Attempt] = []
    while len(found) < count and any(heaps.values()):
        found += [heap.pop(0) for heap in heaps.values() if heap]
    return found[:count]


def _new_problems_first(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The same attempts with the first of each problem, category and outcome before all second
    ones.
    """
    met: dict[tuple[str, str, bool], int] = {}
    turns = []
    for attempt in attempts:
        key = (attempt.category, attempt.problem.id, attempt.won)
        met[key] = met.get(key, 0) + 1
        turns.append((met[key], attempt))
    return [attempt for _, attempt in sorted(turns, key=lambda pair: pair[0])]
