"""How an instrument's rows are shown on the page, as plain data: it is stored with the run and
drawn without the instrument's code.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from rewardscope.errors import ComponentError

LABEL = re.compile(r"\{(\w+)\}")
ID = re.compile(r"[a-z][a-z0-9-]*")
Kind = Literal["steps", "k", "bars"]
"""A curve over training steps, a curve over k, or bars for each value of a label."""


@dataclass(frozen=True, slots=True)
class Line:
    """One metric's lines in a table.

    >>> Line("boundary/vote_at_k", "vote of {k} draws").by
    ('k',)
    """

    metric: str
    text: str
    """What is measured. Each label named in braces makes a line for each of its values."""
    means: str = ""
    """What a high or a low number means, where the text alone does not say."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Labels that a row must have."""
    every_k: bool = False
    """Whether each k has a line; otherwise only the largest."""
    skip_zero: bool = False
    """Whether a line that is 0 for every policy is left out."""
    unknown: str = ""
    """What it means that a seed was measured and has no number, such as "never"; a cell then says
    how many seeds have one.
    """

    @property
    def by(self) -> tuple[str, ...]:
        """Labels whose values make separate lines."""
        return tuple(dict.fromkeys(LABEL.findall(self.text)))

    def named(self, labels: Mapping[str, str | None]) -> str:
        """The text with the labels' values filled in."""
        return LABEL.sub(lambda match: str(labels.get(match[1])).replace("_", " "), self.text)


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure; each start has its own, and each arm its colour."""

    kind: Kind
    metric: str
    """For ``steps`` a metric or a column of the step table."""
    title: str
    unit: str
    """Title of the value axis."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Labels that a row must have."""
    by: str = ""
    """For ``bars``: the label with one bar per value."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the page."""

    name: str
    """Its id: a-z, 0-9 and -."""
    title: str
    explains: str = ""
    """What is measured and how to read it, in a few sentences."""
    lines: tuple[Line, ...] = ()
    """The table, arms side by side."""
    more: tuple[Line, ...] = ()
    """A second table, folded until the reader opens it."""
    charts: tuple[Chart, ...] = ()
    caption: str = ""
    """Text above the charts."""
    short: str = ""
    """Its name in the list of sections; the title where empty."""

    def __post_init__(self) -> None:
        kinds = [chart.kind for chart in self.charts if chart.kind not in get_args(Kind)]
        if not ID.fullmatch(self.name) or not self.title or kinds:
            raise ComponentError(
                "A section of the page is not valid",
                value=f"name={self.name!r}, title={self.title!r}, chart kinds {kinds}",
                allowed=f"a name of a-z, 0-9 and -, a title, charts of {', '.join(get_args(Kind))}",
                do="Correct the section",
            )

    @property
    def metrics(self) -> frozenset[str]:
        """Metrics that its tables and charts show."""
        lines = {line.metric for line in (*self.lines, *self.more)}
        return frozenset(lines | {chart.metric for chart in self.charts})

    def record(self) -> dict[str, Any]:
        """The section as JSON types; :func:`read_section` reads it back."""
        return asdict(self)


def read_section(record: Any) -> Section:
    """The section that :meth:`Section.record` wrote; nothing is imported or executed.

    Raises:
        ComponentError: If the record is not a section.
    """
    try:
        tables = {
            name: tuple(Line(**_line(line)) for line in _list(record.get(name)))
            for name in ("lines", "more")
        }
        charts = tuple(Chart(**_texts(chart, Chart)) for chart in _list(record.get("charts")))
        texts = _texts(record, Section)
        return Section(**texts, lines=tables["lines"], more=tables["more"], charts=charts)
    except (TypeError, AttributeError) as error:
        raise ComponentError(
            "A stored section of the page cannot be read",
            value=error,
            do="Run the study again: finished cells are kept",
        ) from error


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _texts(record: Mapping[str, Any], of: type) -> dict[str, Any]:
    """The fields that are texts, and ``where``."""
    known = getattr(of, "__dataclass_fields__", {})
    fields: dict[str, Any] = {
        name: item for name, item in record.items() if name in known and isinstance(item, str)
    }
    if "where" in known and isinstance(record.get("where"), Mapping):
        fields["where"] = {str(name): str(item) for name, item in record["where"].items()}
    return fields


def _line(record: Mapping[str, Any]) -> dict[str, Any]:
    flags = {name: record.get(name) is True for name in ("every_k", "skip_zero")}
    return _texts(record, Line) | flags
