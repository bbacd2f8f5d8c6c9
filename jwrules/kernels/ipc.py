"""Convolution of images with a small kernel that may differ from pixel to pixel."""

from __future__ import annotations

import numpy as np
from numba import prange

from jwrules.kernels.compiled import inner, parallel


@parallel
def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return `image` (ny, nx) convolved with `kernel` (ky, kx, ny, nx), or (ky, kx, 1, 1) where it is the same for all.

    ky and kx are odd; the kernel is that of the pixel that receives. Beyond the edges there is nothing.
    """
    ny = image.shape[0]
    result = np.empty_like(image)
    for y in prange(ny):
        _convolve_row(image, kernel, np.int64(y), result[y])
    return result


@inner
def _convolve_row(image: np.ndarray, kernel: np.ndarray, y: np.int64, row: np.ndarray) -> None:
    ky, kx, vary_y, vary_x = kernel.shape
    ny, nx = image.shape
    v = min(y, vary_y - 1)
    for x in range(nx):
        total, u = 0.0, min(x, vary_x - 1)
        for j in range(max(0, y + ky // 2 - ny + 1), min(ky, y + ky // 2 + 1)):
            for i in range(max(0, x + kx // 2 - nx + 1), min(kx, x + kx // 2 + 1)):
                total += kernel[j, i, v, u] * image[y + ky // 2 - j, x + kx // 2 - i]
        row[x] = total
