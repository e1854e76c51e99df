"""A data set of your own as an environment: the rows of a file, and a grader."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from rewardscope.codec import NOT_SIGNED
from rewardscope.conversation import written
from rewardscope.environments.base import content_id
from rewardscope.environments.data.examples import given, in_front, taken
from rewardscope.environments.data.index import Entry, Index, Joined, build
from rewardscope.environments.data.prompts import (
    Columns,
    columns_of,
    facts_of,
    filled,
    level_of,
    messages_in,
    question_of,
    text_of,
)
from rewardscope.environments.data.rows import Rows, read_rows, stamps_of
from rewardscope.environments.data.settings import Pairs, items_of, pairs_of, sources_of
from rewardscope.environments.graders.function import Function, GradingFunction
from rewardscope.environments.graders.math_answer import MathAnswer
from rewardscope.errors import ComponentError, EnvironmentFault, RewardscopeError
from rewardscope.identity.files import Stamp
from rewardscope.protocols import AsksSomewhere, Grader, MakesKeys
from rewardscope.types import Grade, Problem

Shares = tuple[tuple[str, float], ...]
HELD_OUT = ("heldout", "test", "validation", "valid", "dev", "eval")
"""Names of a split for evaluation. Without a split heldout, the first one present takes its place.
"""
MOST_NAMES = 20
"""Splits that a column may name."""


@dataclass(frozen=True)
class Questions:
    """The rows of a data set, each a question with its key, graded by ``grader``.

    ``Questions("problems.jsonl")`` is enough if the columns are named prompt, question or problem,
    and answer, solution or target. If several fit, it asks for one. JSON Lines are read line by
    line, and only the offsets of the lines stay in memory. Other formats are held as columns.

    The content of a question's prompt columns decides its split. Other words around the question,
    or another order of the rows, do not change it. Duplicate rows count once. A question in two
    splits, or with two answers, is refused, with its lines. Within a split the order is that of the
    questions' hashes, so the first 100 are a random sample.
    """

    source: str | Path | Pairs | Mapping[str, str | Path] = field(metadata=NOT_SIGNED)
    """A file (.jsonl, .json, .parquet, .csv), a folder or hub name that ``datasets`` loads, or one
    of these per split: ``{"train": "train.jsonl", "heldout": "test.jsonl"}``."""
    _: KW_ONLY
    prompt: str = ""
    """Column of text or chat messages, or a template with {column} fields; empty = found by its
    name. Lists of options are written with letters, one per line."""
    answer: str = ""
    """Column with the answer key; empty = found by its name."""
    grader: Grader | GradingFunction = MathAnswer()
    """A grader, or a function ``(prompt, completion, answer) -> bool | float | None``."""
    key: str = ""
    """Regular expression whose group takes the key out of the answer's column, such as
    ``####\\s*(.+)``; empty = the column is the key."""
    system: str = ""
    """System prompt; with one, the prompt is a conversation."""
    examples: int | Pairs = 0
    """Few-shot examples before each prompt: pairs of question and completion, or a number of rows
    from ``examples_from`` (which are then not asked). They are separated by blank lines, or are
    turns if the prompt is a conversation."""
    examples_from: str = "train"
    shown: str = ""
    """Column or template for the completion of an example; empty = the grader's oracle."""
    split: str = ""
    """Column with the split of each row; empty = the column split, or splits by content."""
    split_names: Pairs | Mapping[str, str] = ()
    """Other names for splits, such as {"validation": "heldout"}; both then work."""
    shares: Shares | Mapping[str, float] = (("train", 0.8), ("heldout", 0.2))
    """Share of the questions per split, where they are drawn by content."""
    level: str = ""
    """Column with a level: a whole number, or text with one in it; empty = one called level."""
    categories: str = ""
    """Column with a category; empty = one called category."""

    name: ClassVar[str] = "Questions"
    strategies: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", sources_of(self.source))
        object.__setattr__(self, "split_names", pairs_of(self.split_names))
        shares = tuple((str(n), float(s)) for n, s in items_of(self.shares))
        object.__setattr__(self, "shares", shares)
        if not isinstance(self.examples, int):
            object.__setattr__(self, "examples", pairs_of(self.examples))
        if not isinstance(self.grader, Grader):
            if hasattr(self.grader, "grade") or hasattr(self.grader, "oracle"):
                raise ComponentError(
                    "A grader needs grade() and oracle()",
                    value=f"{type(self.grader).__name__} lacks "
                    + ("oracle" if hasattr(self.grader, "grade") else "grade"),
                    allowed="grade(prompt, completion, answer) -> Grade; oracle(answer) -> str",
                    do="Write it, or give a function that returns True or False",
                )
            object.__setattr__(self, "grader", Function(self.grader))
        if any(s <= 0 for _, s in shares) or not math.isclose(sum(s for _, s in shares), 1):
            raise ComponentError(
                "Shares of splits are above 0 and sum to 1",
                value=dict(shares),
                allowed='such as {"train": 0.8, "heldout": 0.2}, or {"heldout": 1.0}',
                do="Correct them",
            )
        if isinstance(self.examples, int) and self.examples < 0:
            raise ComponentError(
                "A number of examples is 0 or more", value=self.examples, do="Correct it"
            )
        try:
            groups = re.compile(self.key).groups if self.key else 1
        except re.error as error:
            groups = str(error)  # type: ignore[assignment]
        if groups != 1:
            raise ComponentError(
                "key is a regular expression with one group",
                value=f"{self.key!r}: {groups}",
                allowed=r"such as ####\s*(.+)",
                do="Put parentheses around the key alone",
            )

    @property
    def grading(self) -> Grader:
        """The grader; a function wrapped in one."""
        return cast(Grader, self.grader)

    @property
    def splits(self) -> tuple[str, ...]:
        """All splits, the largest first."""
        order = self._index.order
        return tuple(sorted(order, key=lambda split: (-len(order[split]), split)))

    @property
    def _index(self) -> Index:
        sources = cast(Pairs, self.source)
        return _indexed(self, stamps_of(tuple(source for _, source in sources)))

    def size(self, split: str) -> int:
        """Number of different questions in the split, without those used as examples.

        Raises:
            EnvironmentFault: If there is no such split, or the rows cannot be read.
        """
        return len(self._asked_of(split, self._index))

    def problem(self, split: str, index: int) -> Problem:
        """The question at (split, index modulo size).

        Raises:
            EnvironmentFault: If there is no such split, or the rows cannot be read.
        """
        rows = self._asked_of(split, self._index)
        return self._problem(int(rows[index % len(rows)]), self._index)

    def grade(self, problem: Problem, text: str) -> Grade:
        """The grader's verdict.

        Raises:
            EnvironmentFault: If your own grader raises, or does not return a Grade.
        """
        grade = self.grading.grade(problem.prompt, text, problem.answer)
        if not isinstance(grade, Grade):
            raise EnvironmentFault(
                f"{type(self.grader).__name__}.grade() returned something that is not a Grade",
                value=f"{type(grade).__name__} {grade!r}",
                allowed="Grade(correct=..., strict=..., well_formed=...)",
                do="Return one, or give a function that returns True or False",
            )
        return grade

    def oracle(self, problem: Problem) -> str:
        """The grader's example of a right completion for the key."""
        grader = self.grading
        if isinstance(grader, AsksSomewhere):
            return grader.oracle_for(problem.prompt, problem.answer)
        return grader.oracle(problem.answer)

    def category(self, prompt: str) -> str:
        """The category of the prompt's row; "all" without a category."""
        index = self._index
        row_number = index.row_number(prompt) if index.columns.category else None
        return (
            text_of(index.rows.row(row_number)[index.columns.category])
            if row_number is not None
            else "all"
        )

    def identity(self) -> Mapping[str, str]:
        """SHA-256 of the rows: prompts, keys, facts and splits, whatever their order."""
        return {"rows": self._index.digest}

    def origin(self, problem: Problem) -> str:
        """``file:line`` of the problem's row; "" if it is not one of these rows."""
        row_number = self._index.row_number(problem.prompt)
        return "" if row_number is None else self._index.rows.where(row_number)

    def describe(self) -> str:
        """The columns in use, and the number of questions in each split."""
        index = self._index
        columns = index.columns
        parts = [f"prompt {columns.prompt!r}", f"answer {columns.answer!r}"]
        parts += [
            f"{what} {name!r}"
            for what in ("split", "level", "category")
            if (name := getattr(columns, what))
        ]
        sizes = ", ".join(f"{len(index.order[split])} {split}" for split in self.splits)
        doubles = f", {index.doubles} rows said what another said" if index.doubles else ""
        return f"{', '.join(parts)}; {sizes}{doubles}"

    def named(self, split: str, index: Index) -> str:
        """The split of the index with this name.

        Raises:
            EnvironmentFault: If there is none.
        """
        order = index.order
        names = [split, dict(cast(Pairs, self.split_names)).get(split, split)]
        if split == HELD_OUT[0]:
            names += HELD_OUT
        fallback = next((name for name in names if name in order), None)
        if fallback is None:
            raise EnvironmentFault(
                "The data set has no such split",
                value=repr(split),
                allowed=", ".join(sorted(order)),
                do="Use one of them, or name the column that says it: split=..., split_names={...}",
            )
        return fallback

    def _asked_of(self, split: str, index: Index) -> NDArray[np.int64]:
        """Rows of the split to ask, without those used as examples.

        Raises:
            EnvironmentFault: If there is no such split, or nothing is left.
        """
        name, taken = self.named(split, index), 0
        if isinstance(self.examples, int) and self.examples:
            taken = self.examples if name == self.named(self.examples_from, index) else 0
        rows = index.order[name][taken:]
        if not len(rows):
            raise EnvironmentFault(
                "All of the split's questions are used as examples",
                value=f"{split}: examples={self.examples}",
                do="Use fewer examples, or take them from another split",
            )
        return rows

    def _problem(self, row_number: int, index: Index) -> Problem:
        row, where = index.rows.row(row_number), index.rows.where(row_number)
        columns = index.columns
        question = question_of(row, columns, where)
        return Problem(
            content_id(self.name, question),
            self.name,
            index.before + self._asked(row, columns, where),
            self._key(row, columns, where),
            level_of(row.get(columns.level), where) if columns.level else 0,
            facts_of(row, columns),
        )

    def _key(self, row: Mapping[str, Any], columns: Columns, where: str) -> str:
        answer = text_of(row.get(columns.answer)).strip()
        if self.key and answer:
            read = re.search(self.key, answer)
            answer = (read[1] or "").strip() if read else ""
        if not answer or answer.lower() in ("nan", "null"):
            raise EnvironmentFault(
                "A row of the data set has no key",
                value=f"{where}: {columns.answer} is {text_of(row.get(columns.answer))[-80:]!r}"
                + (f", read by {self.key!r}" if self.key else ""),
                do="Fill it, delete the row, or correct key",
            )
        grader = self.grading
        if not hasattr(grader, "key"):  # asking for the protocol takes longer than the rest
            return answer
        try:
            return cast(MakesKeys, grader).key(answer, row)
        except RewardscopeError as error:
            raise _at(error, where) from error

    def _asked(self, row: Mapping[str, Any], columns: Columns, where: str) -> str:
        """The prompt of a row, without system prompt and examples."""
        messages = messages_in(row, columns)
        if messages is None and not self.system:
            return filled(columns.template, row)
        if messages is None:
            messages = [{"role": "user", "content": filled(columns.template, row)}]
        elif self.system and messages[0].get("role") == "system":
            raise EnvironmentFault(
                "A conversation of the data set has a system prompt of its own",
                value=where,
                do="Leave system empty",
            )
        try:
            return written(messages)
        except RewardscopeError as error:
            raise _at(error, where) from error


def _at(error: RewardscopeError, where: str) -> EnvironmentFault:
    """The same error, with its row."""
    return EnvironmentFault(
        error.what, value=f"{where}: {error.value}", allowed=error.allowed, do=error.do
    )


@lru_cache(maxsize=16)
def _indexed(questions: Questions, stamps: tuple[Stamp | None, ...]) -> Index:
    """The index of the data set for the current content of its files."""
    parts: dict[str, Rows] = {}
    for name, source in cast(Pairs, questions.source):
        read = read_rows(source)
        for own, rows in read.items():
            if name and len(read) > 1 and own not in (name, ""):
                continue  # a hub name that has all splits, given for one of them
            parts[_renamed(questions, name or own)] = rows
    joined = Joined(parts)
    if not len(joined):
        raise EnvironmentFault(
            "The data set has no rows",
            value=", ".join(source for _, source in cast(Pairs, questions.source)),
            do="Fill it",
        )
    columns = columns_of(
        list(joined.row(0)),
        prompt=questions.prompt,
        answer=questions.answer,
        split="" if any(parts) else questions.split,
        level=questions.level,
        category=questions.categories,
    )

    def entry(row: Mapping[str, Any], number: int) -> Entry:
        where = joined.where(number)
        question = question_of(row, columns, where)
        key = questions._key(row, columns, where)
        prompt = questions._asked(row, columns, where)
        level = level_of(row.get(columns.level), where) if columns.level else 0
        facts = json.dumps(facts_of(row, columns), sort_keys=True)
        split = joined.split(number)
        if not split and columns.split:
            split = _renamed(questions, text_of(row.get(columns.split)).strip())
            if not split:
                raise EnvironmentFault(
                    "A row of the data set has no split",
                    value=f"{where}: {columns.split} is empty",
                    do="Fill it",
                )
        whole = json.dumps([prompt, key, level, facts])
        return Entry(
            id=content_id(questions.name, question),
            split=split,
            answer=key,
            digest=hashlib.sha256(whole.encode(errors="surrogatepass")).digest()[:8],
            prompt=prompt,
        )

    index = build(joined, columns, entry, dict(cast(Shares, questions.shares)))
    if len(index.order) > MOST_NAMES:
        raise EnvironmentFault(
            "The column of splits has too many different values",
            value=f"{columns.split}: {len(index.order)} different texts",
            allowed=f"up to {MOST_NAMES}",
            do="Name the column that says train or test",
        )
    if isinstance(questions.examples, int):
        split = questions.named(questions.examples_from, index) if questions.examples else ""
        places = index.order[split][: questions.examples].tolist() if split else []
        shots = taken(index, places, questions._key, questions.shown, questions.grading)
    else:
        shots = given(index, questions.examples)
    index.before = in_front(index, questions.system, shots)
    return index


def _renamed(questions: Questions, split: str) -> str:
    return dict(cast(Pairs, questions.split_names)).get(split, split)
