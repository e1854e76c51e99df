"""What nobody expected: refuted claims, placebos that moved, and large changes without a claim."""

import polars as pl

from rewardscope.report.answer.contrasts import main_contrasts, metric_name, metric_of, reward_name
from rewardscope.report.answer.limits import quoted
from rewardscope.report.answer.means import mean, placebos_of, seeds_text, treatments_of
from rewardscope.report.answer.notes import Name, Notes, Said, claim_cite, said
from rewardscope.report.rows import Run
from rewardscope.report.wording import METRIC_TEXT, number, signed
from rewardscope.types import Outcome

MOST_REFUTED = 3
SHARES = {
    "behaviour/strategy_share": ("strategy",),
    "behaviour/shown_share": ("behaviour",),
    "behaviour/ending_share": ("ending",),
    "behaviour/well_formed_share": (),
}
"""Shares whose change the last rule looks at, with their labels."""


def surprises(run: Run, notes: Notes) -> list[Said]:
    """What nobody expected, in three parts.

    Refuted claims that the headline does not tell. Placebos of which two seeds or more changed
    first-try accuracy beyond their own intervals. The largest change of a share that no claim is
    about, where it exceeds every change that a claim is about.
    """
    return [*_refuted(run), *_moved_placebos(run, notes), *_unclaimed(run, notes)]


def _refuted(run: Run) -> list[Said]:
    told = {contrast.index for contrast in main_contrasts(run.verdicts, run.arms)}
    found = [
        (index, verdict)
        for index, verdict in enumerate(run.verdicts)
        if verdict.outcome is Outcome.REFUTED and index not in told
    ]
    sentences = []
    for index, verdict in found[:MOST_REFUTED]:
        claim = verdict.claim
        control = "before training" if claim.control == "base" else "in "
        name = None if claim.control == "base" else Name(claim.control)
        against = f"{number(verdict.control_mean)} {control}"
        sentences.append(
            said(
                f"A claim was refuted: {quoted(claim)}. ",
                f"{_upper(metric_name(claim))} is {number(verdict.treatment_mean)} in ",
                Name(claim.treatment),
                f", {against}",
                name,
                claim_cite(index, verdict),
                ".",
            )
        )
    if len(found) > MOST_REFUTED:
        sentences.append(said(f"{len(found) - MOST_REFUTED} more claims were refuted."))
    return sentences


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _moved_placebos(run: Run, notes: Notes) -> list[Said]:
    sentences = []
    for start in run.starts:
        for arm in placebos_of(run, start):
            rows = (
                run.metric("boundary/difference")
                .filter(
                    (pl.col("arm") == arm.name)
                    & (pl.col("k") == "1")
                    & pl.col("value").is_not_null()
                )
                .sort("seed")
            )
            ends = list(zip(rows["lower"], rows["upper"], strict=True))
            moved = [
                value
                for value, (low, high) in zip(rows["value"], ends, strict=True)
                if low is not None and high is not None and (low > 0 or high < 0)
            ]
            if len(moved) < min(2, rows.height) or not moved:
                continue
            name = reward_name([arm.name], run.arms) or "The placebo"
            changes = _listed([signed(value) for value in moved])
            cite = notes.letter("boundary/difference", f"k 1, {seeds_text(arm)}", "boundary")
            runs = f"{len(moved)} of {rows.height} runs changed"
            verb = "are" if name.endswith("s") else "is"
            sentences.append(
                said(
                    f"{_upper(name)} {verb} not inert in ",
                    Name(start),
                    f": {runs} first-try accuracy by more than the draw of problems explains "
                    f"({changes})",
                    cite,
                    ".",
                )
            )
    return sentences


def _listed(texts: list[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _unclaimed(run: Run, notes: Notes) -> list[Said]:
    if not run.verdicts:
        return []
    claimed = {metric_of(verdict.claim) for verdict in run.verdicts}
    bar = max(
        (abs(v.estimate) for v in run.verdicts if v.estimate is not None and "share" in v.unit),
        default=1.0,
    )
    best: tuple[float, str, str, dict[str, str], float, float] | None = None
    for metric, names in SHARES.items():
        frame = run.metric(metric)
        if not set(names) <= set(frame.columns):
            continue
        for labels in frame.select(names).unique(maintain_order=True).to_dicts() if names else [{}]:
            if None in labels.values() or (metric, tuple(sorted(labels.items()))) in claimed:
                continue
            for start in run.starts:
                for arm in treatments_of(run, start):
                    change = _apart(run, start, arm.name, metric, labels)
                    if change and abs(change[0] - change[1]) > (best[0] if best else bar):
                        size = abs(change[0] - change[1])
                        best = (size, arm.name, metric, labels, *change)
    if best is None:
        return []
    _, name, metric, labels, now, placebo = best
    text = METRIC_TEXT.get(metric, metric.split("/")[-1].replace("_", " "))
    text = text.format_map(labels) if "{" in text else " ".join([text, *labels.values()])
    arm = next(arm for arm in run.arms if arm.name == name)
    of = "".join(f"{key} {value}, " for key, value in labels.items()) + seeds_text(arm)
    cite = notes.letter(metric, of, "formats")
    return [
        said(
            f"The largest change has no claim: the {text} is {number(now)} in ",
            Name(name),
            f" and {number(placebo)} under its placebo",
            cite,
            ".",
        )
    ]


def _apart(
    run: Run, start: str, arm: str, metric: str, labels: dict[str, str]
) -> tuple[float, float] | None:
    """Means of the arm and of its placebos, where all their seeds lie apart."""
    now = run.values(arm, metric, labels)
    others = [
        value
        for placebo in placebos_of(run, start)
        for value in run.values(placebo.name, metric, labels)
    ]
    if len(now) < 2 or len(others) < 2:
        return None
    if not (min(now) > max(others) or max(now) < min(others)):
        return None
    first, second = mean(now), mean(others)
    return None if first is None or second is None else (first, second)
