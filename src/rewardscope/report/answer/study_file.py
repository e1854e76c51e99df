"""The study file of a next inquiring line: the run's own study, with the line's change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rewardscope.codec import FUNCTION, KIND, UNSIGNED
from rewardscope.errors import RunDirectoryError
from rewardscope.registry import HOMES
from rewardscope.report.answer.inquiries import Inquiry
from rewardscope.report.rows import Run

PLAIN = ("threads_per_cell", "device")
COMPONENTS = ("interim", "precision")
WIDTH = 96
"""Longest line that holds a component in one piece."""


def study_source(run: Run, inquiry: Inquiry, number: int) -> str:
    """Python that defines the study which follows the line.

    Args:
        run: The run that left the question open.
        inquiry: The line.
        number: Its number on the page, counted from 1.

    Raises:
        RunDirectoryError: If the study has components from outside the package: their code cannot
            be written from the record.
    """
    study = run.study
    arms = [_changed(arm.start, arm.config, inquiry) for arm in run.arms]
    arms += [dict(arm) for arm in inquiry.arms]
    fields = {
        "name": f"{study.get('name') or 'study'}-next-{number}",
        "question": study.get("question") or "",
        "about": f"Next inquiring line {number} of {study.get('name')}: {inquiry.line.text}",
        "arms": arms,
        "seeds": list(inquiry.changes.get("seeds") or study.get("seeds") or ()),
        "claims": list(study.get("claims") or ()),
        "evaluation": _evaluation(study, inquiry),
        "probes": list(study.get("probes") or ()),
        **{name: study[name] for name in COMPONENTS if study.get(name) is not None},
        **{name: study[name] for name in PLAIN if name in study},
    }
    used = sorted(set(_components(fields)))
    outside = [name for name in used if name not in HOMES]
    if outside:
        raise RunDirectoryError(
            "The study has components from outside the package, which no file can be written for",
            value=", ".join(outside),
            do=f"Copy your study file and make the change yourself: {inquiry.line.code}",
        )
    body = "\n".join(f"    {name}={_text(value, 4)}," for name, value in fields.items())
    names = "".join(f"    {name},\n" for name in sorted([*used, "Study"]))
    about = _plain(f"{inquiry.line.text} {inquiry.line.code}".strip())
    return (
        f'"""Next inquiring line {number} of the study {_plain(str(study.get("name")))}.\n\n'
        f'{about}\n"""\n\nfrom rewardscope import (\n{names})\n\nstudy = Study(\n{body}\n)\n'
    )


def _plain(text: str) -> str:
    """The text for a docstring, which it cannot end."""
    return text.replace("\\", "/").replace('"', "'")


def _changed(start: str, config: Mapping[str, Any], inquiry: Inquiry) -> dict[str, Any]:
    changed = dict(config)
    for where, name, value in inquiry.harder:
        if where == start:
            changed["environment"] = {**changed["environment"], name: value}
    return changed


def _evaluation(study: Mapping[str, Any], inquiry: Inquiry) -> dict[str, Any]:
    evaluation = dict(study.get("evaluation") or {KIND: "Evaluation"})
    problems = inquiry.changes.get("problems")
    return evaluation | ({"problems": problems} if problems else {})


def _components(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if KIND in value:
            yield str(value[KIND])
        for item in value.values():
            yield from _components(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _components(item)


def _text(value: Any, indent: int) -> str:
    """The value as Python, over several lines where it does not fit one."""
    line = _one_line(value)
    if len(line) + indent <= WIDTH or not isinstance(value, (Mapping, list, tuple)):
        return line
    inner, close = " " * (indent + 4), " " * indent
    if isinstance(value, Mapping):
        named = KIND in value
        head, end = (f"{value[KIND]}(", ")") if named else ("{", "}")
        parts = [
            f"{name if named else repr(name) + ': '}{'=' if named else ''}{_text(item, indent + 4)}"
            for name, item in _fields(value)
        ]
    else:
        head, end = "(", ")"
        parts = [_text(item, indent + 4) for item in value]
    return f"{head}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{close}{end}"


def _fields(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields as a constructor takes them; those that are None are its defaults."""
    if KIND not in value:
        return list(value.items())
    return [
        (name.removeprefix(UNSIGNED), item)
        for name, item in value.items()
        if name != KIND and item is not None
    ]


def _one_line(value: Any) -> str:
    if isinstance(value, Mapping):
        if value.get(KIND) == FUNCTION:
            return repr(dict(value))
        if KIND in value:
            inside = ", ".join(f"{name}={_one_line(item)}" for name, item in _fields(value))
            return f"{value[KIND]}({inside})"
        return "{" + ", ".join(f"{k!r}: {_one_line(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = ", ".join(map(_one_line, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)
