"""How the C library treats memory that a step has freed."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


def keep_freed_memory() -> None:
    """Lets the C library keep freed memory for the next step. Returning a gigabyte and faulting it
    in again takes 6 % of a step.

    The few blocks of 32 MiB and more, whose size depends on the vocabulary, are returned. The gaps
    they leave would not fit those of the next step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc
        mallopt(M_MMAP_THRESHOLD, 32 << 20)
        mallopt(M_TRIM_THRESHOLD, -1)  # never
