"""Singular values of weight updates, through the smaller Gram matrix in float64."""

import torch
from torch import Tensor

ENTRIES = 1 << 22
"""Rows are taken so many entries at a time, which bounds the float64 copy."""


def singular_values(matrix_MN: Tensor) -> Tensor:
    """Descending (min(M, N),), exact to about 1e-8 of the largest; on the GPU where there is one."""
    tall = matrix_MN if matrix_MN.shape[0] >= matrix_MN.shape[1] else matrix_MN.T
    device = "cuda" if torch.cuda.is_available() else "cpu"
    gram_NN = torch.zeros(tall.shape[1], tall.shape[1], dtype=torch.float64, device=device)
    step = max(1, ENTRIES // tall.shape[1])
    for start in range(0, len(tall), step):
        part = tall[start : start + step].to(device, torch.float64)
        gram_NN.addmm_(part.T, part)
    squares_N: Tensor = torch.linalg.eigvalsh(gram_NN)
    return squares_N.flip(0).clamp(min=0).sqrt().cpu()


def numerical_rank(value_R: Tensor, shape: tuple[int, ...], rounding: float) -> int:
    """Singular values above max(M, N) x eps x the largest (the usual tolerance) and above what rounding of the weights adds by itself.

    Args:
        value_R: Descending.
        shape: Of the matrix.
        rounding: Largest rounding error of one entry of the update; noise of that size has norm at most rounding (sqrt M + sqrt N).
    """
    eps = torch.finfo(torch.float32).eps
    tolerance = max(max(shape) * eps * float(value_R[0]), rounding * sum(side**0.5 for side in shape))
    return int((value_R > tolerance).sum())


def stable_rank(value_R: Tensor) -> float | None:
    """Squared Frobenius norm over squared largest singular value, from 1 to the rank; None for a matrix of zeros."""
    return float((value_R / value_R[0]).square().sum()) if value_R[0] > 0 else None
