"""What a study's fields may be given, before anything in them is asked."""

from collections.abc import Iterable
from typing import Any

from rewardscope.conformance import check_members, check_record, instead, line_of
from rewardscope.errors import StudyError
from rewardscope.judging.boundary import powers_of_two
from rewardscope.probes import Probe
from rewardscope.probes.boundary import Boundary
from rewardscope.registry import is_guest, name_of
from rewardscope.training import Arm
from rewardscope.types import Claim

EXAMPLES = {
    "arms": (Arm, "(Arm(...), Arm(...))"),
    "seeds": (int, "(0, 1, 2)"),
    "claims": (Claim, "(Claim(...), Claim(...))"),
    "probes": (object, "(Boundary(), Behaviour())"),
}
"""Field of a study -> what it holds several of, and how that is written."""
PROBE = {
    "metrics": 'metrics: ClassVar[tuple[str, ...]] = ("mine/share",)',
    "measure": "def measure(self, subject): return [subject.row(...)]",
}
"""Member of a probe -> a line that provides it."""
PER_DRAWS = ("boundary/pass_at_k", "boundary/pass_at_k_strict", "boundary/vote_at_k")
"""Metrics whose rows say of how many draws they are."""


def several(field: str, given: Any) -> tuple[Any, ...]:
    """The field's value as the tuple it has to be; a list will do.

    Raises:
        StudyError: If it is one thing instead of several, or holds something else.
    """
    kind, example = EXAMPLES[field]
    what = kind.__name__ if kind is not object else "probe"
    if not isinstance(given, (tuple, list)):
        alone = _short(given) if isinstance(given, kind) and kind is int else f"{what}(...)"
        raise StudyError(
            f"A study's {field} are several, even if there is one",
            value=f"{field}={_short(given)}, of type {type(given).__name__}",
            allowed=f"a tuple of {what}s",
            do=f"Write {field}={example}, or for one alone {field}=({alone},) with its comma",
        )
    for each in given:
        if isinstance(each, (type, bool)) or not isinstance(each, kind):
            raise StudyError(
                f"A study's {field} hold something else than {what}s",
                value=f"{_short(each)}, of type {type(each).__name__}",
                allowed=f"a tuple of {what}s",
                do=f"Write {field}={example}",
            )
    return tuple(given)


def check_instance(field: str, given: object, kind: type) -> None:
    """Refuses a field's value of another type.

    Raises:
        StudyError: With the line that was most likely meant.
    """
    if isinstance(given, type) or not isinstance(given, kind):
        raise StudyError(
            f"A study cannot take this as its {field}",
            value=f"{field}={_short(given)}, of type {type(given).__name__}",
            allowed=f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}",
            do=f"Write {instead(field, given, kind)}"
            if not isinstance(given, str)
            else f"Write {field}={kind.__name__}(...)",
        )


def check_probes(probes: Iterable[Probe]) -> None:
    """Refuses probes that lack a member, could not be written down, or make the same metric.

    Raises:
        RewardscopeError: With the probe's file and line.
    """
    probes = tuple(probes)
    for probe in probes:
        if isinstance(probe, type) or not is_guest(name_of(type(probe))):
            continue
        check_members(probe, PROBE, "Probe")
        check_record(probe, "probes")
        metrics: object = probe.metrics
        if not isinstance(metrics, tuple) or not all(
            isinstance(each, str) and "/" in each for each in metrics
        ):
            raise StudyError(
                f"{type(probe).__name__}.metrics is not what it has to be",
                value=f"metrics = {metrics!r}",
                allowed="a tuple of names, each with the probe before a slash",
                do=f"Write, for instance, `{PROBE['metrics']}`",
                where=line_of(type(probe)),
            )
    makers: dict[str, Probe] = {}
    for probe in probes:
        if isinstance(probe, type):
            continue
        for metric in probe.metrics:
            other = makers.setdefault(metric, probe)
            if other is probe:
                continue
            guests = [each for each in (probe, other) if is_guest(name_of(type(each)))]
            raise StudyError(
                "Two probes of the study make the same metric, so its rows would be mixed",
                value=f"{metric} of {type(other).__name__} and of {type(probe).__name__}",
                allowed="every metric from one probe",
                do="Remove one of the probes, or rename its metric",
                where=line_of(type(guests[0])) if guests else "",
            )


def check_draws(claim: Claim, probes: Iterable[Probe], draws: int) -> None:
    """Refuses a claim about more draws, or other numbers of them, than the study makes rows of.

    Raises:
        StudyError: With the numbers there will be.
    """
    if claim.metric not in PER_DRAWS:
        return
    known = [
        str(k)
        for probe in probes
        if isinstance(probe, Boundary)
        for k in powers_of_two(min(probe.max_k, draws))
    ]
    if known and claim.labels.get("k") not in known:
        given = f"labels={dict(claim.labels)}" if claim.labels else "no labels"
        raise StudyError(
            f"A claim about {claim.metric} has to say of how many draws, and the study has no "
            "row for that",
            value=f"{given}, with Evaluation(draws={draws}), in '{claim.sentence}'",
            allowed=f"k one of {', '.join(known)}",
            do=f'Write labels={{"k": "{known[0]}"}}, or raise draws in Evaluation',
        )


def _short(value: object, most: int = 80) -> str:
    text = value.__name__ if isinstance(value, type) else repr(value)
    return text if len(text) <= most else text[:most] + " ..."
