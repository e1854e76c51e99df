"""Instruments. Each is validated on known organisms before it is used on unknown models."""

from rewardscope.outline import VALIDATION, validation
from rewardscope.probes.base import Evidence, Need, measure_all
from rewardscope.protocols import Probe


def validation_table(instrument: str) -> str:
    """The figures that validated an instrument, as a Markdown table; with what was found before it
    was mended, where it was.
    """
    checks = [check for check in validation() if check["instrument"] == instrument]
    mended = any(check.get("before") is not None for check in checks)
    names = ["proof", "figure", *(["before"] if mended else []), "found", "must lie in", "n"]
    rows = [names, ["---"] * len(names)]
    for check in checks:
        shown = f"{check['found']:.3g}"
        before = check.get("before")
        rows.append(
            [
                *(check["kind"], check["what"]),
                *(["" if before is None else f"{before:.3g}"] if mended else []),
                shown if check["held"] else f"**{shown}, did not hold**",
                *(f"{check['lowest']:g} to {check['highest']:g}", check["n"]),
            ]
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


__all__ = [
    "VALIDATION",
    "Evidence",
    "Need",
    "Probe",
    "measure_all",
    "validation",
    "validation_table",
]
