"""What WeightChange and Agreement say of updates made by hand."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from checks import Check
from torch import Tensor

from rewardscope.probes.agreement import Agreement, above_null, agreements
from rewardscope.probes.geometry import Geometry, Untrained
from rewardscope.probes.weight_change import Change, change_of
from rewardscope.seeds import generator

SIZE = 512
SQUARE = f"{SIZE} x {SIZE}"
Checks = Iterator[Check]


def normal(name: str, *shape: int) -> Tensor:
    """Standard normal numbers by name."""
    return torch.from_numpy(
        generator("validation", "weights", name).normal(0, 1, shape or (SIZE, SIZE))
    ).float()


START = (0.02 * normal("start")).bfloat16().float()
DENSITY = 0.37
"""Of the updates whose overlap over seeds Mukherjee et al. report: 0.605 one-sided, where chance
alone gives 0.367.
"""
MASK = torch.from_numpy(generator("validation", "mask").random((SIZE, SIZE)) < 0.12)


def noise_at(density: float, name: str) -> Tensor:
    """Noise by name, scaled until bfloat16 stores that share of it."""
    noise, low, high = normal(name), 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        share = float(((START + middle * noise).bfloat16() != START.bfloat16()).float().mean())
        low, high = (middle, high) if share < density else (low, middle)
    return high * noise


class Tensors:
    """A checkpoint of one matrix."""

    def __init__(self, tensor: Tensor) -> None:
        self.one = tensor

    def names(self) -> list[str]:
        """Its name."""
        return ["w"]

    def tensor(self, name: str) -> Tensor:
        """The matrix."""
        return self.one


def weights() -> Checks:
    """Updates of known rank, density and place, turns by known angles, and noise of no place at
    all.
    """
    yield from _sizes(partial(Check, "WeightChange"))
    yield from _places(partial(Check, "WeightChange"))
    yield from _pairs(partial(Check, "Agreement"))
    yield from _scales(partial(Check, "Agreement"))


def _change(before: Tensor, after: Tensor) -> Change:
    return change_of(Untrained("w", before), after)


def _geometry(before: Tensor, after: Tensor) -> Geometry:
    found = _change(before, after).geometry
    assert found is not None
    return found


def _sizes(check: Callable[..., Check]) -> Checks:
    low = _change(START, START + 1e-5 * normal("left", SIZE, 3) @ normal("right", 3, SIZE))
    yield check(
        "sensitivity",
        "rank of a rank-3 update of entries near 1e-5",
        low.rank_share["float32"] * SIZE,
        3.0,
        3.0,
        SQUARE,
    )
    sparse = _change(START, START + 0.01 * MASK)
    share = sparse.changed["bfloat16"] / sparse.size - float(MASK.float().mean())
    yield check(
        "sensitivity", "share of a 12 % dense update, less the truth", share, -0.001, 0.001, SQUARE
    )
    nothing = _change(START, START.clone())
    yield check(
        "null", "changed entries of a copy", float(max(nothing.changed.values())), 0.0, 0.0, SQUARE
    )


def _places(check: Callable[..., Check]) -> Checks:
    left, _, right = torch.linalg.svd(normal("frame").double())
    value = torch.cat(
        [torch.linspace(40, 25, 16), torch.linspace(2, 0.1, SIZE - 16)]
    ).double()  # an open gap behind the 16th
    held = (left * value @ right).float()
    for degrees in (0.5, 10.0):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        new = left.clone()
        new[:, 3], new[:, 40] = (
            cos * left[:, 3] + sin * left[:, 40],
            cos * left[:, 40] - sin * left[:, 3],
        )
        found = _geometry(held, (new * value @ right).float())
        angle, other = found.angles["left"]["largest"], found.angles["right"]["largest"]
        yield check(
            "sensitivity",
            f"left angle of a turn by {degrees:g} degrees, less the truth",
            angle - degrees,
            -0.01,
            0.01,
            SQUARE,
        )
        yield check(
            "null", f"right angle of that turn by {degrees:g} degrees", other, 0.0, 0.01, SQUARE
        )
        yield check(
            "null",
            f"NSS of that turn by {degrees:g} degrees, which keeps the spectrum",
            found.spectral_change or 0.0,
            0.0,
            1e-6,
            SQUARE,
        )
    stretched = _geometry(held, (left * value * 1.02 @ right).float())
    yield check(
        "sensitivity",
        "NSS of weights made 2 % larger",
        stretched.spectral_change or 0.0,
        0.0199,
        0.0201,
        SQUARE,
    )
    noise = 0.02 * normal("noise")
    bound = math.degrees(math.asin(1 / (_geometry(held, held + noise).gap_over_update or 1.0)))
    angle = _geometry(held, held + noise).angles["left"]["largest"]
    yield check(
        "null",
        "angle of noise at an open gap, over what Wedin allows",
        angle / bound,
        0.0,
        1.0,
        SQUARE,
    )
    ratio = _geometry(START, START + 1e-3 * normal("one")).gap_over_update or 0.0
    yield check(
        "null",
        "gap over update of noise at a spectrum without a gap to speak of",
        ratio,
        0.0,
        1.0,
        SQUARE,
    )
    loose, where = (
        _geometry(START, START + noise_at(DENSITY, "one")),
        f"density {DENSITY}, {SQUARE}",
    )
    for mask in ("principal", "low"):
        inside = loose.inside[mask]
        apart = (inside.share or 0.0) - (inside.shuffled or 0.0)
        yield check(
            "null",
            f"overlap of noise with the {mask} 30 %, less its shuffled null",
            apart,
            -0.01,
            0.01,
            where,
        )
    yield check(
        "sensitivity",
        "the same with the low 30 %, which the storage makes",
        loose.inside["low"].share or 0.0,
        0.62,
        0.65,
        where,
    )
    for mask, place in Untrained("w", START).masks.items():
        counts = _geometry(START, START + 0.01 * place).inside[mask]
        above = (counts.share or 0.0) - (counts.shuffled or 0.0)
        yield check(
            "sensitivity",
            f"update planted in the {mask} 30 %, above its null",
            above,
            0.6,
            0.75,
            SQUARE,
        )


def _pair(one: Tensor, two: Tensor) -> Agreement:
    (pair,) = agreements(Tensors(START), {"one": Tensors(START + one), "two": Tensors(START + two)})
    return pair


def _pairs(check: Callable[..., Check]) -> Checks:
    pair = _pair(noise_at(DENSITY, "one"), noise_at(DENSITY, "two"))
    one_sided, null = pair.found.one_sided[0] or 0.0, pair.shuffled.one_sided[0] or 0.0
    density = f"density {pair.found.first / pair.found.size:.2f}, {SQUARE}"
    yield check(
        "sensitivity",
        "one-sided overlap of independent noise, where the uniform level is 0.37",
        one_sided,
        0.625,
        0.675,
        density,
    )
    yield check(
        "null",
        "one-sided overlap of independent noise, less that of the shuffled null",
        one_sided - null,
        -0.02,
        0.02,
        density,
    )
    again = (pair.resigned.one_sided[0] or 0.0) - one_sided
    yield check(
        "null", "the same of the re-signed null, less that found", again, -0.02, 0.02, density
    )
    yield check(
        "null",
        "overlap of the largest tenth of independent noise",
        pair.found.top_share or 0.0,
        0.09,
        0.11,
        density,
    )
    yield check(
        "null",
        "shared entries of independent noise that moved alike",
        pair.found.sign_share or 0.0,
        0.48,
        0.52,
        density,
    )
    pair = _pair(0.01 * MASK * normal("one"), 0.01 * MASK * normal("two"))
    above = (pair.found.one_sided[0] or 0.0) - (pair.shuffled.one_sided[0] or 0.0)
    yield check(
        "sensitivity",
        "updates planted in one place, one-sided above the null",
        above,
        0.7,
        1.0,
        SQUARE,
    )
    pair = _pair(1e-3 * normal("one"), 1e-3 * normal("one") + 1e-5 * normal("two"))
    yield check(
        "sensitivity",
        "shared entries that moved alike, of one update twice",
        pair.found.sign_share or 0.0,
        0.95,
        1.0,
        SQUARE,
    )
    yield check(
        "null",
        "the same with signs drawn anew",
        pair.resigned.sign_share or 0.0,
        0.48,
        0.52,
        SQUARE,
    )


BEFORE = {("null", "top_share"): 0.202, ("sensitivity", "top_share"): 0.496}
"""Above the plain shuffle, which was the only null of the places."""


def _scales(check: Callable[..., Check]) -> Checks:
    """Noise whose rows and columns have scales in common, and no entry beyond that."""
    scale = torch.exp(0.45 * torch.outer(normal("rows", SIZE), torch.ones(SIZE)))
    scale = scale * torch.exp(0.45 * normal("columns", SIZE))
    place = 1e-3 * scale * (1 + 9 * MASK)
    for kind, what, size, lowest, highest in (
        ("null", "noise that shares the scales of rows and columns", 1e-3 * scale, -0.02, 0.02),
        ("sensitivity", "the same, an eighth of the entries ten times as large", place, 0.3, 1.0),
    ):
        pair = _pair(size * normal("one"), size * normal("two"))
        shares = [getattr(pair, side).top_share for side in ("found", "shuffled", "rescaled")]
        text = "found {:.2f}, shuffled {:.2f}, with its scales {:.2f}".format(*shares)
        for statistic, name in (("top_share", "largest tenth"), ("jaccard", "Jaccard index")):
            above = above_null([pair], statistic)
            value = math.nan if above is None else above.value
            shown = f" ({text})" if statistic == "top_share" else ""
            if kind == "null" or statistic == "top_share":
                yield check(
                    kind,
                    f"{what}: {name} above the stricter null{shown}",
                    value,
                    lowest,
                    highest,
                    SQUARE,
                    BEFORE.get((kind, statistic)),
                )
