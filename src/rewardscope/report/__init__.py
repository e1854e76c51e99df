"""Claims judged, and the page and the terminal table of a run, made from its rows; no torch
here.
"""

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
    """Imports the name when it is first used: judging claims does not wait for the charts."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'rewardscope.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
