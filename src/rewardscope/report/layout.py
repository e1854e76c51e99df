"""How tables are laid out on a terminal of any width."""

from typing import Any

from rich.table import Column, Table


def folding_table(*headers: str, **settings: Any) -> Table:
    """A table whose names and numbers wrap onto the next line on a narrow terminal; nothing is cut
    off.
    """
    return Table(*(Column(header, overflow="fold") for header in headers), **settings)
