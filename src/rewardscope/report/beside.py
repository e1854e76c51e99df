"""A page of several runs beside each other: their answers, the claims that they share, what they
measured, and in what they differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from rewardscope.codec import KIND, encode
from rewardscope.errors import RunDirectoryError
from rewardscope.report import wording
from rewardscope.report.answer.contrasts import FIRST_TRY, Metric, metric_of
from rewardscope.report.answer.headline import headline
from rewardscope.report.answer.means import mean
from rewardscope.report.answer.notes import Said
from rewardscope.report.loading import load_run
from rewardscope.report.page import FILES, Fields, content_policy, counted, write_unknown
from rewardscope.report.rows import Run
from rewardscope.store import PAGE, write_bytes
from rewardscope.types import Claim, Verdict

BESIDE = "runs.html"
ALWAYS: tuple[Metric, ...] = (
    FIRST_TRY,
    ("diversity/distinct_answers", (("k", "16"),)),
    ("behaviour/length_tokens", ()),
)
"""Metrics that are shown where two runs have them, claimed or not."""
SETTINGS = ("version", "seeds", "steps", "evaluation", "probes", "device", "precision", "packages")
"""Fields of study.json in which runs are compared, beside those of their arms."""
ABSENT = "none"


@dataclass(frozen=True, slots=True)
class Column:
    """One run."""

    name: str
    """Its directory, as short as tells the runs apart."""
    page: str
    """Where its own page is, as seen from this one."""
    run: Run
    study: Fields
    headline: Said


@dataclass(frozen=True, slots=True)
class Shared:
    """A claim that several runs make, with each run's verdict (None: it makes no such claim)."""

    claim: Claim
    metric: str
    verdicts: tuple[Verdict | None, ...]
    margins: str
    """Where the margins differ: which."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What an arm of a run measured, beside the policy that it started from."""

    arm: str
    start: str
    placebo: bool
    untrained: float | None
    values: tuple[float, ...]
    """One for each seed."""

    @property
    def mean(self) -> float | None:
        """Over its seeds."""
        return mean(self.values)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric with the arms of every run; empty for a run that did not measure it."""

    metric: str
    policies: tuple[tuple[Policy, ...], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in which runs differ."""

    name: str
    values: tuple[str, ...]


def write_beside(run_dirs: Sequence[Path], out: Path) -> Path:
    """Writes the page of several runs, whole or not at all, and returns its path.

    Raises:
        RunDirectoryError: If there are fewer than two runs or one is named twice, if a record
            cannot be read, or the page cannot be written.
    """
    if len({path.resolve() for path in run_dirs}) < max(2, len(run_dirs)):
        raise RunDirectoryError(
            "Runs that are put beside each other must be two or more, each named once",
            value=", ".join(map(str, run_dirs)),
            do="Name the directories of different runs",
        )
    page = render_beside([load_run(path) for path in run_dirs], out.resolve().parent)
    write_bytes(out, page.encode() + b"\n")
    return out


def render_beside(runs: Sequence[Run], folder: Path, links: Sequence[str] = ()) -> str:
    """The page as HTML text; links to the runs' own pages hold from ``folder``, unless others are
    given.
    """
    columns = _columns(runs, folder)
    if links:
        columns = [replace(c, page=link) for c, link in zip(columns, links, strict=True)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FILES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=write_unknown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        number=wording.number, signed=wording.signed, span=wording.span, counted=counted
    )
    claims = shared_claims(runs)
    return environment.get_template("beside.html.jinja").render(
        columns=columns,
        claims=claims,
        apart=_apart(runs, claims),
        measured=measured(runs),
        settings=settings(runs),
        outcome_text=wording.OUTCOME_TEXT,
        outcome_glyph=wording.OUTCOME_GLYPH,
        level=wording.LEVEL_TEXT,
        style=Markup((FILES / "page.css").read_text()),
        policy=content_policy(()),
    )


def _columns(runs: Sequence[Run], folder: Path) -> list[Column]:
    roots = [run.root.resolve() for run in runs]
    parts = 1
    while parts < max(len(root.parts) for root in roots) and len(
        {root.parts[-parts:] for root in roots}
    ) < len(roots):
        parts += 1
    return [
        Column(
            name="/".join(root.parts[-parts:]),
            page=quote(Path(relpath(root / PAGE, folder)).as_posix()),
            run=run,
            study=Fields(run.study),
            headline=headline(run.verdicts, run.arms),
        )
        for run, root in zip(runs, roots, strict=True)
    ]


UNLIKE = ("sentence", "margin")
"""Fields in which the same claim may differ from run to run."""


def _mark(claim: Claim) -> tuple[Any, ...]:
    """What makes claims of two runs the same: what is compared, not its words or margin."""
    plain = {name: value for name, value in encode(claim).items() if name not in UNLIKE}
    return tuple(sorted((name, repr(value)) for name, value in plain.items()))


def shared_claims(runs: Sequence[Run]) -> list[Shared]:
    """Claims that two or more runs make, in the order of the first run that makes them."""
    by_run = [{_mark(verdict.claim): verdict for verdict in run.verdicts} for run in runs]
    found = []
    for mark in dict.fromkeys(mark for some in by_run for mark in some):
        verdicts = tuple(some.get(mark) for some in by_run)
        known = [verdict for verdict in verdicts if verdict]
        if len(known) > 1:
            claim = known[0].claim
            margins = {wording.margin_text(verdict.claim) for verdict in known}
            told = "; ".join(
                "–" if verdict is None else wording.margin_text(verdict.claim)
                for verdict in verdicts
            )
            text = wording.metric_text(claim)
            found.append(Shared(claim, text, verdicts, told if len(margins) > 1 else ""))
    return found


def _apart(runs: Sequence[Run], claims: Sequence[Shared]) -> list[int]:
    """How many claims each run makes alone."""
    return [
        len(run.verdicts) - sum(shared.verdicts[place] is not None for shared in claims)
        for place, run in enumerate(runs)
    ]


def measured(runs: Sequence[Run]) -> list[Measured]:
    """Metrics that any run's claims are about, and the few that are always shown, where two or
    more runs have them.
    """
    claimed = [metric_of(verdict.claim) for run in runs for verdict in run.verdicts]
    found = []
    for metric, labels in dict.fromkeys([*claimed, *ALWAYS]):
        policies = tuple(tuple(_policies(run, metric, dict(labels))) for run in runs)
        if sum(map(bool, policies)) > 1:
            named = Claim(sentence="", metric=metric, labels=dict(labels), treatment="", control="")
            found.append(Measured(wording.metric_text(named), policies))
    return found


def _policies(run: Run, metric: str, labels: Mapping[str, str]) -> Iterator[Policy]:
    for arm in run.arms:
        values = run.values(arm.name, metric, labels)
        if values:
            before = run.values(arm.base, metric, labels)
            untrained = before[0] if len(before) == 1 else None
            yield Policy(arm.name, arm.start, arm.placebo, untrained, tuple(values))


def settings(runs: Sequence[Run]) -> list[Setting]:
    """The settings of the studies, and of arms that two or more runs have, in which the runs
    differ.
    """
    flat = [dict(_settings(run)) for run in runs]
    shared = {arm for run in runs for arm in _names(run) if sum(arm in _names(r) for r in runs) > 1}
    found = []
    for name in dict.fromkeys(name for some in flat for name in some):
        arm = name.partition(": ")[0] if ": " in name else None
        if arm is not None and arm not in shared:
            continue
        values = tuple(some.get(name, ABSENT) for some in flat)
        having = [
            value
            for value, run in zip(values, runs, strict=True)
            if arm is None or arm in _names(run)
        ]
        if len(set(having)) > 1:
            found.append(Setting(name, values))
    return found


def _names(run: Run) -> set[str]:
    return {arm.name for arm in run.arms}


def _settings(run: Run) -> Iterator[tuple[str, str]]:
    for name in SETTINGS:
        yield from _flat(name, run.study.get(name))
    for arm in run.arms:
        for name, value in arm.config.items():
            yield from _flat(f"{arm.name}: {name}", value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A setting as lines: of a component its kind and each of its fields."""
    if isinstance(value, Mapping):
        for field, inner in value.items():
            yield from _flat(name if field == KIND else f"{name}.{field}", inner)
    else:
        plain = isinstance(value, str)
        yield name, ABSENT if value is None else value if plain else wording.component_text(value)
