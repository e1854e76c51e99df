"""Addressed randomness: a draw depends on its purpose, never on earlier draws.

``key("train", seed, step, purpose)`` names a stream. No state passes from one step to the next, so
a resumed run gets the same numbers as an uninterrupted one. Two arms with equal addresses get the
same problems and the same noise.
"""

import hashlib
import json

import numpy as np

Address = str | int | float | bool


def key(*address: Address) -> int:
    """A 64-bit number that stands for the address: blake2b of its JSON, the same on every machine
    and in every process.

    >>> key("train", 0, 3) == key("train", 0, 3), key("train", 0, 3) == key("train", 3, 0)
    (True, False)
    """
    text = json.dumps(address, separators=(",", ":"), ensure_ascii=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def generator(*address: Address) -> np.random.Generator:
    """A NumPy generator (Philox, counter based) that starts at the address."""
    return np.random.Generator(np.random.Philox(key=key(*address)))


def uniforms(rows: int, columns: int, *address: Address) -> np.ndarray:
    """Uniform numbers in [0, 1) as float64 (rows, columns); row r is the same whatever ``rows``
    is.
    """
    return generator(*address).random((rows, columns))
