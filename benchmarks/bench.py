"""Every speed that was promised, measured in one run: the peer's figure, ours, the ratio, the
floor, and whether the target is met.

make bench                                          (alone on the machine; about 30 minutes)
.venv/bin/python benchmarks/bench.py organism probes   (some parts alone)
.venv/bin/python benchmarks/bench.py --write           (and into docs/performance.md)
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import boundary
import grpo_step
import machine
import neighbour
import organism_step
import tour
import weights
from rich.console import Console
from rich.table import Table
from stories import TOPICS, prompt

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
TRL = f"trl {version('trl')}"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


@dataclass(frozen=True)
class Line:
    """One line of the table; what does not apply is empty."""

    what: str
    peer: str
    ours: str
    ratio: str
    floor: str
    target: str
    met: bool | None
    """None where there is no target."""

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            self.peer,
            self.ours,
            self.ratio,
            self.floor,
            self.target,
            {True: "yes", False: "**no**", None: ""}[self.met],
        )


HEAD = ("what", "peer", "ours", "ratio", "floor", "target", "met")


def grpo(console: Console) -> list[Line]:
    """The step on SmolLM2 beside TRL's, and its memory."""
    from rewardscope import Pretrained

    rates, policy, lines = machine.measure(), Pretrained(grpo_step.MODEL).load(), []
    shape = machine.shape_of(policy.model)
    console.print(
        f"products {rates.products_per_s / 1e9:.0f} GFLOP/s, memory read "
        f"{rates.read_bytes_per_s / 1e9:.0f} GB/s"
    )
    for size, times in (("short", 4.0), ("long", 8.0)):
        settings, found = grpo_step.SIZES[size], grpo_step.measure(size, console)
        prompts = [
            len(policy.encode(prompt(index, settings.examples))) for index in range(len(TOPICS))
        ]
        floor = machine.step_floor_s(shape, rates, prompts, settings.group, grpo_step.MAX_TOKENS)
        ours = found[grpo_step.OURS]
        what = (
            f"GRPO step, {len(prompts)} x {settings.group} x {grpo_step.MAX_TOKENS} tokens behind "
            f"{max(prompts)}"
        )
        for engine in settings.engines[1:]:
            ratio = found[engine].median_s / ours.median_s
            peer = f"{engine.replace('trl', TRL)}: {found[engine].median_s:.1f} s"
            lines.append(
                Line(
                    what,
                    peer,
                    f"{ours.median_s:.2f} s",
                    f"{ratio:.2f} x faster",
                    "",
                    f"{times:.0f} x",
                    ratio >= times,
                )
            )
        above = ours.median_s / floor
        lines.append(
            Line(
                f"{what}, above its floor",
                "",
                f"{ours.median_s:.2f} s",
                f"{above:.2f}",
                f"{floor:.2f} s",
                "1.8",
                above <= 1.8,
            )
        )
        parts = ", ".join(
            f"{part} {value:.2f}" for part, value in ours.parts.items() if value >= 0.005
        )
        lines.append(Line(f"{what}, its parts", "", f"{parts} s", "", "", "", None))
        for engine in settings.engines[1:]:
            share = ours.peak_gib / found[engine].peak_gib
            peer = f"{engine}: {found[engine].peak_gib:.1f} GiB"
            lines.append(
                Line(
                    f"peak memory, {size} prompts",
                    peer,
                    f"{ours.peak_gib:.1f} GiB",
                    f"{share:.0%}",
                    "",
                    "60 %",
                    share <= 0.6,
                )
            )
    return lines


def organism(console: Console) -> list[Line]:
    """The organism's step, and how cost grows."""
    steps = [organism_step.measured(problems) for problems in organism_step.PROBLEMS]
    parts = steps[organism_step.PROBLEMS.index(32)].parts
    shown = ", ".join(
        f"{name.removeprefix('seconds/')} {value:.3f}"
        for name, value in parts.items()
        if "/" in name
    )
    line = organism_step.line(steps)
    formula = f"{line.start_s:.3f} s + {line.s_per_token * 1e6:.0f} us a token"
    short, long = (
        steps[organism_step.PROBLEMS.index(32)].peak_gib,
        organism_step.measured(32, organism_step.LONG_STEPS).peak_gib,
    )
    one, two = organism_step.workers_s(1), organism_step.workers_s(2)
    console.print(f"organism: {formula}; {one:.1f} s and {two:.1f} s")
    few, many = organism_step.STEPS, organism_step.LONG_STEPS
    off, flat, twice = line.worst_share, long / short, one / two
    return [
        Line(
            "organism step, 32 x 16",
            "",
            f"{parts['seconds']:.3f} s",
            "",
            "",
            "0.6 s",
            parts["seconds"] <= 0.6,
        ),
        Line("organism step, its parts", "", f"{shown} s", "", "", "", None),
        Line(
            "seconds grow with sampled tokens",
            "",
            formula,
            f"off by {off:.0%} at most",
            "",
            "linear",
            off < 0.1,
        ),
        Line(
            f"memory of {many} steps against {few}",
            "",
            f"{long:.2f} GiB",
            f"{flat:.2f}",
            "",
            "flat",
            flat < 1.05,
        ),
        Line(
            "two workers against one",
            "",
            f"{one:.1f} s, {two:.1f} s",
            f"{twice:.2f} x faster",
            "2",
            "1.8",
            twice >= 1.8,
        ),
    ]


def probes(console: Console) -> list[Line]:
    """What reading a million completions and a pair of checkpoints takes."""
    million, pair = boundary.measure(console), weights.measure(console)
    rows, plain = (
        boundary.PROBLEMS * boundary.DRAWS,
        f"{million['plain read of the four columns']:.2f} s",
    )
    ours = {name: took for name, took in million.items() if name.startswith("rewardscope")}
    lines = [
        Line(f"{name}, {rows:,} completions", "", f"{took:.2f} s", "", plain, "10 s", took < 10)
        for name, took in ours.items()
    ]
    share = pair[0] / pair[1]
    weighed = f"{pair[1]:.2f} s", f"{share:.2f} of a plain read", f"{pair[0]:.2f} s"
    return [*lines, Line("changed weights of a 135M pair", "", *weighed, "0.5", share >= 0.5)]


def whole_tour(console: Console) -> list[Line]:
    """The tour."""
    took = tour.measure()
    return [Line("the tour", "", f"{took:.0f} s", "", "", "240 s", took <= 240)]


def busy(console: Console) -> list[Line]:
    """What one busy process beside us costs, by how OpenMP's threads wait."""
    found = neighbour.measure(console)
    slower = {policy: found[policy, True] / found[policy, False] for policy in neighbour.POLICIES}
    return [
        Line(
            "GRPO step beside one busy process on two cores",
            f"spinning threads: {found['active', True]:.1f} s, {slower['active']:.2f} x as alone",
            f"{found['passive', True]:.1f} s",
            f"{slower['passive']:.2f} x as alone",
            "",
            "2",
            slower["passive"] <= 2,
        )
    ]


PARTS: dict[str, Callable[[Console], list[Line]]] = {
    "organism": organism,
    "probes": probes,
    "tour": whole_tour,
    "grpo": grpo,
    "neighbour": busy,
}


def written(lines: list[Line], footnote: str) -> str:
    """The table in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\n{footnote}"


def main(arguments: list[str]) -> None:
    """Measures, prints the table, and writes it where it is asked to."""
    console, began = Console(highlight=False, width=180), time.monotonic()
    names = [name for name in arguments if name != "--write"] or list(PARTS)
    lines = [line for name in names for line in PARTS[name](console)]
    table = Table(*HEAD)
    for line in lines:
        table.add_row(*(cell.replace("**", "") for cell in line.cells))
    console.print(table)
    footnote = (
        f"{machine.described()}, {datetime.now(UTC):%Y-%m-%d}, "
        f"{(time.monotonic() - began) / 60:.0f} minutes"
    )
    console.print(footnote)
    if "--write" in arguments:
        page = PAGE.read_text()
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n\n{written(lines, footnote)}\n\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
