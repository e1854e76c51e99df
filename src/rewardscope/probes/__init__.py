"""Instruments. Each is validated on known organisms before it is used on unknown models."""

import json
from pathlib import Path
from typing import Any

from rewardscope.probes.base import Evidence, Need, measure_all
from rewardscope.protocols import Probe

VALIDATION = Path(__file__).parent / "validation"
"""One file of figures per instrument."""


def validation() -> list[dict[str, Any]]:
    """The results of ``studies/validation``, which runs each instrument on known cases: one record
    per figure.
    """
    return [
        record
        for file in sorted(VALIDATION.glob("*.json"))
        for record in json.loads(file.read_text())
    ]


def validation_table(instrument: str) -> str:
    """The figures that validated an instrument, as a Markdown table."""
    rows = ["| proof | figure | found | must lie in | n |", "| --- | --- | --- | --- | --- |"]
    for check in validation():
        if check["instrument"] == instrument:
            value = (
                f"{check['found']:.3g}"
                if check["held"]
                else f"**{check['found']:.3g}, did not hold**"
            )
            rows.append(
                f"| {check['kind']} | {check['what']} | {value} | {check['lowest']:g} to "
                f"{check['highest']:g} | {check['n']} |"
            )
    return "\n".join(rows) + "\n"


__all__ = ["Evidence", "Need", "Probe", "measure_all", "validation", "validation_table"]
