"""Few-shot examples before every prompt of a data set."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rewardscope.conversation import written
from rewardscope.environments.data.index import Index
from rewardscope.environments.data.prompts import FIELD, Columns, filled, messages_in
from rewardscope.environments.data.settings import Pairs
from rewardscope.errors import EnvironmentFault
from rewardscope.protocols import AsksSomewhere, Grader

USER = "⟦user⟧\n"
KeyOf = Callable[[Mapping[str, Any], Columns, str], str]
"""(row, columns, file and line) -> the answer key of the row."""


def in_front(index: Index, system: str, shots: Pairs) -> str:
    """The system prompt and the examples, as written before every prompt.

    Text with blank lines between, where prompts are text; turns where they are conversations.
    """
    row_number = next(iter(index.order.values()))[0]
    chat = messages_in(index.rows.row(int(row_number)), index.columns) is not None
    if not system and not chat:
        spaced = [(asked if asked[-1:].isspace() else f"{asked} ", said) for asked, said in shots]
        return "".join(f"{asked}{said}\n\n" for asked, said in spaced)
    turns = [{"role": "system", "content": system}] if system else []
    for asked, said in shots:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return written([*turns, {"role": "user", "content": ""}]).removesuffix(USER)


def given(index: Index, pairs: Pairs) -> Pairs:
    """Pairs of question and completion; the questions fill the prompt's template if that has one
    column.
    """
    columns = index.columns
    if len(columns.asked) != 1:
        return pairs
    name = columns.asked[0]
    return tuple((filled(columns.template, {name: asked}), said) for asked, said in pairs)


def taken(
    index: Index, row_numbers: Sequence[int], key: KeyOf, shown: str, grader: Grader
) -> Pairs:
    """Question and completion of rows of the data set.

    Args:
        index: Of the data set.
        row_numbers: The rows.
        key: Reads the answer key of a row.
        shown: Column or template of the completions; empty = the grader's oracle.
        grader: Provides the oracle.

    Raises:
        EnvironmentFault: If a row holds chat messages.
    """
    columns, pairs = index.columns, []
    template = shown if FIELD.search(shown) else f"{{{shown}}}"
    for row_number in row_numbers:
        row, where = index.rows.row(row_number), index.rows.where(row_number)
        if messages_in(row, columns) is not None:
            raise EnvironmentFault(
                "Rows with chat messages cannot be examples in a prompt",
                value=where,
                do="Give examples as pairs of question and completion, or write them into the rows",
            )
        asked = filled(columns.template, row)
        if shown:
            said = filled(template, row)
        elif isinstance(grader, AsksSomewhere):
            said = grader.oracle_for(asked, key(row, columns, where))
        else:
            said = grader.oracle(key(row, columns, where))
        pairs.append((asked, said.strip()))
    return tuple(pairs)
