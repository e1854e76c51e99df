"""What a trained policy reaches beside its base, problem by problem, at equal numbers of draws."""

import numpy as np

from rewardscope.probes.base import Subject
from rewardscope.stats import Estimate, crossing_over_problems, curve_over_problems, mean_over_problems, pass_at_ks, ratio_over_problems
from rewardscope.types import Measurement, Rollout

DIFFERENCE = "share difference"
CLASSES = {(True, True): "preserved", (True, False): "shrunk", (False, True): "expanded", (False, False): "out_of_reach"}


def verdicts(rollout: Rollout, strict: bool) -> list[bool]:
    """What the graded draws of a problem came out as, in order; a draw that could not be graded is left out."""
    found = [grade.strict if strict else grade.correct for grade in rollout.grades]
    return [verdict for verdict in found if verdict is not None]


def difference_rows(subject: Subject, ks: list[int], strict: bool) -> list[Measurement]:
    """Trained minus base pass@k with one band over all k; for tolerant grading also where the base overtakes, and the sampling gap."""
    pairs = [
        (verdicts(base, strict), verdicts(trained, strict))
        for base, trained in zip(subject.base_rollouts or (), subject.rollouts, strict=True)
    ]
    usable = [pair for pair in pairs if min(map(len, pair)) >= ks[-1]]
    dropped, top = len(pairs) - len(usable), str(ks[-1])
    name = "boundary/difference_strict" if strict else "boundary/difference"
    if not usable:
        return [subject.row(name, DIFFERENCE, None, n=0, over="problems", labels={"k": str(k)}, dropped=dropped) for k in ks]
    base_PK, trained_PK = (pass_at_ks(np.array([len(p[i]) for p in usable]), np.array([sum(p[i]) for p in usable]), ks) for i in (0, 1))
    band = curve_over_problems(trained_PK - base_PK, address=name, bounds=(-1.0, 1.0))
    number = {"n": len(usable), "over": "problems", "dropped": dropped}
    rows = [subject.row(name, DIFFERENCE, at, labels={"k": str(k)}, **number) for k, at in zip(ks, band, strict=True)]  # type: ignore[arg-type]
    if strict:
        return rows
    place, share = crossing_over_problems(trained_PK - base_PK, ks, address="boundary/crossing")
    gap = mean_over_problems(list(base_PK[:, -1] - trained_PK[:, 0]), address="boundary/sampling_gap", bounds=(-1.0, 1.0))
    return [
        *rows,
        subject.row(
            "boundary/crossing_k", "draws", place, n=len(usable) if place else 0, over="problems", labels={"k": top}, dropped=dropped
        ),
        subject.row("boundary/crossing_share", "share", share, n=len(usable), over="problems", labels={"k": top}, dropped=dropped),
        subject.row("boundary/sampling_gap", DIFFERENCE, gap, labels={"k": top}, **number),  # type: ignore[arg-type]
    ]


def class_rows(subject: Subject) -> list[Measurement]:
    """How many problems were kept, lost, won, or are out of reach of both, and three shares made of them.

    Each problem is met with as many draws of the base as of the trained policy; k is their number where all could be graded.
    """
    pairs = [
        (verdicts(base, False), verdicts(trained, False))
        for base, trained in zip(subject.base_rollouts or (), subject.rollouts, strict=True)
    ]
    equal = [min(map(len, pair)) for pair in pairs]
    found = [CLASSES[any(base[:k]), any(trained[:k])] for (base, trained), k in zip(pairs, equal, strict=True) if k]
    labels, dropped = {"k": str(max(equal, default=0))}, equal.count(0)
    rows = [
        subject.row(
            "boundary/problems", "problems", float(found.count(name)) if found else None, n=len(found), over="problems",
            labels={**labels, "class": name}, dropped=dropped,
        )
        for name in CLASSES.values()
    ]  # fmt: skip
    shares = {
        "boundary/support_retention": ({"preserved": 1.0}, {"preserved", "shrunk"}, (0.0, 1.0)),
        "boundary/discovery": ({"expanded": 1.0}, {"preserved", "expanded"}, (0.0, 1.0)),
        "boundary/support_change": ({"expanded": 1.0, "shrunk": -1.0}, {"preserved", "expanded", "shrunk"}, (-1.0, 1.0)),
    }
    for metric, (points, among, bounds) in shares.items():
        numerator, denominator = [points.get(name, 0.0) for name in found], [float(name in among) for name in found]
        unit = "share" if bounds[0] == 0 else DIFFERENCE
        estimate: Estimate | None = None
        if sum(denominator):
            estimate = ratio_over_problems(numerator, denominator, address=metric, bounds=bounds)
        rows.append(subject.row(metric, unit, estimate, n=int(sum(denominator)), over="problems", labels=labels, dropped=dropped))
    return rows
