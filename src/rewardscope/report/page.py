"""The page: one HTML file that loads nothing, made from the rows of a run directory.

The text in a run comes from others. It reaches the page in three ways and is made harmless on
each: through the template, which escapes; through JSON blocks, in which no tag can begin
(:func:`json_block`); and from there through ``textContent``. A policy in the page's head names the
one script by its SHA-256, so that no other script runs even if it fails.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from rewardscope.hostile import visible
from rewardscope.identity import file_digest
from rewardscope.report import wording
from rewardscope.report.answer import (
    anchor,
    error_phrase,
    seeds_phrase,
    tally,
    unit_phrase,
    write_answer,
)
from rewardscope.report.answer.contrasts import main_contrasts
from rewardscope.report.answer.written import written
from rewardscope.report.blocks import gap_sentences
from rewardscope.report.drawing import draw
from rewardscope.report.loading import load_run
from rewardscope.report.marks import crowded, legend_marks, make_marks
from rewardscope.report.ranking import rankings
from rewardscope.report.readings import has_completions, packed_completions
from rewardscope.report.rows import Missing, Run
from rewardscope.report.sections import sections_of
from rewardscope.report.sketch import Sketch, draw_sketches
from rewardscope.store import PAGE, page_seal, write_bytes
from rewardscope.store.looks import looks_text
from rewardscope.types import Claim, Verdict

FILES = Path(__file__).parent
SCRIPTS = ("start", "figures", "browser")
"""Parts of the page's script, in order."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is, for the page that is written while it goes on."""

    written: str
    """The time of day."""
    done: int
    cells: int
    failed: int
    seconds_left: float | None
    """None = unknown."""

    @property
    def left(self) -> str:
        """The time left in words.

        >>> Standing("", 1, 2, 0, 95.0).left, Standing("", 0, 2, 0, None).left
        ('about 2 minutes left', 'time left unknown')
        """
        if self.seconds_left is None:
            return "time left unknown"
        minutes = max(1, round(self.seconds_left / 60))
        return f"about {counted(minutes, 'minute')} left"


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One row of the verdict table."""

    anchor: str
    verdict: Verdict
    metric: str
    margin: str
    unit: str
    reason: str
    sketch: Sketch | None
    phrases: tuple[str, ...]
    """Its error alone and among all claims, and its seeds."""


def write_page(run_dir: Path, standing: Standing | None = None) -> Path:
    """Writes ``report.html`` into the run directory, whole or not at all, and returns its path. Its
    last line seals it: the digests of study.json, of verdicts.json and of the page.

    A run that is unfinished or lacks files gives a page that says what is missing.

    Args:
        run_dir: Of the run.
        standing: How far it is, while it goes on: the page then loads itself again every half
            minute, and judges no claim.

    Raises:
        RunDirectoryError: If study.json is missing or cannot be read, or the page cannot be
            written.
    """
    path = run_dir / PAGE
    run = load_run(run_dir, judged=standing is None)
    page = render_page(run, standing).encode() + b"\n"
    sources = _sources(run_dir)
    write_bytes(path, page + page_seal(page, sources["study.json"], sources.get("verdicts.json")))
    return path


def _sources(run_dir: Path) -> dict[str, str]:
    """SHA-256 of what a page is made from."""
    files = [run_dir / name for name in ("study.json", "verdicts.json")]
    return {file.name: file_digest(file) for file in files if file.is_file()}


def render_page(run: Run, standing: Standing | None = None, watched_at: str = "") -> str:
    """The page as HTML text.

    Args:
        run: The run.
        standing: How far it is, while it goes on.
        watched_at: Where a server has the page, which then follows the run; empty = nowhere.
    """
    marks = make_marks(run.arms, telling_arms(run))
    cells, unread, packed = packed_completions(run)
    with debug_mode(False):  # Altair would check each part of each chart against its schema
        sections = sections_of(run, marks)
    drawings = {
        name: draw(name, panel.spec, figure.narrow)
        for section in sections
        for figure in section.figures
        for panels in figure.panels.values()
        for name, panel in panels
        if panel.spec
    }
    code, follow = _script(), script_text((FILES / "follow.js").read_text())
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FILES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=write_unknown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        number=wording.number,
        signed=wording.signed,
        component_text=wording.component_text,
        component_name=wording.component_name,
        config_text=_config_text,
        counted=counted,
    )
    placebos = {arm.name: arm.placebo for arm in run.arms}
    verdicts = _verdict_rows(run)
    return environment.get_template("page.html.jinja").render(
        run=run,
        standing=standing,
        study=Fields(run.study),
        marks=marks,
        tally=tally(
            run.verdicts, bool(run.study.get("claims_changed_after_start")), len(run.looks)
        ),
        looks=looks_text(run.looks),
        written=written(run, marks, cells),
        many=any(crowded(run.arms_of(start)) for start in run.starts),
        crowded=crowded,
        legend_marks=lambda start: legend_marks(run.arms_of(start), marks),
        shown_sections={section.name for section in sections},
        answer=write_answer(run.verdicts, placebos),
        verdicts=verdicts,
        rankings=rankings(run.verdicts, placebos, lambda claim: _untrained(run, claim)),
        sketches={row.anchor: row.sketch for row in verdicts},
        components=list(dict.fromkeys(name for arm in run.arms for name in arm.uses_truth)),
        sections=sections,
        drawings=drawings,
        chart_data=json_block({name: drawing.numbers for name, drawing in drawings.items()}),
        about=_paragraphs(str(run.study.get("about") or "")),
        training_seconds=_training_seconds(run),
        completions=packed if has_completions(cells) else None,
        missing=(*run.missing, *_lacking(run), *unread),
        outcome_text=wording.OUTCOME_TEXT,
        outcome_glyph=wording.OUTCOME_GLYPH,
        level=wording.LEVEL_TEXT,
        style=Markup((FILES / "page.css").read_text()),
        policy=content_policy([code, *([follow] if watched_at else [])], connects=bool(watched_at)),
        follow=follow if watched_at else None,
        watched_at=watched_at,
        sources=_sources(run.root),
        code=code,
    )


def telling_arms(run: Run) -> list[str]:
    """Of a start with many arms those that keep a hue: the treatments that exceed their placebo
    most and least.
    """
    found = []
    for start in run.starts:
        compared = [
            contrast
            for contrast in main_contrasts(run.verdicts, run.arms_of(start))
            if contrast.verdict.estimate is not None
        ]
        compared.sort(key=lambda contrast: -(contrast.verdict.estimate or 0.0))
        ends = compared[:1] + compared[1:][-1:]
        found += [contrast.verdict.claim.treatment for contrast in ends]
    return found


def counted(count: int, what: str) -> str:
    """How many of what.

    >>> counted(1, "seed"), counted(3, "seed")
    ('1 seed', '3 seeds')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def _untrained(run: Run, claim: Claim) -> float | None:
    """The claim's metric for the untrained policy from which its treatment started."""
    base = next((arm.base for arm in run.arms if arm.name == claim.treatment), None)
    labels = [
        pl.col(name).eq_missing(pl.lit(claim.labels.get(name), pl.String))
        for name in run.label_names
    ]
    values = run.metric(claim.metric).filter(pl.col("arm") == base, *labels)["value"]
    return None if len(values) != 1 else values[0]


def _lacking(run: Run) -> list[Missing]:
    """What could not be measured at all, each reason once."""
    complete = [gap for gap in run.gaps if not gap.partial]
    return [Missing(f"measurements of {of}", reason) for reason, of in gap_sentences(complete)]


def _script() -> Markup:
    """The page's one script."""
    parts = "".join((FILES / f"{name}.js").read_text() for name in SCRIPTS)
    return script_text(parts + "})();\n")


def _verdict_rows(run: Run) -> list[VerdictRow]:
    sketches = draw_sketches(run.verdicts)
    return [
        VerdictRow(
            anchor(index),
            verdict,
            wording.metric_text(verdict.claim),
            wording.margin_text(verdict.claim),
            unit_phrase(verdict.unit),
            verdict.reason.rstrip(".") or "no reason was recorded",
            sketches[index],
            tuple(filter(None, (error_phrase(verdict), seeds_phrase(verdict)))),
        )
        for index, verdict in enumerate(run.verdicts)
    ]


def _config_text(config: Mapping[str, Any]) -> str:
    return json.dumps(config, indent=1, ensure_ascii=False)


def _paragraphs(text: str) -> list[list[str]]:
    """Paragraphs of a study's description, each cut at double backquotes: every second piece is
    code.
    """
    return [
        " ".join(paragraph.split()).split("``")
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]


def _training_seconds(run: Run) -> float | None:
    """Total seconds of all recorded training steps of all cells."""
    if "seconds" not in run.steps.columns or not run.steps["seconds"].count():
        return None
    return float(run.steps["seconds"].cast(float).sum())


class Fields:
    """study.json for the template: a missing field reads as None."""

    def __init__(self, study: Mapping[str, Any]) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Any:
        return self._study.get(name)


def write_unknown(value: Any) -> Any:
    """The value of a template expression, with invisible characters written out and None as
    unknown.
    """
    if value is None:
        return wording.UNKNOWN
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def json_block(value: Any) -> Markup:
    r"""The value as JSON that is safe in a script element: no ``<``, ``>`` or ``&``, only ASCII,
    no invisible characters.

    >>> print(json_block(["</script>"]))
    ["\u003c/script\u003e"]
    """
    text = json.dumps(
        wording.visible_deep(value), separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def script_text(text: str) -> Markup:
    """Our own code, safe in a script element: no tag in it can begin or end the element."""
    for opening in ("</script", "<script", "<!--"):
        text = text.replace(opening, opening.replace("<", "\\x3c"))
    return Markup(text)


def content_policy(scripts: Iterable[str], connects: bool = False, forms: bool = False) -> str:
    """The content policy: nothing is fetched, and only the scripts with these digests run.

    Args:
        scripts: Their texts.
        connects: Whether the page may listen to the server that it came from.
        forms: Whether its forms may be sent there.
    """
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    none, own = "'none'", "'self'"
    return (
        f"default-src 'none'; script-src {digests or none}; style-src 'unsafe-inline'; "
        f"img-src data:; connect-src {own if connects else none}; base-uri 'none'; "
        f"form-action {own if forms else none}"
    )
