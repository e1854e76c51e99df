"""Null updates: the same sizes at other positions, with or without the scales of their rows and
columns, or with other signs.
"""

import numpy as np
import torch
from torch import Tensor

from rewardscope.seeds import Address, generator

BLOCK = 1024
"""Entries shuffled within a block; the blocks are shuffled too. A full shuffle would miss the cache
at every entry.
"""
ALIKE = 64
"""Blocks that share one permutation of their entries: a tenth of the cost of one for each."""
SMALL = 1 << 16
"""Up to this many entries the shuffle is a full one."""


def shuffled(update: Tensor, *address: Address) -> Tensor:
    """The same numbers at other positions of the matrix, seeded by address.

    In a large matrix, blocks move to random positions and entries to random positions within their
    block, with a random rotation before and after. Every position gets any entry with the same
    chance, so a count over the matrix has the mean of a full shuffle. It is noisier only where
    neighbouring sizes are alike.
    """
    random = generator("shuffled update", *address)
    flat = update.flatten().numpy()
    if len(flat) <= SMALL:
        return torch.from_numpy(random.permutation(flat)).view(update.shape)
    turned = np.roll(flat, int(random.integers(len(flat))))
    blocked = len(flat) // BLOCK * BLOCK
    blocks = turned[:blocked].reshape(-1, BLOCK)[random.permutation(blocked // BLOCK)]
    for start in range(0, len(blocks), ALIKE):
        blocks[start : start + ALIKE] = blocks[start : start + ALIKE, random.permutation(BLOCK)]
    mixed = np.concatenate([blocks.ravel(), random.permutation(turned[blocked:])])
    return torch.from_numpy(np.roll(mixed, int(random.integers(len(mixed))))).view(update.shape)


def rescaled(update: Tensor, *address: Address) -> Tensor:
    """The same update at other positions of the matrix, with the scales of its rows and columns.

    u_ij / s_ij is shuffled and multiplied by s_ij again, where s_ij = r_i c_j / m, with r_i and c_j
    the mean size of an entry in the row and in the column, and m in the matrix. Two trainings that
    share nothing but which rows and columns move far overlap as much as two such nulls do. A
    vector has no rows: it is shuffled.
    """
    if update.ndim != 2:
        return shuffled(update, *address)
    size = update.abs().double()
    scale = torch.outer(size.mean(dim=1), size.mean(dim=0)) / size.mean().clamp(min=1e-300)
    moved = scale > 0  # a row that never moved takes no entry of another
    null = torch.zeros_like(scale)
    null[moved] = shuffled(update[moved] / scale[moved], "scaled", *address) * scale[moved]
    return null.to(update.dtype)


def resigned(update: Tensor, *address: Address) -> Tensor:
    """The same sizes at the same positions, each sign a coin flip seeded by address."""
    size = update.numel()
    bytes_drawn = np.frombuffer(
        generator("re-signed update", *address).bytes(size // 8 + 1), dtype=np.uint8
    )
    up = torch.from_numpy(np.unpackbits(bytes_drawn)[:size]).bool().view(update.shape)
    return torch.where(up, update, -update)
