"""Turns a row into a prompt: the columns in use, and a template with their names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rewardscope.conversation import is_conversation
from rewardscope.environments.data.rows import Row
from rewardscope.environments.graders.choice import LETTERS
from rewardscope.errors import EnvironmentFault

PROMPTS = ("prompt", "question", "problem", "messages")
ANSWERS = ("answer", "solution", "target", "ground_truth", "label")
FIELD = re.compile(r"\{\{|\}\}|\{([^\W\d][\w .-]*)\}")
"""A column's name in braces, or a doubled brace; \\boxed{} and \\frac{1}{2} are none."""


def text_of(value: object) -> str:
    """A cell as text: itself, JSON for other types, or "" for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def lettered(options: Sequence[Any]) -> str:
    """Options with letters, one per line: "A. red"."""
    return "\n".join(
        f"{letter}. {text_of(option)}" for letter, option in zip(LETTERS, options, strict=False)
    )


@dataclass(frozen=True)
class Columns:
    """The role of each column of a data set."""

    prompt: str
    """Column, or template with {column} fields."""
    answer: str
    split: str
    level: str
    category: str

    @cached_property
    def template(self) -> str:
        """The prompt's template."""
        return self.prompt if FIELD.search(self.prompt) else f"{{{self.prompt}}}"

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Columns in the prompt."""
        return tuple(name.strip() for name in FIELD.findall(self.template) if name.strip())


def columns_of(
    names: Sequence[str], *, prompt: str, answer: str, split: str, level: str, category: str
) -> Columns:
    """The columns that were named, or found by their usual names.

    Raises:
        EnvironmentFault: If a named one is missing, or none or several fit.
    """
    columns = Columns(
        prompt=prompt if FIELD.search(prompt) else _column(names, prompt, PROMPTS, "prompt"),
        answer=_column(names, answer, ANSWERS, "answer"),
        split=_optional(names, split, "split"),
        level=_optional(names, level, "level"),
        category=_optional(names, category, "category"),
    )
    for name in columns.asked:
        if name not in names:
            raise EnvironmentFault(
                "The prompt names a column that the data set does not have",
                value=f"{{{name}}} in {columns.template!r}",
                allowed=", ".join(names),
                do=f"Name one of them; write literal braces doubled: {{{{{name}}}}}",
            )
        if name == columns.answer:
            raise EnvironmentFault(
                "The prompt shows the key",
                value=f"{{{name}}} in {columns.template!r} is the answer's column",
                do=f"Remove it; write literal braces doubled: {{{{{name}}}}}",
            )
    return columns


def _column(names: Sequence[str], given: str, known: Sequence[str], what: str) -> str:
    if given:
        if given not in names:
            raise EnvironmentFault(
                f"The data set has no such column for the {what}",
                value=repr(given),
                allowed=", ".join(names),
                do=f"Set {what} to one of them"
                + (", or to a template such as '{question}\\n'" if what == "prompt" else ""),
            )
        return given
    fit = [name for name in names if name.lower() in known]
    if len(fit) != 1:
        raise EnvironmentFault(
            f"Which column holds the {what}"
            + (" is not clear: several could" if fit else " is not clear: none is called so"),
            value=", ".join(fit) if fit else f"columns {', '.join(names)}",
            allowed=f"one column called {', '.join(known)}, or {what}='the column'",
            do=f"Say which: {what}={(fit or list(names) or ['...'])[0]!r}",
        )
    return fit[0]


def _optional(names: Sequence[str], given: str, what: str) -> str:
    if given:
        return _column(names, given, (), what)
    return next((name for name in names if name.lower() == what), "")


def filled(template: str, row: Row) -> str:
    r"""The template filled with the row's cells; lists of options get letters.

    >>> filled("{q}\n{options}\nPut it in \\boxed{}.", {"q": "Which?", "options": ["x", "y"]})
    'Which?\nA. x\nB. y\nPut it in \\boxed{}.'
    """

    def cell(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        value = row.get(match[1].strip())
        return lettered(value) if isinstance(value, (list, tuple)) else text_of(value)

    return FIELD.sub(cell, template)


def messages_in(row: Row, columns: Columns) -> list[Mapping[str, Any]] | None:
    """The chat messages in the prompt's column; None for text."""
    if len(columns.asked) != 1 or columns.template != f"{{{columns.asked[0]}}}":
        return None
    value = row.get(columns.asked[0])
    if isinstance(value, str) and value.lstrip().startswith('[{"') and '"role"' in value:
        try:  # a table of text, such as CSV, holds them as JSON
            value = json.loads(value)
        except ValueError:
            return None
    if isinstance(value, (list, tuple)) and value and all(isinstance(m, Mapping) for m in value):
        return list(value)
    return None


def question_of(row: Row, columns: Columns, where: str) -> str:
    """The identity of a question: the cells of its prompt, with single spaces.

    Raises:
        EnvironmentFault: If they are empty, or contain the mark between chat messages.
    """
    cells = [text_of(row.get(name)) for name in columns.asked]
    text = "\x1f".join(" ".join(cell.split()) for cell in cells)
    if not text.strip("\x1f"):
        raise EnvironmentFault(
            "A row of the data set has an empty question",
            value=f"{where}: {', '.join(columns.asked)} is empty",
            do="Delete the row, or fill it",
        )
    if any(is_conversation(f"{cell}\n") for cell in cells):
        raise EnvironmentFault(
            "A row of the data set contains the mark between chat messages",
            value=where,
            allowed="text without a line ⟦system⟧, ⟦user⟧ or ⟦assistant⟧",
            do="Remove the line",
        )
    return text


def facts_of(row: Row, columns: Columns) -> dict[str, str]:
    """The row's other columns as text."""
    left = {columns.answer, columns.split}
    if columns.template == f"{{{columns.asked[0]}}}":  # the prompt itself
        left.add(columns.asked[0])
    return {str(name): text_of(value) for name, value in row.items() if name not in left}


def level_of(value: object, where: str) -> int:
    """The first whole number in a cell.

    Raises:
        EnvironmentFault: If there is none.
    """
    digits = re.search(r"-?\d+", text_of(value))
    if digits is None:
        raise EnvironmentFault(
            "A row of the data set has no level",
            value=f"{where}: {text_of(value)!r}",
            allowed="a whole number, or text with one in it, such as Level 5",
            do="Fill it, or set level to a column that has one",
        )
    return int(digits[0])
