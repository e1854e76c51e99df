"""What WeightChange and Agreement say of updates made by hand."""

from collections.abc import Iterator

import torch
from checks import Check

from rewardscope.probes.agreement import agreements
from rewardscope.probes.weight_change import change_of
from rewardscope.seeds import generator


def weights(size: int = 512) -> Iterator[Check]:
    """Updates of known rank, density and place, and noise of no place at all."""

    def normal(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(generator("validation", "weights", name).normal(0, 1, shape or (size, size))).float()

    start = (0.02 * normal("start")).bfloat16().float()
    low = change_of("w", start, start + 1e-5 * normal("left", size, 3) @ normal("right", 3, size), ranks=True)
    yield Check(
        "WeightChange",
        "sensitivity",
        "rank of a rank-3 update of entries near 1e-5",
        low.rank_share["float32"] * size,
        3.0,
        3.0,
        f"{size} x {size}",
    )
    mask = torch.from_numpy(generator("validation", "mask").random((size, size)) < 0.12)
    sparse = change_of("w", start, start + 0.01 * mask, ranks=False)
    share = sparse.changed["bfloat16"] / sparse.size - float(mask.float().mean())
    yield Check("WeightChange", "sensitivity", "share of a 12 % dense update, less the truth", share, -0.001, 0.001, f"{size} x {size}")
    nothing = change_of("w", start, start.clone(), ranks=True)
    yield Check("WeightChange", "null", "changed entries of a copy", float(max(nothing.changed.values())), 0.0, 0.0, f"{size} x {size}")

    class Tensors:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.one = tensor

        def names(self) -> list[str]:
            return ["w"]

        def tensor(self, name: str) -> torch.Tensor:
            return self.one

    scale = 4.6e-5  # at which bfloat16 stores about 0.37 of the entries
    (pair,) = agreements(Tensors(start), {n: Tensors(start + scale * normal(n)) for n in ("one", "two")})
    found, null = pair.found.one_sided[0] or 0.0, pair.shuffled.one_sided[0] or 0.0
    density = f"density {pair.found.first / pair.found.size:.2f}, {size} x {size}"
    yield Check(
        "Agreement", "null", "one-sided overlap of independent noise, less that of the shuffled null", found - null, -0.02, 0.02, density
    )
    yield Check("Agreement", "null", "overlap of the largest tenth of independent noise", pair.found.top_share or 0.0, 0.09, 0.11, density)
    place = mask.float()
    (pair,) = agreements(Tensors(start), {n: Tensors(start + 0.01 * place * normal(n)) for n in ("one", "two")})
    above = (pair.found.one_sided[0] or 0.0) - (pair.shuffled.one_sided[0] or 0.0)
    yield Check("Agreement", "sensitivity", "updates planted in one place, one-sided above the null", above, 0.7, 1.0, f"{size} x {size}")
