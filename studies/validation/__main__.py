"""Proof of the instruments: each is pointed at what is known by construction, and its figures go
into ``probes/validation/``.

    make validation                                     (about 4 minutes on 2 cores)
    .venv/bin/python studies/validation phases weights  (these files alone)

Sensitivity: it finds what was planted. Null: it finds nothing where nothing is. Coverage: its 95 %
intervals hold the truth as often as they say. What does not hold is written down like the rest, and
`rewardscope instruments` shows it.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from behaviour import behaviour, detectors
from boundary import boundary
from calibration import calibration
from checks import Check
from clip_bias import clip
from credit import credit
from diversity import diversity
from elicitation import elicitation
from experience import experience
from ladder import ladder
from novelty import novelty
from organisms import organisms
from phases import courses, phases
from subnetworks import subnetworks
from verdicts import verdicts
from weights import weights

from rewardscope.probes import VALIDATION, validation_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "instruments.md"

PARTS: dict[str, tuple[Callable[[], Iterator[Check]], ...]] = {
    "boundary": (boundary,),
    "behaviour": (behaviour, detectors),
    "verdicts": (verdicts,),
    "novelty": (novelty,),
    "diversity": (diversity,),
    "calibration": (calibration,),
    "ladder": (ladder,),
    "credit": (credit,),
    "phases": (phases, courses),
    "weights": (weights,),
    "subnetworks": (subnetworks,),
    "elicitation": (elicitation,),
    "clip_bias": (clip,),
    "organisms": (organisms,),
    "experience": (experience,),
}
"""File -> its parts; an instrument's checks all stand in one file."""


def main(names: list[str]) -> None:
    """Runs the named files, or all; prints every check and writes one record file per
    instrument.
    """
    found: defaultdict[str, list[Check]] = defaultdict(list)
    for name in names or PARTS:
        for part in PARTS[name]:
            for check in part():
                found[check.instrument].append(check)
                outcome = "held" if check.held else "FAILED"
                bounds = f"({check.lowest:g} to {check.highest:g}; {check.n})"
                sys.stdout.write(
                    f"{outcome}: {check.instrument}: {check.what}: {check.found:.4g} {bounds}\n"
                )
    for instrument, checks in found.items():
        records = [
            {**asdict(check), "found": float(check.found), "held": check.held} for check in checks
        ]
        (VALIDATION / f"{instrument}.json").write_text(json.dumps(records, indent=1) + "\n")
    write_tables()


def write_tables() -> None:
    """Puts each instrument's figures between its marks in docs/instruments.md."""
    block = re.compile(r"(<!-- validation (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    DOCUMENT.write_text(
        block.sub(
            lambda found: found[1] + validation_table(found[2]) + found[3], DOCUMENT.read_text()
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
