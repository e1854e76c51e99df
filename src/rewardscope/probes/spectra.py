"""Singular values and directions of weights and their updates, through the smaller Gram matrix in
float64.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import linalg
from torch import Tensor

ENTRIES = 1 << 20
"""Entries of the rows processed at a time, which bounds the float64 copy."""
CLOSED = 1e-6
"""A k-th singular value below this share of the first has no direction: the Gram matrix gives
the values only to about 1e-8 of the first.
"""


def _gram(tall_MN: Tensor) -> Tensor:
    """(N, N) float64, on the GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    width = tall_MN.shape[1]
    gram_NN = torch.zeros(width, width, dtype=torch.float64, device=device)
    step = max(1, ENTRIES // width)
    for start in range(0, len(tall_MN), step):
        part = tall_MN[start : start + step].to(device, torch.float64)
        gram_NN.addmm_(part.T, part)
    return gram_NN


def _tall(matrix_MN: Tensor) -> Tensor:
    return matrix_MN if matrix_MN.shape[0] >= matrix_MN.shape[1] else matrix_MN.T


def singular_values(matrix_MN: Tensor) -> Tensor:
    """Descending (min(M, N),), exact to about 1e-8 of the largest; on the GPU where there is
    one.
    """
    return _roots(_eigenvalues(_gram(_tall(matrix_MN))))


def _eigenvalues(gram_NN: Tensor) -> Tensor:
    """Ascending (N,). On the CPU by scipy: the same LAPACK, without torch's threads, which cost a
    small matrix 30 times its work.
    """
    if gram_NN.is_cuda:
        value_N: Tensor = torch.linalg.eigvalsh(gram_NN)
        return value_N
    return torch.from_numpy(linalg.eigvalsh(gram_NN.numpy(), check_finite=False))


def _roots(square_N: Tensor) -> Tensor:
    """Descending square roots, on the CPU."""
    return square_N.flip(0).clamp(min=0).sqrt().cpu()


@dataclass(frozen=True)
class Directions:
    """Every singular value of a matrix, and its first k pairs of singular vectors."""

    value_R: Tensor
    """Descending."""
    left_MK: Tensor | None
    """None where there are no k directions apart from zero, or a matrix is too thin for a subspace
    to turn in.
    """
    right_NK: Tensor | None

    @property
    def count(self) -> int:
        """k; 0 where there are none."""
        return 0 if self.left_MK is None else self.left_MK.shape[1]

    @property
    def gap(self) -> float | None:
        """sigma_k - sigma_(k + 1), which keeps the subspace stable."""
        return (
            float(self.value_R[self.count - 1] - self.value_R[self.count]) if self.count else None
        )


def directions(matrix_MN: Tensor, most: int) -> Directions:
    """The singular values and the first k singular vectors of each side, k = min(most, half the
    smaller side).
    """
    tall = _tall(matrix_MN)
    gram_NN = _gram(tall)
    k = min(most, tall.shape[1] // 2)
    if gram_NN.is_cuda:
        squares_N, vector_NN = torch.linalg.eigh(gram_NN)
        short_NK = vector_NN.flip(1)[:, :k].cpu()
    else:
        squares_N = _eigenvalues(gram_NN)
        last_k = (
            len(squares_N) - k,
            len(squares_N) - 1,
        )  # the last k alone: half the time of all of them
        vectors = (
            linalg.eigh(gram_NN.numpy(), subset_by_index=last_k, check_finite=False)[1]
            if k
            else np.zeros((len(squares_N), 0))
        )
        short_NK = torch.from_numpy(vectors[:, ::-1].copy())
    value_R = _roots(squares_N)
    if k == 0 or not value_R[k - 1] > CLOSED * value_R[0]:
        return Directions(value_R, None, None)
    step = max(1, ENTRIES // tall.shape[1])
    long_MK = (
        torch.cat(
            [tall[start : start + step].double() @ short_NK for start in range(0, len(tall), step)]
        )
        / value_R[:k]
    )
    return (
        Directions(value_R, long_MK, short_NK)
        if tall is matrix_MN
        else Directions(value_R, short_NK, long_MK)
    )


def principal_angles(first_MK: Tensor, second_MK: Tensor) -> Tensor:
    """Angles (K,) between two subspaces given by orthonormal columns, in degrees, the smallest
    first.

    cos of the i-th is the i-th singular value of first^T second; below 45 degrees the angle is read
    from its sine, the singular values of second - first first^T second, because near 1 a cosine
    loses the angle to rounding.

    Source:
        Bjorck and Golub 1973, Mathematics of Computation 27(123).
    """
    across_KK = first_MK.T @ second_MK
    cosine_K = torch.linalg.svdvals(across_KK).clamp(max=1)
    sine_K = torch.linalg.svdvals(second_MK - first_MK @ across_KK).clamp(max=1).flip(0)
    return torch.rad2deg(torch.where(cosine_K > 0.5**0.5, sine_K.asin(), cosine_K.acos()))


def numerical_rank(value_R: Tensor, shape: tuple[int, ...], rounding: float) -> int:
    """Singular values above max(M, N) x eps x the largest (the usual tolerance) and above what
    rounding of the weights adds by itself.

    Args:
        value_R: Descending.
        shape: Of the matrix.
        rounding: Largest rounding error of one entry of the update; noise of that size has norm at
            most rounding (sqrt M + sqrt N).
    """
    eps = torch.finfo(torch.float32).eps
    tolerance = max(
        max(shape) * eps * float(value_R[0]), rounding * sum(side**0.5 for side in shape)
    )
    return int((value_R > tolerance).sum())


def stable_rank(value_R: Tensor) -> float | None:
    """Squared Frobenius norm over squared largest singular value, from 1 to the rank; None for a
    matrix of zeros.
    """
    return float((value_R / value_R[0]).square().sum()) if value_R[0] > 0 else None
