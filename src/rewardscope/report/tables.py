"""Tables for a terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from rewardscope.hostile import visible
from rewardscope.judging.boundary.comparison import Frontier, Point, epsilon
from rewardscope.judging.boundary.split import Split
from rewardscope.report.answer import (
    counts_phrase,
    error_phrase,
    interval_phrase,
    seeds_phrase,
    unit_phrase,
)
from rewardscope.report.layout import folding_table
from rewardscope.report.wording import (
    OUTCOME_GLYPH,
    OUTCOME_TEXT,
    UNKNOWN,
    margin_text,
    metric_text,
    number,
    signed,
)
from rewardscope.stats import Estimate
from rewardscope.types import Outcome, Verdict

STYLE = {
    Outcome.SUPPORTED: "bold green",
    Outcome.REFUTED: "bold magenta",
    Outcome.UNDECIDED: "bold yellow",
    Outcome.NOT_RUN: "bold",
}


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts as a table, in the order of the claims; every outcome gets the same space.

    Claims and reasons are shown as written: markup in them has no effect and control characters are
    written out.
    """
    table = folding_table("claim", "outcome", "evidence", show_lines=True)
    for verdict in verdicts:
        outcome = Text(
            f"{OUTCOME_GLYPH[verdict.outcome]} {OUTCOME_TEXT[verdict.outcome]}",
            style=STYLE[verdict.outcome],
        )
        table.add_row(_claim(verdict), outcome, _evidence(verdict))
    return table


def _claim(verdict: Verdict) -> Text:
    claim = verdict.claim
    text = Text(visible(claim.sentence))
    control = "before training" if claim.control == "base" else claim.control
    text.append(
        visible(f"\n{metric_text(claim)}: {claim.treatment} against {control}"), style="dim"
    )
    return text


def _evidence(verdict: Verdict) -> Text:
    if verdict.estimate is None:
        return Text(
            visible(
                f"{verdict.reason or 'no reason was recorded'}\nneeded: "
                f"{margin_text(verdict.claim)}"
            )
        )
    smallest = UNKNOWN if verdict.smallest_visible is None else number(verdict.smallest_visible)
    text = Text(f"{signed(verdict.estimate)}{visible(unit_phrase(verdict.unit))}", style="bold")
    text.append(f", {visible(interval_phrase(verdict))}", style="not bold")
    text.append(
        f"\n{number(verdict.treatment_mean)} against {number(verdict.control_mean)}; "
        f"{counts_phrase(verdict)}",
        style="not bold",
    )
    text.append(
        f"\nneeded: {margin_text(verdict.claim)}; smallest visible: {smallest}",
        style="not bold dim",
    )
    for phrase in (error_phrase(verdict), seeds_phrase(verdict)):
        text.append(f"\n{phrase}" if phrase else "", style="not bold dim")
    return text


VIEWS = {
    "float32": "changed in float32",
    "bfloat16": "changed as bfloat16 stores them",
    "relative_1e-3": "changed by more than 0.1 %",
    "tolerance_1e-5": "changed by more than 1e-5",
}


def change_table(changes: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """How far the weights of each folder moved, over all matrices: a numbered column per folder."""
    totals = [changes_of_folder[0] for changes_of_folder in changes.values()]
    table = folding_table("", *(str(geometry) for geometry in range(1, len(totals) + 1)))
    for view, text in VIEWS.items():
        table.add_row(text, *(f"{total['changed'][view] / total['size']:.2%}" for total in totals))
    table.add_row(
        "norm of the update / of the weights",
        *(number((w["moved"] / w["norm"]) ** 0.5 if w["norm"] else None) for w in totals),
    )
    table.add_row(
        "rank / largest possible, mean over matrices",
        *(number(total["rank_share"].get("float32")) for total in totals),
    )
    table.add_row(
        "the same, as bfloat16 stores it",
        *(number(total["rank_share"].get("bfloat16")) for total in totals),
    )
    table.add_row(
        "stable rank, mean over matrices",
        *(number(total["stable_rank"].get("float32")) for total in totals),
    )
    geometries = [total["geometry"] for total in totals]
    table.add_row(
        "change of the singular values (NSS)",
        *(number(geometry and geometry["spectral_change"]) for geometry in geometries),
    )
    for side in ("left", "right"):
        angles = [(geometry or {}).get("angles", {}).get(side) for geometry in geometries]
        text = f"largest angle of the first 16 {side} directions, mean over matrices"
        table.add_row(
            text, *(f"{number(angle['largest'])}°" if angle else UNKNOWN for angle in angles)
        )
    table.add_row(
        "  matrices with a gap above the norm of the update",
        *(_held(changes_of_folder) for changes_of_folder in changes.values()),
        style="dim",
    )
    for mask, text in MASKS.items():
        counts = [(geometry or {}).get("inside", {}).get(mask) for geometry in geometries]
        table.add_row(
            f"changed weights among {text}", *(_share(count, "share") for count in counts)
        )
        table.add_row(
            "  the same update, shuffled",
            *(_share(count, "shuffled") for count in counts),
            style="dim",
        )
        table.add_row(
            "  if it were chance alone",
            *(_share(count, "uniform") for count in counts),
            style="dim",
        )
    return table


MASKS = {"principal": "the 30 % largest of the rank-16 part", "low": "the 30 % smallest"}


def _held(changes: Sequence[Mapping[str, Any]]) -> str:
    """How many matrices have a gap that bounds their angles."""
    ratios = [
        geometry["gap_over_update"]
        for change in changes[1:]
        if (geometry := change["geometry"]) and geometry["gap"] is not None
    ]
    return f"{sum(ratio is None or ratio > 1 for ratio in ratios)} of {len(ratios)}"


def _share(count: Mapping[str, Any] | None, name: str) -> str:
    return UNKNOWN if count is None or count[name] is None else f"{count[name]:.1%}"


def place_table(by_folder: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Norm of the update over norm of the weights, for each layer and each kind of matrix: a
    numbered column per folder.
    """
    table = folding_table(
        "norm of the update / of the weights",
        *(str(column) for column in range(1, len(by_folder) + 1)),
    )
    first, *_ = by_folder.values()
    for row, entry in enumerate(first):
        ends = row + 1 < len(first) and first[row + 1]["by"] != entry["by"]
        values = (number(entries[row]["relative"]) for entries in by_folder.values())
        table.add_row(
            Text(f"{entry['by']} {visible(entry[entry['by']])}"), *values, end_section=ends
        )
    return table


NULLS = {
    "shuffled": "the same updates, shuffled",
    "rescaled": "shuffled, rows and columns as large",
    "resigned": "the same, with other signs",
}


def agreement_table(record: Mapping[str, Any]) -> Table:
    """Overlap of the changes of each pair of trainings, as bfloat16 stores them and among the
    largest updates, with four nulls.
    """
    folders = list(record["changes"])
    table = folding_table(
        "overlap of changed weights",
        "one-sided",
        "and back",
        "Jaccard",
        "same direction",
        "largest tenth",
    )
    for pair in record["agreements"]:
        names = " and ".join(str(folders.index(pair[side]) + 1) for side in ("first", "second"))
        table.add_row(names, *_overlaps(pair["found"]))
        for side, text in NULLS.items():
            table.add_row(f"  {text}", *_overlaps(pair[side]), style="dim")
        table.add_row(
            "  if it were chance alone",
            *map(number, (*pair["found"]["uniform"], 0.5, 0.1)),
            style="dim",
            end_section=True,
        )
    above = record["above_nulls"]
    shown = (
        "",
        "",
        *(
            _ends(above[statistic], signed) or UNKNOWN
            for statistic in ("jaccard", "sign_share", "top_share")
        ),
    )
    table.add_row("found minus the stricter of both shuffled, mean", *shown)
    if above["jaccard"] is not None:
        table.caption = above["jaccard"]["interval"]
    return table


def _overlaps(overlap: Mapping[str, Any]) -> Iterator[str]:
    return map(
        number,
        (*overlap["one_sided"], overlap["jaccard"], overlap["sign_share"], overlap["top_share"]),
    )


def course_table(records: Mapping[str, Mapping[str, Any]]) -> Table:
    """Where execution and plans bend in each run, for strategic and for random grams, and whether
    there are two phases.
    """
    table = folding_table(
        "grams",
        "seed",
        "execution bends at step",
        "plans bend at step",
        "lag",
        "execution, then plans",
    )
    for kind, record in records.items():
        for seed, course in record["seeds"].items():
            two_phases = {True: "yes", False: "no", None: "undecided"}[course["two_phases"]]
            bends = (
                _bend(course["execution_bend"]),
                _bend(course["plans_bend"]),
                _bend(course["lag"], none=""),
            )
            table.add_row(
                kind, seed, *bends, two_phases, style="" if kind == "strategic" else "dim"
            )
        table.add_row(
            kind,
            "all",
            "",
            "",
            _bend(record["lag"], none=""),
            "",
            style="" if kind == "strategic" else "dim",
            end_section=True,
        )
    return table


def drift_table(record: Mapping[str, Any]) -> Table:
    """Mean change of each quantity under each kind of update, and of the clip's own part, with
    standard errors over replicates.
    """
    table = folding_table("change of", "prior", *record["arms"], "clip minus no clip")
    for row in zip(*record["arms"].values(), record["against_no_clip"]["clip"], strict=True):
        table.add_row(row[0]["quantity"], row[0]["prior"], *map(_drift, row))
    return table


def _drift(drift: Mapping[str, Any]) -> Text:
    """Mean and standard error; bold where the 95 % interval excludes 0."""
    if drift["mean"] is None or drift["error"] is None:
        return Text(UNKNOWN)
    lower, upper = drift["interval"]
    return Text(
        f"{drift['mean']:+.2g} \u00b1 {drift['error']:.1g}",
        style="bold" if lower > 0 or upper < 0 else "",
    )


def _bend(ends: Sequence[float | None] | None, none: str = "nowhere") -> str:
    if ends is None:
        return none
    value, lower, upper = ends
    return f"{value:.1f}" if lower is None else f"{value:.1f} [{lower:.1f}, {upper:.1f}]"


SUPPORT_WORDS = {
    "support_retention": "share kept of what the base solves (SRR)",
    "discovery": "share new among what is solved (NDR)",
    "support_change": "won minus lost, over all that either solves (NSCR)",
}


def frontier_table(frontier: Frontier) -> Table:
    """pass@k with its bands, tolerant and strict side by side; with a base, also the base's and the
    difference.
    """
    sides = {"": frontier.curves}
    if frontier.differences:
        sides = {
            "base, ": frontier.base_curves,
            "trained, ": frontier.curves,
            "difference, ": frontier.differences,
        }
    columns = {
        f"{side}{extractor}": curve
        for side, curves in sides.items()
        for extractor, curve in curves.items()
    }
    table = folding_table("k", *columns)
    for index, point in enumerate(next(iter(columns.values()))):
        table.add_row(str(point.k), *(_point(curve[index]) for curve in columns.values()))
    firsts = [curve[0] for curve in columns.values()]
    problems = [
        f"{first.n} problem{'' if first.n == 1 else 's'}"
        + (f", {first.dropped} dropped" if first.dropped else "")
        for first in firsts
    ]
    table.add_section()
    table.add_row("", *problems, style="dim")
    return table


def standing_table(frontier: Frontier) -> Table:
    """The classes of problems against the base, at which k, and the smallest chance that this k can
    detect.
    """
    table = folding_table("against the base, tolerant", "", "problems", "at k", "epsilon = 3 / k")
    counts = {name.replace("_", " "): point for name, point in frontier.classes.items()}
    shares = {SUPPORT_WORDS[name]: point for name, point in frontier.support.items()}
    for text, point in {**counts, **shares}.items():
        value = (
            UNKNOWN
            if point.estimate is None
            else f"{point.estimate.value:g}"
            if text in counts
            else _point(point)
        )
        table.add_row(
            text,
            value,
            str(point.n),
            str(point.k),
            number(epsilon(point.k)) if point.k else UNKNOWN,
        )
    if frontier.split is not None:
        _add_split(table, frontier.split)
    table.add_section()
    if frontier.crossing is not None and frontier.sampling_gap is not None:
        crossing, share = frontier.crossing
        crossing_text = _crossing_text(frontier, crossing, share)
        table.add_row(
            "k at which the base overtakes", crossing_text, str(share.n), str(crossing.k), ""
        )
        table.add_row(
            "bootstrap draws in which it does", _point(share), str(share.n), str(share.k), ""
        )
        gap = frontier.sampling_gap
        table.add_row("base pass@k minus trained pass@1", _point(gap), str(gap.n), str(gap.k), "")
    return table


def _add_split(table: Table, split: Split) -> None:
    """Rows of the null: what the base loses and wins against a second set of its own draws."""
    table.add_section()
    n, k = str(split.n), str(split.draws)
    for name in ("shrunk", "expanded"):
        counts = f"{split.trained[name]:.1f}, against itself {split.itself[name]:.1f}"
        table.add_row(f"{name}, expected at half the draws", counts, n, k, "")
    for text, retention in (
        ("kept at half the draws", split.retention_trained),
        ("kept by a second set of the base's draws", split.retention_itself),
    ):
        table.add_row(text, _estimate_text(retention), n, k, "")
    table.add_row("shrunk beyond that null", _estimate_text(split.shrunk_more), n, k, "")
    table.add_row("expanded beyond it", _estimate_text(split.expanded_more), n, k, "")


def _crossing_text(frontier: Frontier, crossing: Point, share: Point) -> str:
    """The k at which the base overtakes; where it does not, who leads throughout."""
    if crossing.estimate is not None or not share.n:
        return _point(crossing, digits=1)
    leads = [
        point.estimate.value
        for point in frontier.differences["tolerant"]
        if point.estimate is not None
    ]
    if leads and max(leads) < 0:
        return "it leads at every k"
    return "nowhere" if not leads or min(leads) >= 0 else "nowhere: it leads at first"


def _point(point: Point, digits: int = 3) -> str:
    return _estimate_text(point.estimate, digits)


def _estimate_text(estimate: Estimate | None, digits: int = 3) -> str:
    if estimate is None:
        return UNKNOWN

    def text(value: float) -> str:
        return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before zero

    if estimate.lower is None or estimate.upper is None:
        return text(estimate.value)
    return f"{text(estimate.value)} [{text(estimate.lower)}, {text(estimate.upper)}]"


def subnetwork_table(record: Mapping[str, Any]) -> Table:
    """Each mask compared with full training: what it trains, its accuracy, and the share of its
    entries that ended where full training did.
    """
    table = folding_table(
        *(
            "trained",
            "of all weights; update, full = 1",
            "right",
            "minus full training",
            "minus random entries",
            "equal inside, 1e-5 / 1e-4",
            "untrained: the same",
        ),
        show_lines=True,
    )
    table.add_row("nothing", "0", _ends(record["untrained"]), *[""] * 4)
    for row in record["arms"]:
        equals = (_pair(row["equal"]), _pair(row["equal_untrained"]))
        outside = f"; {row['moved_outside']} moved outside" if row["moved_outside"] else ""
        contrasts = (
            _ends(row["accuracy"]),
            _ends(row["against_full"], signed),
            _ends(row["against_random"], signed),
        )
        table.add_row(
            visible(row["arm"]) + outside,
            f"{row['trained_share']:.1%}; {row['update_norm']:.2f}",
            *contrasts,
            *equals,
        )
    table.caption = f"intervals over {len(record['seeds'])} seeds and the held-out problems"
    return table


def _ends(estimate: Mapping[str, Any] | None, write: Callable[[float | None], str] = number) -> str:
    """An estimate with its interval."""
    if estimate is None:
        return ""
    if estimate["lower"] is None:
        return write(estimate["value"])
    return f"{write(estimate['value'])} [{write(estimate['lower'])}, {write(estimate['upper'])}]"


def _pair(equal: Mapping[str, Mapping[str, Any]]) -> str:
    """Shares at each tolerance."""
    return " / ".join(f"{estimate['value']:.1%}" for estimate in equal.values()) or UNKNOWN
