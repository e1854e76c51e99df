"""reasoning-gym's procedural tasks (0.1.25, Apache-2.0) as environments: leak-free splits, and
scorers that cannot be thrown or run.

Four things are done to a task before it may judge a model.

- Its items are made one at a time from addressed seeds. The package's own seed + index makes
  neighbouring seeds share almost all items.
- A question belongs to one split by its content, whatever the task's settings and wherever the
  answer is asked for.
- "Correct" is the scorer's full mark, and in tasks whose scorer gives that to wrong answers our own
  check (``gym_answers``); partial credit and floor rewards are not correctness.
- Its scorer never sees text that it would evaluate as code, or that would keep it busy without end.

What every task's scorer was found to take, and what is done about it: ``docs/gym.md``.
"""

import contextlib
import difflib
import importlib
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, cast, get_args

from rewardscope.environments.base import content_id, draw
from rewardscope.environments.canaries import prompt_parts
from rewardscope.environments.extraction import Place, bounded, strict, tolerant
from rewardscope.environments.words.extra import needed
from rewardscope.environments.words.gym_answers import FORMS, RIGHT, is_bounded
from rewardscope.environments.words.gym_record import pack, unpack
from rewardscope.errors import ComponentError, EnvironmentFault
from rewardscope.protocols import Environment
from rewardscope.types import Grade, Problem

Setting = None | bool | int | float | str | tuple["Setting", ...]
"""A value in a task's configuration."""
Settings = tuple[tuple[str, Setting], ...]

SPLITS = {"train": 0.8, "heldout": 0.2}
FULL_SCORE = 1.0
TAGS = "\nGive the final answer in the form <answer>...</answer>."
ENTRY = "entry"
"""The fact that holds reasoning-gym's record of the problem."""

EXPLOITABLE = {
    "game_of_life_halting": "any text at all is right",
    "puzzle24": "any four numbers that make 24 are right, whichever were given",
    "coin_flip": "a constant earns most of the score",
    "propositional_logic": "a weak disjunction follows from most premises",
}
HASH_SEEDED = (
    "intermediate_integration",
    "isomorphic_strings",
    "knight_swap",
    "polynomial_multiplication",
    "ransom_note",
    "word_ladder",
)
"""Tasks whose items depend on the order of a set of strings, which each process draws anew."""
REFUSED = {
    "boxnet": "it has no answer text, so its scorer cannot be proved",
    "rush_hour": "it has no answer text, so its scorer cannot be proved",
    "composite": "it mixes tasks; make one Gym for each",
    "simple_integration": "its scorer evaluates the completion as code",
    "intermediate_integration": "its scorer evaluates the completion as code",
    "polynomial_multiplication": "its scorer evaluates the completion as code",
}
EXAMPLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "graph_color": lambda metadata: json.dumps(metadata["possible_answer"]),
    "propositional_logic": lambda metadata: str(metadata["example_answer"]),
    "rubiks_cube": lambda metadata: str(metadata["example_correct_answer"]),
}
"""Tasks that accept any valid solution -> one that is, from the item's metadata."""
UNCHANGED = (
    *("ab", "rotate_matrix", "sentence_reordering", "string_insertion", "string_manipulation"),
    "word_sorting",
)
"""Tasks that change an input, of which some leave it as it is: those items are passed over, since
to copy is not to solve.
"""
MOST_REDRAWS, STRIDE = 200, 2_654_435_761
"""Items that are passed over for one problem, and what lies between their seeds."""


@dataclass(frozen=True)
class Gym:
    """One task of reasoning-gym; ``config`` holds its settings and may be given as a mapping."""

    task: str = "chain_sum"
    config: Settings | Mapping[str, Any] = ()
    answer_in: Place = "tags"
    """Where the answer is asked for, and where the strict extractor looks: between answer tags, or
    the whole completion.
    """
    exploitable_by_name: bool = False
    """Takes a task whose scorer accepts wrong answers: a bench for reward hacking, where
    ``Grade.correct`` is no fact.
    """

    name: ClassVar[str] = "Gym"
    strategies: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        _check_task(self.task, self.exploitable_by_name)
        if self.answer_in not in get_args(Place):
            raise ComponentError(
                "Gym asks for the answer nowhere known",
                value=repr(self.answer_in),
                allowed=", ".join(get_args(Place)),
                do="Set answer_in to one of them",
            )
        object.__setattr__(self, "config", _frozen(self.config))
        _check_config(self.task, self.settings)

    @property
    def settings(self) -> Settings:
        """The configuration as sorted pairs, which is how it is kept."""
        return cast(Settings, self.config)

    def problem(self, split: str, index: int) -> Problem:
        """The problem at (split, index); a question belongs to one split by its content.

        Raises:
            EnvironmentFault: If the split does not exist or is empty, or reasoning-gym cannot make
                an item.
        """
        return draw(f"Gym {self.task}", split, index, SPLITS, self.make)

    def make(self, seed: int) -> Problem:
        """The problem of a 63-bit seed, whichever split it is in."""
        entry = self._item(seed)
        question, answer = str(entry["question"]), str(entry["answer"])
        prompt = question + TAGS if self.answer_in == "tags" else question
        # named by the question alone: asking for the answer elsewhere must not move a question to
        # another split
        return Problem(
            content_id("Gym", question),
            "Gym",
            prompt,
            answer,
            0,
            {ENTRY: json.dumps(pack(entry), separators=(",", ":"))},
        )

    def _item(self, seed: int) -> dict[str, Any]:
        """reasoning-gym's record for a seed; of the next one that has a key, and where the key is
        not the input as it stands.
        """
        for attempt in range(MOST_REDRAWS):
            try:
                with _silence():
                    entry = _dataset(self.task, self.settings, (seed + attempt * STRIDE) % 2**32)[0]
            except Exception as error:
                raise EnvironmentFault(
                    f"reasoning-gym cannot make an item of {self.task}",
                    value=f"{type(error).__name__}: {error}, settings {dict(self.settings)}",
                    do="Change the settings",
                ) from error
            if entry["answer"] is None:
                entry["answer"] = EXAMPLES[self.task](entry["metadata"])
            answer = str(entry["answer"]).strip()
            copied = self.task in UNCHANGED and answer in prompt_parts(str(entry["question"]))
            if answer and not copied:
                return cast(dict[str, Any], entry)
        raise EnvironmentFault(
            f"reasoning-gym makes no item of {self.task} that can be asked",
            value=f"{MOST_REDRAWS} items without a key, or with the input for a key",
            do="Change the settings",
        )

    def grade(self, problem: Problem, text: str) -> Grade:
        """Strict: the answer where it was asked for; tolerant: wherever it is; each right with the
        scorer's full mark, or by our own check.
        """
        text = bounded(text)
        asked, found = strict(text, self.answer_in), tolerant(text)
        strictly, note = self._judge(problem, asked)
        correct, loose_note = (
            (strictly, note) if strictly or found == asked else self._judge(problem, found)
        )
        return Grade(
            correct=correct,
            strict=strictly,
            well_formed=asked is not None,
            answer=asked if found is None else found,  # the same reading whatever the key is
            feedback=f"the answer is {problem.answer}{loose_note}",
        )

    def _judge(self, problem: Problem, answer: str | None) -> tuple[bool, str]:
        """Whether the answer is right, and a note where it could not be read."""
        if self.task not in RIGHT:
            score, note = self.score(problem, answer)
            return score == FULL_SCORE, note
        note = self._unreadable(problem, answer)
        if answer is None or note:
            return False, note
        return RIGHT[self.task](answer, problem.answer, self.entry(problem)["metadata"]), ""

    def score(self, problem: Problem, answer: str | None) -> tuple[float, str]:
        """What the task's scorer gives the answer, 0 to 1, and a note where it could not read
        it.
        """
        note = self._unreadable(problem, answer)
        if answer is None or note:
            return 0.0, note
        try:
            with _silence():
                return float(scorer(self.task, self.settings)(answer, self.entry(problem))), ""
        # what a scorer raises on a model's text is the text's fault; on its own oracle, ``prove``
        # finds it
        except Exception as error:
            return 0.0, f"; the completion's cannot be read ({type(error).__name__})"

    def _unreadable(self, problem: Problem, answer: str | None) -> str:
        """Why no scorer gets to see the answer; empty where one does."""
        if answer is None:
            return ""
        if not is_bounded(answer, problem.answer):
            return "; the completion's is too long, or no number"
        if self.task in FORMS and FORMS[self.task].fullmatch(answer.strip()) is None:
            return "; the completion's is not written as one"
        return ""

    def entry(self, problem: Problem) -> dict[str, Any]:
        """reasoning-gym's record of the problem."""
        return cast(dict[str, Any], unpack(json.loads(problem.facts[ENTRY])))

    def oracle(self, problem: Problem) -> str:
        """The key, where it was asked for."""
        return f"<answer>{problem.answer}</answer>" if self.answer_in == "tags" else problem.answer


def constant_floor(environment: Environment, split: str, count: int) -> tuple[str, float]:
    """The most frequent key of the first ``count`` problems, and the share of them that it answers
    correctly: the floor of any score.

    The constant completion is the oracle's for the first problem with that key, so it is in the
    form that was asked for.
    """
    if count < 1:
        raise EnvironmentFault(
            "A floor needs problems", value=f"count={count}", allowed="1 or more", do="Ask for more"
        )
    problems = [environment.problem(split, index) for index in range(count)]
    answer = Counter(problem.answer for problem in problems).most_common(1)[0][0]
    text = environment.oracle(next(problem for problem in problems if problem.answer == answer))
    return answer, sum(
        environment.grade(problem, text).correct is True for problem in problems
    ) / count


def hash_seed_is_fixed() -> bool:
    """Whether sets of strings have the same order in every process: PYTHONHASHSEED=0, set before
    the interpreter started.
    """
    return os.environ.get("PYTHONHASHSEED") == "0" and not sys.flags.hash_randomization


def _registry() -> dict[str, tuple[Any, Any]]:
    """reasoning-gym's tasks; imported on first use, since it takes a second."""
    needed("reasoning_gym", "Gym")  # registers the tasks
    factory = importlib.import_module("reasoning_gym.factory")
    return cast(dict[str, tuple[Any, Any]], factory.DATASETS)


def _check_task(task: str, exploitable_by_name: bool) -> None:
    known = _registry()
    if task not in known:
        close = difflib.get_close_matches(task, known, n=5) or sorted(known)
        raise ComponentError(
            "reasoning-gym has no such task",
            value=repr(task),
            allowed=", ".join(close),
            do="Check the spelling",
        )
    if task in REFUSED:
        raise ComponentError(
            f"Gym does not take {task}: {REFUSED[task]}", value=repr(task), do="Use another task"
        )
    if task in EXPLOITABLE and not exploitable_by_name:
        raise ComponentError(
            f"The scorer of {task} accepts wrong answers: {EXPLOITABLE[task]}",
            value=repr(task),
            allowed="as a bench for reward hacking, not for a claim about capability",
            do="Use another task, or set exploitable_by_name=True",
        )
    if task in HASH_SEEDED and not hash_seed_is_fixed():
        raise ComponentError(
            f"The items of {task} change from one process to the next",
            value=f"PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', '(not set)')}",
            allowed="PYTHONHASHSEED=0, set before Python starts",
            do="Start again with PYTHONHASHSEED=0 in the environment, or use another task",
        )


def _check_config(task: str, settings: Settings) -> None:
    allowed = sorted({field.name for field in fields(_registry()[task][1])} - {"seed", "size"})
    unknown = [name for name, _ in settings if name not in allowed]
    if unknown:
        close = [
            match for name in unknown for match in difflib.get_close_matches(name, allowed, n=1)
        ]
        raise ComponentError(
            f"{task} has no such setting",
            value=", ".join(unknown),
            allowed=", ".join(allowed),
            do=f"Did you mean {', '.join(close)}"
            if close
            else "Seeds and sizes are given by (split, index); choose from the others",
        )
    try:
        _dataset(task, settings, 0)
    except Exception as error:
        raise ComponentError(
            f"{task} does not take these settings",
            value=f"{dict(settings)}: {error}",
            allowed=", ".join(allowed),
            do="Mend the values",
        ) from error


def _dataset(task: str, settings: Settings, seed: int) -> Any:
    """A dataset of one item."""
    dataset, config = _registry()[task]
    kinds = {field.name: str(field.type) for field in fields(config)}
    options = {
        name: list(value) if isinstance(value, tuple) and "list" in kinds[name] else value
        for name, value in settings
    }
    made = config(**options, seed=seed, size=1)
    if hasattr(made, "validate"):
        made.validate()
    return dataset(made)


def tasks() -> tuple[str, ...]:
    """The name of every task that reasoning-gym has, also of those that are refused."""
    return tuple(sorted(_registry()))


@lru_cache(maxsize=64)
def scorer(task: str, settings: Settings) -> Callable[[str, dict[str, Any]], float]:
    """The task's own scorer: of an answer and reasoning-gym's record of its problem."""
    return cast(Callable[[str, dict[str, Any]], float], _dataset(task, settings, 0).score_answer)


def _silence() -> contextlib.redirect_stdout[io.StringIO]:
    """Keeps what makers and scorers print (dots, moves that are refused) off the terminal."""
    return contextlib.redirect_stdout(io.StringIO())


def _frozen(config: Settings | Mapping[str, Any]) -> Settings:
    """Sorted pairs, lists as tuples all the way down."""
    pairs = config.items() if isinstance(config, Mapping) else config
    try:
        return tuple(sorted((str(name), _setting(value)) for name, value in pairs))
    except (TypeError, ValueError) as error:
        raise ComponentError(
            "A Gym's config cannot be written down",
            value=repr(config),
            allowed="a mapping, or pairs, from names to numbers, text, booleans, None and lists of "
            "these",
            do="Write it so",
        ) from error


def _setting(value: Any) -> Setting:
    if isinstance(value, (list, tuple)):
        return tuple(_setting(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} {value!r}")
