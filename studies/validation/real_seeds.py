"""Do intervals from a few real seeds hold what all seeds of a run say?

    .venv/bin/python studies/validation/real_seeds.py RUN [SEEDS ...]

Of a run with many seeds, every choice of 3 and of 5 (or of the numbers given) is judged as if it
were all there is. A claim's interval should hold the mean over all seeds in at least 95 % of the
choices: somewhat more than that, since the seeds are drawn from these few without replacement and
the problems are the same. ``rewardscope run`` the tour with ``seeds=range(8)`` for such a run.
"""

import itertools
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rewardscope.judging.claims import judge, read_claims
from rewardscope.store import RunDirectory
from rewardscope.types import Measurement, Verdict

SIZES = (3, 5)


def judged(
    record: dict[str, object], rows: list[Measurement], seeds: tuple[int, ...]
) -> list[Verdict]:
    """The verdicts of these seeds alone."""
    kept = [row for row in rows if row.seed is None or row.seed in seeds]
    return judge({**record, "seeds": list(seeds)}, kept)


def main(root: Path, sizes: tuple[int, ...]) -> None:
    """Prints for each claim and size how many choices hold the mean of all, and what they say."""
    run = RunDirectory(root)
    record = run.record()
    rows = run.measurements(metrics={claim.metric for claim in read_claims(record)})
    seeds = tuple(int(seed) for seed in record["seeds"])
    whole = judged(record, rows, seeds)
    table = Table("claim", "of all", "seeds", "hold it", "mean width", "outcomes")
    for size in sizes:
        found = [judged(record, rows, chosen) for chosen in itertools.combinations(seeds, size)]
        for place, verdict in enumerate(whole):
            some = [verdicts[place] for verdicts in found]
            known = [v for v in some if v.lower is not None and v.upper is not None]
            if verdict.estimate is None or not known:
                continue
            held = sum(v.lower <= verdict.estimate <= v.upper for v in known)  # type: ignore[operator]
            width = sum(v.upper - v.lower for v in known) / len(known)  # type: ignore[operator]
            outcomes = Counter(v.outcome.value for v in some)
            told = ", ".join(f"{name} {count}" for name, count in outcomes.items())
            table.add_row(
                verdict.claim.sentence,
                f"{verdict.estimate:+.3f}",
                f"{size} of {len(seeds)}",
                f"{held} of {len(known)}",
                f"{width:.3f}",
                told,
            )
    Console().print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(map(int, sys.argv[2:])) or SIZES)
