"""Which texts are about the same thing, by the characters they share: deterministic, and no model
is asked.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

SIZES = (1, 2, 3)
"""Lengths of the runs of characters that are counted."""


def grams(text: str) -> Counter[str]:
    """Runs of 1 to 3 characters of the text, in lower case, with how often each occurs."""
    low = text.lower()
    return Counter(
        low[start : start + size] for size in SIZES for start in range(len(low) - size + 1)
    )


class Similarity:
    """Cosine of character-gram vectors, weighted by how few of the texts a gram is in.

    weight = (1 + log count) x log((1 + D) / (1 + texts that hold the gram)) + the same with 1 for
    the logarithm, so that a gram that all hold still counts; rows have length 1.

    Source:
        Salton and Buckley 1988, Information Processing and Management 24(5) (term weights), with
            smoothed inverse document frequency.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [grams(text) for text in texts]
        held = Counter(gram for counts in self._counts for gram in counts)
        self._place = {gram: place for place, gram in enumerate(sorted(held))}
        self._rarity = {
            gram: 1 + math.log((1 + len(texts)) / (1 + number)) for gram, number in held.items()
        }
        self._row_DF = (
            np.stack([self._vector(counts) for counts in self._counts])
            if texts
            else np.zeros((0, 0))
        )

    def _vector(self, counts: Counter[str]) -> np.ndarray:
        vector_F = np.zeros(len(self._place))
        for gram, number in counts.items():
            if gram in self._place:
                vector_F[self._place[gram]] = (1 + math.log(number)) * self._rarity[gram]
        length = float(np.linalg.norm(vector_F))
        return vector_F / length if length else vector_F

    def to(self, query: str) -> list[float]:
        """Cosine of each text with the query, in [0, 1]; grams that no text holds are left out of
        the query.
        """
        return [float(value) for value in self._row_DF @ self._vector(grams(query))]
