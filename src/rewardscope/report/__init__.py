"""The page and the terminal tables of a run, made from its rows; works without torch."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewardscope.report.notebook import Page, Verdicts
    from rewardscope.report.page import write_page
    from rewardscope.report.tables import verdict_table

__all__ = ["Page", "Verdicts", "verdict_table", "write_page"]

_HOME_OF = {
    "Page": "rewardscope.report.notebook",
    "Verdicts": "rewardscope.report.notebook",
    "verdict_table": "rewardscope.report.tables",
    "write_page": "rewardscope.report.page",
}


def __getattr__(name: str) -> Any:
    """Imports the name when it is first used, so that judging claims does not load the charts."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rewardscope.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
