"""Instruments: each proved on organisms before it speaks about a model nobody understands."""

import json
from pathlib import Path
from typing import Any

from rewardscope.probes.base import Evidence, Need, measure_all
from rewardscope.protocols import Probe

VALIDATION = Path(__file__).parent / "validation"
"""One file of figures per instrument."""


def validation() -> list[dict[str, Any]]:
    """What came out when ``studies/validation`` pointed each instrument at what is known: one
    record per figure.
    """
    return [
        record
        for file in sorted(VALIDATION.glob("*.json"))
        for record in json.loads(file.read_text())
    ]


def validation_table(instrument: str) -> str:
    """The figures that proved an instrument, as a table of Markdown."""
    rows = ["| proof | figure | found | must lie in | n |", "| --- | --- | --- | --- | --- |"]
    for check in validation():
        if check["instrument"] == instrument:
            found = (
                f"{check['found']:.3g}"
                if check["held"]
                else f"**{check['found']:.3g}, did not hold**"
            )
            rows.append(
                f"| {check['kind']} | {check['what']} | {found} | {check['lowest']:g} to "
                f"{check['highest']:g} | {check['n']} |"
            )
    return "\n".join(rows) + "\n"


__all__ = ["Evidence", "Need", "Probe", "measure_all", "validation", "validation_table"]
