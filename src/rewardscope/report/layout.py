"""How tables are laid out on a terminal of any width."""

from typing import Any

from rich import box
from rich.table import Column, Table

BOX = box.HORIZONTALS
"""The lines of every table."""


def folding_table(*headers: str, **settings: Any) -> Table:
    """A table whose names and numbers wrap onto the next line on a narrow terminal; nothing is cut
    off.
    """
    columns = (Column(header, overflow="fold") for header in headers)
    return Table(*columns, **{"box": BOX, **settings})
