"""What WeightChange, Agreement and Subnetwork say of updates made by hand."""

import math
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from checks import POLICY, Check
from safetensors.torch import save_file
from torch import Tensor

from rewardscope import Learner, Subnetwork
from rewardscope.policy import Policy, Sampling, pack, sample
from rewardscope.policy.weights import PolicyWeights
from rewardscope.probes.agreement import Agreement, agreements
from rewardscope.probes.geometry import Geometry, Untrained
from rewardscope.probes.weight_change import Change, change_of
from rewardscope.seeds import generator
from rewardscope.tensors import TokenCredit
from rewardscope.types import Grade, Problem, Rollout

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
    yield from _subnetworks(partial(Check, "Subnetwork"))


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


def _subnetworks(check: Callable[..., Check]) -> Checks:
    """A task that one row of the output layer can do: one token, made likelier; and masks with and
    without that row.
    """
    text = "s"
    token = POLICY.encode(text)[-1]
    start = {
        name: parameter.detach().clone() for name, parameter in POLICY.model.named_parameters()
    }
    head = next(
        name
        for name, parameter in POLICY.model.named_parameters()
        if parameter is POLICY.model.get_output_embeddings().weight
    )
    row = {name: torch.zeros_like(weight, dtype=torch.bool) for name, weight in start.items()}
    row[head][token] = True
    fields: list[tuple[str, str, Callable[[Tensor], Tensor] | None, float, float]] = [
        (
            "sensitivity",
            "gain in log-probability of a token whose row may move alone",
            lambda mask: mask,
            0.1,
            10.0,
        ),
        ("null", "the same where nothing may move", torch.zeros_like, 0.0, 0.0),
    ]
    moved: dict[str, Policy] = {}
    for kind, what, change, low, high in fields:
        masks = {name: change(mask) if change else mask for name, mask in row.items()}
        policy = moved[kind] = POLICY.clone()
        yield check(kind, what, _taught(policy, token, masks), low, high, "8 updates")
    stray = sum(
        int(((parameter != start[name]) & ~row[name]).sum())
        for name, parameter in moved["sensitivity"].model.named_parameters()
    )
    yield check(
        "null",
        "entries that moved outside of that row",
        float(stray),
        0.0,
        0.0,
        f"{sum(w.numel() for w in start.values())} weights",
    )
    full, everything = POLICY.clone(), POLICY.clone()
    _taught(full, token, None)
    _taught(everything, token, {name: torch.ones_like(mask) for name, mask in row.items()})
    apart = sum(
        int((one != two).sum())
        for one, two in zip(full.model.parameters(), everything.model.parameters(), strict=True)
    )
    yield check(
        "null",
        "weights that a mask of everything ends elsewhere than full training",
        float(apart),
        0.0,
        0.0,
        "8 updates, weight decay 0.1",
    )
    with tempfile.TemporaryDirectory() as folder:
        save_file(
            {name: parameter.detach().clone() for name, parameter in full.model.named_parameters()},
            Path(folder) / "model.safetensors",
        )
        masks = Subnetwork(((0, folder),), "changed", "largest", 0.1).masks(
            PolicyWeights(POLICY), 0
        )
        random = Subnetwork(((0, folder),), "random", "largest", 0.1).masks(
            PolicyWeights(POLICY), 0
        )
    gains = [_taught(POLICY.clone(), token, chosen) for chosen in (masks, random)]
    yield check(
        "sensitivity",
        "gain of the tenth that full training moved most, over that of a random tenth",
        gains[0] / gains[1],
        1.05,
        10.0,
        "8 updates",
    )


def _taught(policy: Policy, token: int, masks: dict[str, Tensor] | None) -> float:
    """How much likelier, in nats, the token became at the start of a completion."""
    problem, learner = (
        Problem("0" * 16, "Chain", "3+4*2?", "1"),
        Learner(learning_rate=1e-3, weight_decay=0.1),
    )
    (completions,) = sample(
        policy, [problem.prompt], 16, Sampling(max_tokens=1), [("validation", "subnetwork")]
    )
    batch = pack(
        policy,
        [Rollout(problem, 0, completions, tuple(Grade(None, None, False) for _ in completions))],
        1.0,
    )
    wanted_NT = (batch.token_NT == token) & batch.mask_NT
    optimizer = learner.optimizer(policy, masks)
    before = _logprob(policy, problem.prompt, token)
    for step in range(8):
        credit = TokenCredit(wanted_NT.float() - wanted_NT.float().mean())
        learner.update(policy, optimizer, batch, credit, None, 1, ("validation", step))
    return _logprob(policy, problem.prompt, token) - before


@torch.no_grad()
def _logprob(policy: Policy, prompt: str, token: int) -> float:
    logits = policy.model(input_ids=torch.tensor([policy.encode(prompt)])).logits[0, -1]
    return float(logits.log_softmax(0)[token])
