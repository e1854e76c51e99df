"""What the C library does with memory that a step has freed."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def keep_freed_memory() -> None:
    """Lets the C library keep what is freed for the next step; giving a gigabyte back and faulting
    it in again is 6 % of a step.

    The few blocks of 32 MiB and more, as long as a vocabulary, are given back: no gap that they
    leave would fit the next step's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, -1)  # never
