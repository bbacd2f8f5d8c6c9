"""Ramps of a few neighbouring pixels side by side in memory.

The groups of a pixel lie a whole frame apart, and frames have sizes that are powers of two, at which caches fail.
Copying a block of pixels at a time, pixel first, costs little and makes all further work on them local.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import inner


@inner
def width(nints: int, ngroups: int) -> int:
    """Return how many pixels make a block: 64, or fewer where ramps are so long that a block would not fit a cache."""
    return max(1, min(64, 65536 // (nints * ngroups)))


@inner
def gather(row: np.ndarray, start: int, block: np.ndarray) -> int:
    """Copy pixels of `row` (nints, ngroups, nx) into `block` (pixels, nints, ngroups); return how many."""
    nints, ngroups, nx = row.shape
    pixels = min(len(block), nx - start)
    for i in range(nints):
        for g in range(ngroups):
            for k in range(pixels):
                block[k, i, g] = row[i, g, start + k]
    return pixels


@inner
def scatter(block: np.ndarray, pixels: int, start: int, row: np.ndarray) -> None:
    """Copy `block` (pixels, n, m) back to a row (n, m, nx)."""
    n, m, _ = row.shape
    for i in range(n):
        for g in range(m):
            for k in range(pixels):
                row[i, g, start + k] = block[k, i, g]
