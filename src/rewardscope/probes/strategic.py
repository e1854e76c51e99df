"""Strategic grams: mining them from correct completions, random grams to match as a null, and how
varied their use is at equal counts.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from rewardscope.errors import ComponentError
from rewardscope.policy.grams import gram_pattern
from rewardscope.seeds import generator

UNIT = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
"""A word, a number, or one other character."""
SENTENCE = re.compile(r"[.!?;:](?=\s|$)|\n")
DIGIT = re.compile(r"\d")
NEAREST = 5
"""Number of grams of the nearest frequency from which a random one is drawn."""


@dataclass(frozen=True)
class Miner:
    """Mines strategic grams: n-grams that many solutions use, each seldom inside one.

    Grams have ``shortest`` to ``longest`` words and no digits. They occur in at least
    ``least_share`` of the distinct correct completions, on average at most ``most_inside`` times in
    each of those. They are clustered by average linkage of the cosine distance of their character
    trigrams (TF-IDF), cut at ``apart``. Kept are the ``kept_share`` of clusters that occur in most
    completions, with all their grams.

    Source:
        Wang et al. 2025, arXiv:2509.03646, section 2.1: n from 3 to 5, top 20 %. Its sentence
            embedding, clusterer and threshold are not named and it filters by the number of
            solutions alone; "seldom inside one", which its text asks for, and no digits are ours.
    """

    shortest: int = 3
    longest: int = 5
    kept_share: float = 0.2
    apart: float = 0.3
    least_share: float = 0.02
    most_inside: float = 2.0
    most: int = 1500
    """Grams that are clustered, those in most solutions first; bounds memory to most^2 distances.
    """

    def __post_init__(self) -> None:
        if (
            not 1 <= self.shortest <= self.longest
            or not 0 < self.kept_share <= 1
            or self.most < 1
            or self.most_inside < 1
        ):
            raise ComponentError(
                "Miner cannot mine with these settings",
                value=self,
                allowed="1 <= shortest <= longest; 0 < kept_share <= 1; most, most_inside >= 1",
                do="Correct it in the study file",
            )

    def mine(self, texts: Sequence[str]) -> tuple[str, ...]:
        """The grams in lower case, sorted; none where nothing is common enough."""
        solutions = [
            Counter(g for g in grams_of(text, self.shortest, self.longest) if not DIGIT.search(g))
            for text in dict.fromkeys(texts)
        ]
        users: dict[str, set[int]] = {}
        total: Counter[str] = Counter()
        for index, counts in enumerate(solutions):
            total.update(counts)
            for gram in counts:
                users.setdefault(gram, set()).add(index)
        least = max(2.0, self.least_share * len(solutions))
        common = [
            gram
            for gram, solutions_with in users.items()
            if len(solutions_with) >= least
            and total[gram] <= self.most_inside * len(solutions_with)
        ]
        common = sorted(common, key=lambda gram: (-len(users[gram]), gram))[: self.most]
        clusters: dict[int, list[str]] = {}
        for gram, cluster in zip(common, self._clusters(common), strict=True):
            clusters.setdefault(cluster, []).append(gram)
        widest = sorted(
            clusters.values(),
            key=lambda grams: (-len(set().union(*(users[gram] for gram in grams))), grams),
        )
        return tuple(
            sorted(
                gram
                for grams in widest[: math.ceil(self.kept_share * len(widest))]
                for gram in grams
            )
        )

    def _clusters(self, grams: Sequence[str]) -> list[int]:
        if len(grams) < 2:
            return [0] * len(grams)
        trigrams = [Counter(f" {gram} "[i : i + 3] for i in range(len(gram))) for gram in grams]
        column = {trigram: index for index, trigram in enumerate(sorted(set().union(*trigrams)))}
        weight = np.zeros((len(grams), len(column)))
        for row, counts in enumerate(trigrams):
            weight[row, [column[trigram] for trigram in counts]] = list(counts.values())
        weight *= np.log(len(grams) / (weight > 0).sum(axis=0)) + 1
        weight /= np.linalg.norm(weight, axis=1, keepdims=True)
        distance = (1 - weight @ weight.T).clip(min=0)
        np.fill_diagonal(distance, 0)
        return [
            int(label)
            for label in fcluster(
                linkage(squareform(distance, checks=False), "average"), self.apart, "distance"
            )
        ]


def grams_of(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Every n-gram of words, numbers and other characters inside a sentence, in lower case, as it
    is written.

    >>> list(grams_of("So, 3+4. No", 2, 3))
    ['so,', ', 3', '3+', '+4', 'so, 3', ', 3+', '3+4']
    """
    for sentence in SENTENCE.split(text.lower()):
        spans = [match.span() for match in UNIT.finditer(sentence)]
        for n in range(shortest, longest + 1):
            yield from (
                sentence[spans[i][0] : spans[i + n - 1][1]] for i in range(len(spans) - n + 1)
            )


def random_grams(texts: Sequence[str], grams: Sequence[str], address: str) -> tuple[str, ...]:
    """For each gram another one of about its frequency in the texts; fewer where the texts have no
    more.

    They are drawn among n-grams of the same lengths from the text between uses of the grams. They
    show what the class would look like if any words of that frequency were called strategic.
    """
    if not grams:
        return ()
    lengths = [len(UNIT.findall(gram)) for gram in grams]
    pattern, used, total = gram_pattern(grams), Counter[str](), Counter[str]()
    for text in texts:
        used.update(use.lower() for use in pattern.findall(text))
        total.update(
            gram
            for piece in pattern.split(text)
            for gram in grams_of(piece, max(1, min(lengths)), max(lengths))
        )
    free = sorted(
        (gram for gram in total if gram not in grams), key=lambda gram: (total[gram], gram)
    )
    count_F = np.array([total[gram] for gram in free])
    random, drawn = generator("random grams", address), []
    for gram in sorted(grams):
        open_F = np.flatnonzero(count_F >= 0)
        if not len(open_F):
            break
        near = open_F[np.argsort(np.abs(count_F[open_F] - used[gram]), kind="stable")[:NEAREST]]
        index = int(near[int(random.integers(len(near)))])
        count_F[index] = -1
        drawn.append(free[index])
    return tuple(sorted(drawn))


def uses(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """(gram, the word, number or character after it) for each use in the text; empty after the
    last one.
    """
    pairs = []
    for use in pattern.finditer(text):
        follower = UNIT.search(text, use.end())
        pairs.append((use[0].lower(), follower[0].lower() if follower else ""))
    return pairs


def rarefied_entropy(count_SA: np.ndarray, k: int) -> np.ndarray:
    """Expected entropy (S,), in nats, of k uses drawn without replacement from S rows of counts by
    name; NaN where a row has fewer.

    E[-(x / k) log(x / k)] summed over names, x hypergeometric: the same expectation however many
    uses it was drawn from.

    Source:
        Hurlbert 1971, Ecology 52(4) (rarefaction), of the entropy.

    >>> float(rarefied_entropy(np.array([[2, 2]]), 2)[0].round(4)) == round(2 / 3 * math.log(2), 4)
    True
    """
    count_SA = np.asarray(count_SA, dtype=np.int64)
    total_S = count_SA.sum(axis=1)
    logs = np.concatenate(
        [[0.0], np.log(np.arange(1, int(total_S.max(initial=0)) + k + 1)).cumsum()]
    )  # log n!
    rest_SA, entropy_S = total_S[:, None] - count_SA, np.zeros(len(count_SA))
    with np.errstate(invalid="ignore"):
        all_S = (
            logs[total_S]
            - logs[k]
            - np.where(total_S >= k, logs[(total_S - k).clip(min=0)], np.nan)
        )
    for x in range(1, min(k, int(count_SA.max(initial=0))) + 1):
        inside_SA = (count_SA >= x) & (rest_SA >= k - x)
        left_SA, off_SA = (count_SA - x).clip(min=0), (rest_SA - k + x).clip(min=0)
        log_SA = (
            logs[count_SA]
            - logs[x]
            - logs[left_SA]
            + logs[rest_SA]
            - logs[k - x]
            - logs[off_SA]
            - all_S[:, None]
        )
        entropy_S -= (
            np.where(inside_SA, np.exp(np.where(inside_SA, log_SA, 0.0)), 0.0).sum(axis=1)
            * (x / k)
            * math.log(x / k)
        )
    return np.where(total_S >= k, entropy_S, np.nan)
