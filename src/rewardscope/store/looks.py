"""Looks at the verdicts of a run: on how much evidence they were judged, each time it had grown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rewardscope.errors import RunDirectoryError
from rewardscope.store.files import read_sealed_json

LOOKS = "looks"
"""Where verdicts.json has them."""


@dataclass(frozen=True, slots=True)
class Look:
    """The evidence behind one judging."""

    seeds: tuple[int, ...]
    """Those under which every arm was done."""
    problems: int
    draws: int
    cells: tuple[str, ...]
    """Of these seeds, by name."""

    @property
    def size(self) -> tuple[tuple[int, ...], int, int]:
        """What a study may grow by between two looks."""
        return self.seeds, self.problems, self.draws


def look_at(record: Mapping[str, Any], done: Sequence[str]) -> Look | None:
    """The look that a judging of the run is now; None where no seed is complete, or nothing is
    claimed.

    Args:
        record: Of the study.
        done: Names of the cells that are done and judged.
    """
    arms = [arm["cells"] for arm in record["arms"]]
    complete = [s for s in record["seeds"] if all(arm.get(str(s)) in done for arm in arms)]
    if not complete or not record.get("claims"):
        return None
    evaluation = record.get("evaluation") or {}
    return Look(
        seeds=tuple(complete),
        problems=int(evaluation.get("problems", 0)),
        draws=int(evaluation.get("draws", 0)),
        cells=tuple(sorted(arm[str(seed)] for arm in arms for seed in complete)),
    )


def looks_after(before: Sequence[Look], now: Look | None) -> list[Look]:
    """The looks with this one. The same evidence is no new look, and evidence of which nothing is
    left, as after an edit that ran everything again, was another experiment's.

    >>> few, more = Look((0, 1), 8, 4, ("a", "b")), Look((0, 1, 2), 8, 4, ("a", "b", "c"))
    >>> len(looks_after([few], more)), len(looks_after([few], few))
    (2, 1)
    >>> len(looks_after([few], Look((0, 1), 8, 4, ("d", "e"))))
    1
    """
    if now is None:
        return list(before)
    kept = [look for look in before if set(look.cells) & set(now.cells)]
    return kept if any(look.size == now.size for look in kept) else [*kept, now]


def read_looks(verdicts: Path) -> list[Look]:
    """The looks that a verdicts.json records; none where there is none, or it is damaged."""
    try:
        record = read_sealed_json(verdicts)
        return [
            Look(tuple(one["seeds"]), one["problems"], one["draws"], tuple(one["cells"]))
            for one in record.get(LOOKS, ())
        ]
    except (RunDirectoryError, AttributeError, KeyError, TypeError):
        return []


def plain(looks: Sequence[Look]) -> list[dict[str, Any]]:
    """As JSON."""
    return [asdict(look) for look in looks]


def looks_text(looks: Sequence[Look]) -> str:
    """What the looks were at, in words; empty where there was one or none.

    >>> looks_text([Look((0, 1, 2), 64, 16, ()), Look((0, 1, 2, 3, 4), 64, 16, ())])
    'at 3 seeds, then at 5 seeds'
    """
    if len(looks) < 2:
        return ""
    names = [
        ("seed", [len(look.seeds) for look in looks]),
        ("problem", [look.problems for look in looks]),
        ("draw", [look.draws for look in looks]),
    ]
    grown = [(noun, counts) for noun, counts in names if len(set(counts)) > 1]
    parts = [
        ", ".join(f"{counts[place]} {noun}s" for noun, counts in grown or names[:1])
        for place in range(len(looks))
    ]
    return "at " + ", then at ".join(parts)
