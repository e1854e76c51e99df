"""What Subnetwork makes of a task that one row can do, and of noise that there is nothing to learn
from.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from checks import POLICY, Check
from safetensors.torch import save_file
from torch import Tensor

from rewardscope import Learner, Subnetwork
from rewardscope.policy import Policy, Sampling, pack, sample
from rewardscope.policy.weights import PolicyWeights
from rewardscope.seeds import generator
from rewardscope.tensors import TokenCredit
from rewardscope.types import Grade, Problem, Rollout

Checks = Iterator[Check]


def subnetworks() -> Checks:
    """One token made likelier, which one row of the output layer can do, with masks that hold the
    row and masks that do not; and eight steps of noise.
    """
    check = partial(Check, "Subnetwork")
    yield from _token(check)
    yield from _noise(check)


def _token(check: Callable[..., Check]) -> Checks:
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


def saved(policy: Policy, folder: Path) -> str:
    """The folder, with the policy's weights."""
    folder.mkdir()
    tensors = {name: weight.detach().clone() for name, weight in policy.model.named_parameters()}
    save_file(tensors, folder / "model.safetensors")
    return str(folder)


def _noise(check: Callable[..., Check]) -> Checks:
    """Gradients that are noise by seed. What a seed moved most is where its own noise lay, and
    another seed's is as good as chance.
    """
    with tempfile.TemporaryDirectory() as name:
        folders = [
            (seed, saved(_driven(seed, None)[0], Path(name) / str(seed))) for seed in range(2)
        ]
        own, other, random = (
            Subnetwork(tuple(folders), "changed", "largest", 0.1),
            Subnetwork(tuple(folders), "other", "largest", 0.1, others=((0, folders[1][1]),)),
            Subnetwork(tuple(folders), "random", "largest", 0.1),
        )
        gains = [_driven(0, mask)[1] for mask in (own, other, random)]
        norms = [_driven(0, mask, 1)[2] for mask in (None, other, replace(other, matched=True))]
    n = "8 updates of noise, a tenth of each matrix"
    yield check(
        "sensitivity",
        "noise: what a seed's own tenth gains when it is replayed, over a random tenth",
        gains[0] / gains[2],
        1.5,
        100.0,
        n,
    )
    yield check(
        "null",
        "noise: gain of the tenth that decides, another seed's, over a random tenth",
        gains[1] / gains[2],
        0.95,
        1.05,
        n,
        gains[0] / gains[2],
    )
    yield check(
        "null",
        "norm of a matched step in a tenth, over that of a full step",
        norms[2] / norms[0],
        0.999,
        1.001,
        "1 update of noise",
        norms[1] / norms[0],
    )


def _driven(seed: int, mask: Subnetwork | None, steps: int = 8) -> tuple[Policy, float, float]:
    """A policy after steps down gradients that are noise, how far down their sum it went, and the
    norm of the way.
    """
    policy, learner = POLICY.clone(), Learner(learning_rate=1e-3, mask=mask)
    masks = None if mask is None else mask.masks(PolicyWeights(POLICY), seed)
    optimizer = learner.optimizer(policy, masks)
    start = [weight.detach().clone() for weight in policy.model.parameters()]
    total = [torch.zeros_like(weight) for weight in start]
    for step in range(steps):
        random = generator("validation", "noise", seed, step)
        for weight, summed in zip(policy.model.parameters(), total, strict=True):
            weight.grad = torch.from_numpy(random.normal(0, 1, tuple(weight.shape))).float()
            summed += weight.grad
        optimizer.step()
    ways = [
        end.detach() - begin for end, begin in zip(policy.model.parameters(), start, strict=True)
    ]
    down = -sum(float((way * summed).sum()) for way, summed in zip(ways, total, strict=True))
    return policy, down, math.sqrt(sum(float((way.double() ** 2).sum()) for way in ways))


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
