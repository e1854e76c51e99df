"""Similarity of texts by the characters they share: deterministic, without a model."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

SIZES = (1, 2, 3)
"""Lengths of the counted runs of characters."""


def grams(text: str) -> Counter[str]:
    """Runs of 1 to 3 characters of the text, in lower case, with how often each occurs."""
    low = text.lower()
    return Counter(
        low[start : start + size] for size in SIZES for start in range(len(low) - size + 1)
    )


class Similarity:
    """Cosine of character-gram vectors, weighted by how few of the texts a gram is in.

    weight = (1 + log count) x (1 + log((1 + D) / (1 + texts with the gram))), for D texts. The
    added 1 lets a gram that all texts have still count. Rows have length 1.

    Source:
        Salton and Buckley 1988, Information Processing and Management 24(5) (term weights), with
            smoothed inverse document frequency.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [grams(text) for text in texts]
        held = Counter(gram for counts in self._counts for gram in counts)
        self._index = {gram: index for index, gram in enumerate(sorted(held))}
        self._rarity = {
            gram: 1 + math.log((1 + len(texts)) / (1 + number)) for gram, number in held.items()
        }
        self._row_DF = (
            np.stack([self._vector(counts) for counts in self._counts])
            if texts
            else np.zeros((0, 0))
        )

    def _vector(self, counts: Counter[str]) -> np.ndarray:
        vector_F = np.zeros(len(self._index))
        for gram, number in counts.items():
            if gram in self._index:
                vector_F[self._index[gram]] = (1 + math.log(number)) * self._rarity[gram]
        length = float(np.linalg.norm(vector_F))
        return vector_F / length if length else vector_F

    def to(self, query: str) -> list[float]:
        """Cosine of each text with the query, in [0, 1]; the query's grams that no text has are
        ignored.
        """
        return [float(value) for value in self._row_DF @ self._vector(grams(query))]
