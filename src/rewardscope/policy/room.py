"""Memory of a device: how much there is, how much is free, and how it is told that it ran out."""

import os

import torch

from rewardscope.errors import ModelError

SAYS_SO = ("out of memory", "can't allocate memory", "cannot allocate memory")
"""What an allocator's message has in it, lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in SAYS_SO)


def ran_out(error: BaseException, device: str) -> ModelError:
    """The error to tell a user that memory ran out."""
    return ModelError(
        f"The memory of {device} ran out",
        value=(str(error).strip() or type(error).__name__).splitlines()[0][:200],
        do="Lower Learner(pass_tokens=...), set Learner(recomputing=True) or moments='8bit', take "
        "LowRank(), shorter or fewer completions, or fewer --workers",
    )


def num_devices(kind: str) -> int:
    """Devices of this kind that torch finds here: ``cpu``, ``cuda`` or ``mps``."""
    if kind == "cuda":
        return torch.cuda.device_count()
    return int(kind == "cpu" or (kind == "mps" and torch.backends.mps.is_available()))


def total_bytes(device: torch.device) -> int:
    """Memory of the device; of a CPU, the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def free_bytes(device: torch.device) -> int:
    """Memory that new tensors may take; what the allocator keeps for them counts as free."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + held)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
