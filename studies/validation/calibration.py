"""What Calibration says of forecasters who are known."""

from collections.abc import Iterator

from checks import Check, evidence, group

from rewardscope.probes.calibration import Calibration
from rewardscope.seeds import generator


def calibration() -> Iterator[Check]:
    """A forecaster who knows the chance, and one who is 0.2 too sure."""
    random = generator("validation", "calibration")
    studies, zero, planted = 500, 0, 0
    for _ in range(studies):
        chance_P = random.uniform(0.1, 0.7, 64)
        drawn = random.random((64, 16)) < chance_P[:, None]
        for extra in (0.0, 0.2):
            rollouts = [
                group(i, [(float(p) + extra, bool(c), "7") for c in cs])
                for i, (p, cs) in enumerate(zip(chance_P, drawn, strict=True))
            ]
            rows = {
                r.metric: r
                for r in Calibration().measure(evidence(rollouts))
                if r.labels == {"view": "stated"}
            }
            if extra:
                row = rows["calibration/overconfidence"]
                planted += (row.lower or 0) <= extra <= (row.upper or 0)
            else:
                zero += rows["calibration/error"].lower == 0.0
    n = f"{studies} studies, 64 problems x 16 draws"
    yield Check(
        "Calibration",
        "null",
        "the error's interval of a forecaster who knows the chance begins at 0",
        zero / studies,
        0.93,
        1.0,
        n,
    )
    yield Check(
        "Calibration",
        "coverage",
        "the interval of overconfidence holds the 0.2 that was planted",
        planted / studies,
        0.93,
        0.97,
        n,
    )
