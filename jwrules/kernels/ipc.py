"""Convolution of images with a small kernel that may differ from pixel to pixel."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return `image` (ny, nx) convolved with `kernel` (ky, kx, ny, nx), or (ky, kx, 1, 1) where it is the same for all.

    ky and kx are odd; the kernel is that of the pixel that receives. Beyond the edges there is nothing.
    """
    result = np.zeros_like(image, order="C")
    over_rows(_convolve, len(image), as_input(image), as_input(kernel), result)
    return result


@compiled
def _convolve(start: int, stop: int, image: np.ndarray, kernel: np.ndarray, result: np.ndarray) -> None:
    ky, kx, vary_y, _ = kernel.shape
    for y in range(start, stop):
        for j in range(max(0, y + ky // 2 - image.shape[0] + 1), min(ky, y + ky // 2 + 1)):
            for i in range(kx):
                _add(image[y + ky // 2 - j], kernel[j, i, min(y, vary_y - 1)], kx // 2 - i, result[y])


@compiled
def _add(source: np.ndarray, weights: np.ndarray, shift: int, row: np.ndarray) -> None:
    first, last = max(0, -shift), min(row.size, row.size - shift)
    given, taken = source[first + shift : last + shift], row[first:last]
    if weights.size == 1:
        weight = weights[0]
        for x in range(taken.size):
            taken[x] += weight * given[x]
    else:
        own = weights[first:last]
        for x in range(taken.size):
            taken[x] += own[x] * given[x]
