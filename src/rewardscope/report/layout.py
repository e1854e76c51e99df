"""How tables are laid out on a terminal of any width."""

from typing import Any

from rich.table import Column, Table


def folding_table(*headers: str, **settings: Any) -> Table:
    """A table whose names and numbers go on in the next line where the terminal is narrow; nothing
    in it is ever cut away.
    """
    return Table(*(Column(header, overflow="fold") for header in headers), **settings)
