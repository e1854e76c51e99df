"""Updates of the same sizes that know nothing: in other places, or with other signs."""

import numpy as np
import torch
from torch import Tensor

from rewardscope.seeds import Address, generator

BLOCK = 1024
"""Entries that are shuffled among each other, before the blocks are: a shuffle of everything misses
the cache at every entry.
"""
ALIKE = 64
"""Blocks that share the draw of where their entries go, which costs a tenth of a draw for each."""
SMALL = 1 << 16
"""Up to so many entries everything is shuffled with everything."""


def shuffled(update: Tensor, *address: Address) -> Tensor:
    """The same numbers in other places of the matrix, drawn by address.

    In a large matrix an entry's block goes to a random place and the entry to a random place in it,
    with a random turn before and after: each place gets any entry with the same chance, so a count
    over the matrix has the mean that a full shuffle gives, with more noise only where neighbours'
    sizes are alike.
    """
    random = generator("shuffled update", *address)
    flat = update.flatten().numpy()
    if len(flat) <= SMALL:
        return torch.from_numpy(random.permutation(flat)).view(update.shape)
    turned = np.roll(flat, int(random.integers(len(flat))))
    whole = len(flat) // BLOCK * BLOCK
    blocks = turned[:whole].reshape(-1, BLOCK)[random.permutation(whole // BLOCK)]
    for start in range(0, len(blocks), ALIKE):
        blocks[start : start + ALIKE] = blocks[start : start + ALIKE, random.permutation(BLOCK)]
    found = np.concatenate([blocks.ravel(), random.permutation(turned[whole:])])
    return torch.from_numpy(np.roll(found, int(random.integers(len(found))))).view(update.shape)


def resigned(update: Tensor, *address: Address) -> Tensor:
    """The same sizes in the same places, each up or down by a coin flip drawn by address."""
    size = update.numel()
    bytes_drawn = np.frombuffer(
        generator("re-signed update", *address).bytes(size // 8 + 1), dtype=np.uint8
    )
    up = torch.from_numpy(np.unpackbits(bytes_drawn)[:size]).bool().view(update.shape)
    return torch.where(up, update, -update)
