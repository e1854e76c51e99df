"""The rows of a file, a folder or a hub name, one at a time, each with its file and line."""

import json
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from rewardscope.errors import EnvironmentFault, RewardscopeError
from rewardscope.identity.files import Stamp, stamp_of

Row = Mapping[str, Any]
LINES = (".jsonl", ".ndjson", ".jsonlines")
TABLES = (".parquet", ".csv", ".tsv")
FILES = (*LINES, ".json", *TABLES)
"""File endings that need no other package."""
PIP = "pip install datasets"
MOST_SHOWN = 80


class Rows(Protocol):
    """Rows in the order of their source."""

    def __len__(self) -> int:
        """Number of rows."""

    def row(self, number: int) -> Row:
        """The row: a mapping from the names of columns."""

    def where(self, number: int) -> str:
        """``file:line`` of the row, or its file and row number."""

    def __iter__(self) -> Iterator[Row]:
        """All of them, one at a time."""


class Lines:
    """JSON Lines: only the offsets of the lines stay in memory, 12 bytes per row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts, self._numbers = array("Q"), array("L")
        start = 0
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    self._starts.append(start)
                    self._numbers.append(number)
                start += len(line)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Row]:
        with self.path.open("rb") as file:
            for number, start in enumerate(self._starts):
                file.seek(start)
                yield self._read(file.readline(), number)

    def row(self, number: int) -> Row:
        """The row, read from the file."""
        with self.path.open("rb") as file:
            file.seek(self._starts[number])
            return self._read(file.readline(), number)

    def where(self, number: int) -> str:
        """``file:line``."""
        return f"{self.path}:{self._numbers[number]}"

    def _read(self, line: bytes, number: int) -> Row:
        try:
            row = json.loads(line.decode("utf-8-sig" if number == 0 else "utf-8"))
        except (ValueError, RecursionError) as error:
            raise EnvironmentFault(
                "A line of the data set is not JSON",
                value=f"{self.where(number)}: {_shown(line.decode(errors='replace'))} ({error})",
                allowed='one JSON object per line, such as {"prompt": "2 + 2?", "answer": "4"}',
                do="Correct the line",
            ) from error
        return _checked(row, self.where(number))


class Listed:
    """Rows in memory, column by column or as a list."""

    def __init__(self, path: Path, rows: "pl.DataFrame | list[Any]") -> None:
        self.path, self._rows = path, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return (self.row(number) for number in range(len(self)))

    def row(self, number: int) -> Row:
        """The row."""
        if isinstance(self._rows, pl.DataFrame):
            return self._rows.row(number, named=True)
        return _checked(self._rows[number], self.where(number))

    def where(self, number: int) -> str:
        """File and row."""
        return f"{self.path}, row {number + 1}"


class Loaded:
    """Rows of ``datasets``, mapped from disk."""

    def __init__(self, name: str, rows: Any) -> None:
        self.name, self._rows = name, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def row(self, number: int) -> Row:
        """The row."""
        row: Row = self._rows[number]
        return row

    def where(self, number: int) -> str:
        """Name and row."""
        return f"{self.name}, row {number + 1}"


def _checked(row: Any, where: str) -> Row:
    if not isinstance(row, dict):
        raise EnvironmentFault(
            "A row of the data set is not an object with named columns",
            value=f"{where}: {_shown(json.dumps(row))}",
            allowed='an object, such as {"prompt": "2 + 2?", "answer": "4"}',
            do="Correct the row",
        )
    return row


def _shown(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + " ..."


def located(source: str) -> Path | None:
    """The file or folder of the source; None if it is a name for ``datasets``.

    A relative path is looked for in the current directory.

    Raises:
        EnvironmentFault: If it has a file ending, and no such file exists.
    """
    path = Path(source).expanduser()
    if path.exists():
        return path
    if path.suffix.lower() not in FILES and not path.is_absolute() and source.count("/") <= 1:
        return None
    looked = [str(path.absolute())]
    if not path.is_absolute():
        looked.append(f"and no folder or data set of the hub is called {source!r}")
    raise EnvironmentFault(
        "There is no such data set",
        value=f"{source!r}; looked at {', '.join(looked)}",
        allowed=f"a file that ends in {', '.join(FILES)}, a folder, or a name on the hub",
        do="Run from the folder that has it, or write Path(__file__).parent / 'problems.jsonl' in "
        "the study",
    )


def stamps_of(sources: tuple[str, ...]) -> tuple[Stamp | None, ...]:
    """A stamp that changes with any file among the sources; None for folders and hub names."""
    paths = [located(source) for source in sources]
    return tuple(None if path is None or path.is_dir() else stamp_of(path) for path in paths)


def read_rows(source: str) -> dict[str, Rows]:
    """The rows by the split that the source itself gives; "" if it gives none.

    Raises:
        EnvironmentFault: If it cannot be read.
    """
    path = located(source)
    if path is None or path.is_dir():
        return _with_datasets(source, path)
    ending = path.suffix.lower()
    try:
        if ending in LINES:
            return {"": Lines(path)}
        if ending == ".json":
            return {"": _json(path)}
        if ending == ".parquet":
            return {"": Listed(path, pl.read_parquet(path))}
        if ending in TABLES:
            # every cell is text: 007 and 1.50 stay as they are
            separator = "\t" if ending == ".tsv" else ","
            return {"": Listed(path, pl.read_csv(path, infer_schema=False, separator=separator))}
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        if isinstance(error, RewardscopeError):
            raise
        raise EnvironmentFault(
            "The data set cannot be read",
            value=f"{path}: {type(error).__name__}: {error}",
            do="Check that the file's format matches its ending",
        ) from error
    raise EnvironmentFault(
        "The data set's file ending is unknown",
        value=str(path),
        allowed=", ".join(FILES),
        do="Rename it, or convert it to JSON Lines",
    )


def _json(path: Path) -> Rows:
    """A list of objects, or one under the only list of an object; JSON Lines under another name."""
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return Lines(path)
        raise
    lists = (
        [value for value in data.values() if isinstance(value, list)]
        if isinstance(data, dict)
        else [data]
    )
    if len(lists) != 1 or not isinstance(lists[0], list):
        raise EnvironmentFault(
            "The JSON file is not a list of rows",
            value=f"{path}: {type(data).__name__}",
            allowed='[{"prompt": ..., "answer": ...}, ...], or an object that holds one such list',
            do="Write it like that, or as JSON Lines",
        )
    return Listed(path, lists[0])


def _with_datasets(source: str, folder: Path | None) -> dict[str, Rows]:
    """What ``datasets`` loads: a folder, or a name on the hub, with a configuration behind a
    colon.
    """
    try:
        import datasets
    except ImportError as error:
        raise EnvironmentFault(
            "A folder or a name on the hub is read by the package datasets, which is not installed",
            value=source,
            allowed=f"a file that ends in {', '.join(FILES)} needs no other package",
            do=f"{PIP}, or give a file",
        ) from error
    try:
        if (
            folder is not None
            and (folder / "state.json").exists() | (folder / "dataset_dict.json").exists()
        ):
            loaded = datasets.load_from_disk(str(folder))
        elif folder is not None:
            loaded = datasets.load_dataset(str(folder))
        else:
            name, _, configuration = source.partition(":")
            loaded = datasets.load_dataset(name, configuration or None)
    except Exception as error:  # datasets raises many kinds; each means that there are no rows
        raise EnvironmentFault(
            "datasets cannot load this name",
            value=f"{source!r}: {type(error).__name__}: {str(error).splitlines()[0][:200]}",
            allowed="a folder, or a hub name with its configuration, such as openai/gsm8k:main",
            do="Check the spelling; without a network, download it elsewhere and give its folder",
        ) from error
    if isinstance(loaded, datasets.DatasetDict):
        return {split: Loaded(f"{source} {split}", rows) for split, rows in loaded.items()}
    return {"": Loaded(source, loaded)}
