"""The price: what the treatment lost that neither the untrained policy nor the placebo lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rewardscope.report.answer.contrasts import Contrast, reward_name
from rewardscope.report.answer.how import named_arms
from rewardscope.report.answer.means import mean, placebos_of, seeds_text, untrained
from rewardscope.report.answer.notes import Name, Notes, Said, said
from rewardscope.report.rows import Arm, Run
from rewardscope.report.wording import number


@dataclass(frozen=True, slots=True)
class Loss:
    """A metric that training can make worse."""

    metric: str
    rises: bool
    """Whether a rise is the loss."""
    section: str
    text: str
    """The sentence; {now}, {was} and the largest {k} are filled in."""
    labels: Mapping[str, str] = field(default_factory=dict)
    every_k: bool = False
    of: str = "diversity"
    """What is lost, in a word."""


LOSSES = (
    Loss(
        "diversity/distinct_answers",
        rises=False,
        section="diversity",
        every_k=True,
        text="{k} draws now hold {now} different answers, before {was}",
    ),
    Loss(
        "calibration/error",
        rises=True,
        section="calibration",
        text="the calibration error rose from {was} to {now}",
        labels={"view": "sequence"},
        of="calibration",
    ),
    Loss(
        "behaviour/length_tokens",
        rises=True,
        section="formats",
        text="a completion takes {now} tokens, before {was}",
        of="brevity",
    ),
    Loss(
        "losses/base_text_perplexity",
        rises=True,
        section="diversity",
        text="perplexity on the untrained policy's own text rose from {was} to {now}",
        of="retention",
    ),
    Loss(
        "losses/text_perplexity",
        rises=True,
        section="diversity",
        text="perplexity on ordinary text rose from {was} to {now}",
        of="retention",
    ),
    Loss(
        "boundary/pass_at_k",
        rises=False,
        section="boundary",
        every_k=True,
        text="pass@{k} fell from {was} to {now}",
        of="reach",
    ),
)


@dataclass(frozen=True, slots=True)
class _Found:
    size: float
    """Relative loss."""
    loss: Loss
    labels: Mapping[str, str]
    now: float
    was: float
    placebo: float | None


def price(run: Run, contrasts: Sequence[Contrast], notes: Notes) -> list[Said]:
    """The largest relative loss of each named arm, where all its seeds lie on the losing side of
    the untrained policy and of every seed of its placebos. It is described, not tested.
    """
    arms, _ = named_arms(run, contrasts)
    sentences: list[Said] = []
    for arm in arms:
        found = [entry for loss in LOSSES if (entry := _lost(run, arm, loss))]
        if found:
            largest = max(found, key=lambda entry: entry.size)
            sentences.append(_sentence(run, arm, largest, notes, several=len(arms) > 1))
    if sentences:
        return sentences
    known = dict.fromkeys(loss.of for loss in LOSSES for arm in arms if _known(run, arm, loss))
    if not known:
        return []
    if all(len(arm.cells) < 2 for arm in arms):
        return [said("One seed cannot set a loss apart from chance.")]
    return [
        said(
            f"No loss of {_listed(list(known))} sets all seeds of a treatment apart from both the "
            "untrained policy and the placebo."
        )
    ]


def _listed(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _labels(run: Run, arm: Arm, loss: Loss) -> Mapping[str, str]:
    """The loss's labels, with the largest k where it has one."""
    if not loss.every_k:
        return loss.labels
    ks = run.metric(loss.metric)["k"].drop_nulls().unique().to_list()
    whole = [int(k) for k in ks if k.isdecimal()]
    return {**loss.labels, "k": str(max(whole))} if whole else loss.labels


def _known(run: Run, arm: Arm, loss: Loss) -> bool:
    """Whether the loss can be looked for: pass@1 is the gain, and no part of the price."""
    labels = _labels(run, arm, loss)
    of_many = labels.get("k") != "1"
    untrained_value = untrained(run, arm, loss.metric, labels)
    return of_many and bool(untrained_value and run.values(arm.name, loss.metric, labels))


def _lost(run: Run, arm: Arm, loss: Loss) -> _Found | None:
    labels = _labels(run, arm, loss)
    now, was = (
        run.values(arm.name, loss.metric, labels),
        untrained(run, arm, loss.metric, labels),
    )
    if len(now) < 2 or not was or not _known(run, arm, loss):
        return None
    others = [
        value
        for placebo in placebos_of(run, arm.start)
        for value in run.values(placebo.name, loss.metric, labels)
    ]
    apart = min(now) > max([was, *others]) if loss.rises else max(now) < min([was, *others])
    middle = sum(now) / len(now)
    return (
        _Found(abs(middle - was) / abs(was), loss, labels, middle, was, mean(others))
        if apart
        else None
    )


def _sentence(run: Run, arm: Arm, found: _Found, notes: Notes, *, several: bool) -> Said:
    text = found.loss.text.format(
        now=_short(found.now), was=_short(found.was), k=found.labels.get("k", "")
    )
    placebos = placebos_of(run, arm.start)
    of = "; ".join(seeds_text(other) for other in (arm, *placebos))
    labels = "".join(f"{name} {value}, " for name, value in found.labels.items())
    name = reward_name([p.name for p in placebos], run.arms) or "the placebo"
    against = f"; under {name} {_short(found.placebo)}" if found.placebo is not None else ""
    cite = notes.letter(found.loss.metric, f"{labels}{arm.base}; {of}", found.loss.section)
    if several:
        return said(
            "In ",
            Name(arm.start if len({a.start for a in run.arms}) > 1 else arm.name),
            f", {text}{against}",
            cite,
            ".",
        )
    return said(f"{text[0].upper()}{text[1:]}{against}", cite, ".")


def _short(value: float | None) -> str:
    """One decimal from 1 on, otherwise three digits."""
    return number(value) if value is None or abs(value) < 1 else f"{value:,.1f}".replace(",", " ")
