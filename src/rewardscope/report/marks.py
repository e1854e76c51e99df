"""How each arm is drawn: one colour everywhere, dashes and squares for placebos, grey for untrained
policies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewardscope.codec import canonical
from rewardscope.report.rows import Arm

UNTRAINED_COLOUR = "#7b818a"
TREATMENT_COLOURS = ("#1477ba", "#009e73", "#8f5fc4", "#3f8f9e", "#5f7d1f", "#4a63d0")
PLACEBO_COLOURS = ("#d55e00", "#b8860b", "#cc6699", "#a0522d", "#c0392b", "#8c7a3d")
"""After Okabe and Ito, darkened or lightened where needed for contrast with both white and
near-black. Shape and dash repeat the distinction.
"""
OTHER_COLOUR = "#98a0a8"
"""Of arms for which no hue is left: none is used twice."""
MANY = 8
"""Arms of a start that are drawn one by one; of more, placebos are a band and most lines grey."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one arm, or one untrained policy, looks."""

    name: str
    colour: str
    dash: tuple[int, ...]
    """Lengths of dash and gap in pixels; a solid line is (1, 0)."""
    shape: str
    """Vega-Lite point shape."""
    placebo: bool
    untrained: bool = False

    @property
    def label(self) -> str:
        """The name in figures; placebos are marked."""
        return (
            "untrained"
            if self.untrained
            else f"{self.name} (placebo)"
            if self.placebo
            else self.name
        )

    @property
    def dash_text(self) -> str:
        """The dash pattern as an SVG attribute."""
        return "none" if self.dash == (1, 0) else " ".join(map(str, self.dash))


PLACEBOS = Mark("the placebos", PLACEBO_COLOURS[0], (5, 3), "square", placebo=False)
"""The band of many placebos."""
OTHERS = Mark("other treatments", OTHER_COLOUR, (1, 0), "circle", placebo=False)
"""The grey lines of many treatments."""


def make_marks(arms: Sequence[Arm], telling: Sequence[str] = ()) -> dict[str, Mark]:
    """The mark of every arm and untrained policy by name.

    Arms that differ only in their start share a colour: they are the same treatment and are
    never drawn in one panel. Of more than :data:`MANY` arms of a start only the ``telling`` ones
    have a hue.
    """
    marks = {
        arm.base: Mark(arm.base, UNTRAINED_COLOUR, (1, 0), "diamond", placebo=False, untrained=True)
        for arm in arms
    }
    treatments: dict[bool, list[str]] = {False: [], True: []}
    for arm in arms:
        known = treatments[arm.placebo]
        treatment = _treatment(arm, arms)
        if treatment not in known:
            known.append(treatment)
        colours = PLACEBO_COLOURS if arm.placebo else TREATMENT_COLOURS
        place = known.index(treatment)
        if crowded([other for other in arms if other.start == arm.start]):
            place = telling.index(arm.name) if arm.name in telling else len(colours)
        colour = colours[place] if place < len(colours) else OTHER_COLOUR
        dash, shape = ((5, 3), "square") if arm.placebo else ((1, 0), "circle")
        marks[arm.name] = Mark(arm.name, colour, dash, shape, placebo=arm.placebo)
    return marks


def crowded(arms: Sequence[Arm]) -> bool:
    """Whether these arms of one start are too many to be drawn one by one."""
    return len(arms) > MANY


def without_band(arms: Sequence[Arm], marks: Mapping[str, Mark]) -> set[str]:
    """Those of the arms of a start that are drawn without a band of their own."""
    if not crowded(arms):
        return set()
    return {a.name for a in arms if a.placebo or marks[a.name].colour == OTHER_COLOUR}


def legend_marks(arms: Sequence[Arm], marks: Mapping[str, Mark]) -> list[Mark]:
    """What the legend of a start's arms names: each, or of many those with a hue, the band and the
    grey lines.
    """
    if not crowded(arms):
        return [marks[arm.name] for arm in arms]
    own = [marks[arm.name] for arm in arms if not arm.placebo]
    telling = [mark for mark in own if mark.colour != OTHER_COLOUR]
    others = [OTHERS] if len(telling) < len(own) else []
    return [*telling, *others, *([PLACEBOS] if any(arm.placebo for arm in arms) else [])]


def _treatment(arm: Arm, arms: Sequence[Arm]) -> str:
    """The treatment: the configuration without the arm's name and start, or the name where the
    configuration does not identify it.
    """
    text = _without_start(arm)
    twins = [
        other
        for other in arms
        if other.start == arm.start and other is not arm and _without_start(other) == text
    ]
    return arm.name if twins or not arm.config else text


def _without_start(arm: Arm) -> str:
    dropped = {"name", "start", "base", "policy", "placebo"}
    return canonical(
        _blank(
            {name: item for name, item in arm.config.items() if name not in dropped},
            {arm.name, arm.start},
        )
    )


def _blank(value: Any, names: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _blank(item, names) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blank(item, names) for item in value]
    return "*" if isinstance(value, str) and value in names else value
