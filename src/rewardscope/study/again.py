"""Components of a finished run, made again from what study.json says of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rewardscope.codec import FUNCTION, KIND, OF, decode
from rewardscope.errors import ComponentError, RunDirectoryError
from rewardscope.identity import changes, parts_of
from rewardscope.registry import is_guest, thing_of
from rewardscope.study.files import load_study


def made_again(
    record: Mapping[str, Any],
    encoded: Mapping[str, Any],
    made_of: Sequence[Sequence[str]],
    study_file: Path | None = None,
) -> Any:
    """The component that study.json holds, with the code that it had then.

    Code is taken from the study file, never from the copy in the run directory: a run directory
    may be anybody's.

    Args:
        record: The content of study.json.
        encoded: The component in it.
        made_of: What its code was, as study.json says beside it.
        study_file: Where the study file is now; None = where it was.

    Raises:
        RunDirectoryError: If code from outside the package is gone, or is not what it was.
    """
    guests = sorted(name for name in set(_names(encoded)) if is_guest(name))
    if guests:
        _load(record, guests, study_file)
    component = _decoded(encoded)
    before = [part for part in made_of if part[0] in guests]
    now = [part.record for part in parts_of(component) if part.component in guests]
    differing = changes(_sources(before), _sources(now))
    if differing:
        raise RunDirectoryError(
            "The code of this run was edited since",
            value="; ".join(differing),
            allowed=f"the code as {record.get('sources', {}).get('folder')} in the run has it",
            do="Run the study again, or give the study file as it was with --study",
        )
    return component


def _load(record: Mapping[str, Any], guests: Sequence[str], study_file: Path | None) -> None:
    """Makes the guests' classes known.

    Raises:
        RunDirectoryError: If they cannot be found.
    """
    file = study_file or (Path(record["file"]) if record.get("file") else None)
    if file is not None and file.is_file():
        load_study(file)
    try:
        for name in guests:
            thing_of(name)
    except ComponentError as error:
        raise RunDirectoryError(
            "The run has components from outside the package, and their code is not here",
            value=f"{', '.join(guests)}; study file {file}",
            do="Give the study file with --study",
        ) from error


def _decoded(encoded: Any) -> Any:
    """The component; of a mapping or list of several, each."""
    if isinstance(encoded, Mapping):
        if KIND in encoded:
            return decode(encoded)
        return {name: _decoded(item) for name, item in encoded.items()}
    if isinstance(encoded, list):
        return [_decoded(item) for item in encoded]
    return encoded


def _names(encoded: Any) -> Iterator[str]:
    """What the components and functions in it go by."""
    if isinstance(encoded, Mapping):
        if KIND in encoded:
            yield str(encoded[OF] if encoded[KIND] == FUNCTION else encoded[KIND])
        for item in encoded.values():
            yield from _names(item)
    elif isinstance(encoded, list):
        for item in encoded:
            yield from _names(item)


def _sources(parts: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    return [part for part in parts if part[1].startswith(("source ", "package "))]
