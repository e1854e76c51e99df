"""Which rows of a data set belong to which split: checked, counted once, in a fixed order."""

import hashlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from rewardscope.environments.base import owner
from rewardscope.environments.data.prompts import Columns
from rewardscope.environments.data.rows import Rows
from rewardscope.errors import EnvironmentFault

MOST_LISTED = 5
"""Conflicts that a message lists."""


@dataclass(frozen=True)
class Entry:
    """A row in the index, as numbers."""

    id: str
    """16 hex digits of the question."""
    split: str
    answer: str
    digest: bytes
    """8 bytes of a digest of all content of the row's problem."""
    prompt: str
    """The prompt without system prompt and examples."""


@dataclass
class Index:
    """Row numbers by split, in the order of their questions' hashes: 40 bytes a row."""

    columns: Columns
    rows: "Joined"
    order: dict[str, NDArray[np.int64]]
    ids: NDArray[np.uint64]
    """Of every row."""
    prompts: tuple[NDArray[np.uint64], NDArray[np.int64]]
    """Hashes of the prompts, sorted, and their rows."""
    digest: str
    doubles: int
    """Number of duplicate rows that were left out."""
    before: str = ""
    """System prompt and examples before every prompt."""

    def row_number(self, prompt: str) -> int | None:
        """Number of the row behind the prompt."""
        mark = number_of(prompt.removeprefix(self.before))
        hashes, row_numbers = self.prompts
        n = int(np.searchsorted(hashes, mark))
        return int(row_numbers[n]) if n < len(hashes) and hashes[n] == mark else None


def number_of(text: str) -> int:
    """64 bits of the text's SHA-256."""
    return int.from_bytes(hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:8], "big")


class Joined:
    """Rows of several sources, each with the split of its source."""

    def __init__(self, parts: dict[str, Rows]) -> None:
        self.parts = list(parts.items())
        self._ends = list(accumulate(len(rows) for _, rows in self.parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for _, rows in self.parts:
            yield from rows

    def _of(self, number: int) -> tuple[str, Rows, int]:
        part = bisect_right(self._ends, number)
        split, rows = self.parts[part]
        return split, rows, number - (self._ends[part - 1] if part else 0)

    def row(self, number: int) -> Mapping[str, object]:
        """The row."""
        _, rows, place = self._of(number)
        return rows.row(place)

    def where(self, number: int) -> str:
        """File and line of the row."""
        _, rows, place = self._of(number)
        return rows.where(place)

    def split(self, number: int) -> str:
        """The split of the row's source; "" if the source has none."""
        return self._of(number)[0]


def build(
    rows: Joined,
    columns: Columns,
    entry: Callable[[Mapping[str, object], int], Entry],
    shares: Mapping[str, float],
) -> Index:
    """The index of all rows, each read once.

    Args:
        rows: Of the data set.
        columns: For the record.
        entry: Makes the index entry of a row and its number; a split of "" is drawn by the id.
        shares: Share of all questions per split, for drawn splits.

    Raises:
        EnvironmentFault: If a question is in two splits, or has two answers.
    """
    ids, answers, digests, prompts = array("Q"), array("Q"), array("Q"), array("Q")
    codes, names = array("H"), dict[str, int]()
    for number, row in enumerate(rows):
        made = entry(row, number)
        split = made.split or owner(made.id, shares)
        codes.append(names.setdefault(split, len(names)))
        ids.append(int(made.id, 16))
        answers.append(number_of(made.answer))
        digests.append(int.from_bytes(made.digest, "big"))
        prompts.append(number_of(made.prompt))
    id_n, answer_n, digest_n, prompt_n = (
        np.array(each, dtype=np.uint64) for each in (ids, answers, digests, prompts)
    )
    code_n = np.array(codes, dtype=np.int64)
    kept = _first_of_each(rows, id_n, answer_n, code_n, list(names))
    order = {
        split: kept[code_n[kept] == code][np.argsort(id_n[kept][code_n[kept] == code])]
        for split, code in names.items()
    }
    by_prompt = np.argsort(prompt_n[kept], kind="stable")
    content = np.stack([np.sort(digest_n[kept])]).astype(">u8").tobytes()
    splits = ",".join(f"{split}:{len(order[split])}" for split in sorted(order))
    return Index(
        columns=columns,
        rows=rows,
        order=order,
        ids=id_n,
        prompts=(prompt_n[kept][by_prompt], kept[by_prompt]),
        digest=hashlib.sha256(content + splits.encode()).hexdigest(),
        doubles=len(id_n) - len(kept),
    )


def _first_of_each(
    rows: Joined,
    ids: NDArray[np.uint64],
    answers: NDArray[np.uint64],
    codes: NDArray[np.int64],
    names: list[str],
) -> NDArray[np.int64]:
    """The first row of each question.

    Raises:
        EnvironmentFault: If another row puts it into another split, or gives it another answer.
    """
    _, first, group = np.unique(ids, return_index=True, return_inverse=True)
    same = first[group]
    leaks = np.flatnonzero(codes != codes[same])
    if len(leaks):
        pairs = [
            f"{rows.where(int(same[n]))} ({names[codes[same[n]]]}) and {rows.where(int(n))} "
            f"({names[codes[n]]})"
            for n in leaks[:MOST_LISTED]
        ]
        raise EnvironmentFault(
            "The same question is in two splits, so training data would be evaluated",
            value=f"{len(leaks)} questions: {'; '.join(pairs)}",
            do="Delete one of each, or leave split empty: splits are then drawn by the "
            "questions' content",
        )
    unlike = np.flatnonzero(answers != answers[same])
    if len(unlike):
        pairs = [
            f"{rows.where(int(same[n]))} and {rows.where(int(n))}" for n in unlike[:MOST_LISTED]
        ]
        raise EnvironmentFault(
            "The same question has two answers",
            value=f"{len(unlike)} questions: {'; '.join(pairs)}",
            do="Keep the right one",
        )
    return np.sort(first).astype(np.int64)
