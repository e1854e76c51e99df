"""Few-shot examples: what stands in front of every prompt of a data set."""

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
"""The key of a row, with the columns and where it stands."""


def in_front(index: Index, system: str, shots: Pairs) -> str:
    """The system prompt and the examples as they stand in front of every prompt.

    Text with blank lines between, where prompts are text; turns where they are conversations.
    """
    place = next(iter(index.order.values()))[0]
    chat = messages_in(index.rows.row(int(place)), index.columns) is not None
    if not system and not chat:
        spaced = [(asked if asked[-1:].isspace() else f"{asked} ", said) for asked, said in shots]
        return "".join(f"{asked}{said}\n\n" for asked, said in spaced)
    turns = [{"role": "system", "content": system}] if system else []
    for asked, said in shots:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return written([*turns, {"role": "user", "content": ""}]).removesuffix(USER)


def given(index: Index, pairs: Pairs) -> Pairs:
    """Pairs of question and completion, the questions in the prompt's template where it has one
    column.
    """
    columns = index.columns
    if len(columns.asked) != 1:
        return pairs
    name = columns.asked[0]
    return tuple((filled(columns.template, {name: asked}), said) for asked, said in pairs)


def taken(index: Index, places: Sequence[int], key: KeyOf, shown: str, grader: Grader) -> Pairs:
    """Question and completion of rows of the data set.

    Args:
        index: Of the data set.
        places: The rows.
        key: Their key.
        shown: Column or template of what they say; empty = the grader's oracle.
        grader: Who knows what a right completion looks like.

    Raises:
        EnvironmentFault: If a row holds chat messages.
    """
    columns, found = index.columns, []
    template = shown if FIELD.search(shown) else f"{{{shown}}}"
    for place in places:
        row, where = index.rows.row(place), index.rows.where(place)
        if messages_in(row, columns) is not None:
            raise EnvironmentFault(
                "Rows that hold chat messages cannot stand in a prompt as examples",
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
        found.append((asked, said.strip()))
    return tuple(found)
