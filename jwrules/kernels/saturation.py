"""Where a ramp saturates: the first saturated group of every pixel, its growth to neighbours, partial saturation.

A ramp stays saturated once it has saturated, so one number per pixel, the first saturated group, says it all
(`ngroups` where it never does). Growing a saturated area is then a minimum over a box.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from scipy.ndimage import minimum_filter

from jwrules.kernels.compiled import parallel


@parallel
def first_saturated(ramp: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the first group (ny, nx) of `ramp` (ngroups, ny, nx) that reaches `threshold` (ny, nx)."""
    ngroups, ny, nx = ramp.shape
    first = np.empty((ny, nx), np.int16)
    for y in prange(ny):
        for x in range(nx):
            first[y, x] = ngroups
        for g in range(ngroups - 1, -1, -1):
            for x in range(nx):
                if ramp[g, y, x] >= threshold[y, x]:
                    first[y, x] = g
    return first


def grow(first: np.ndarray, pixels: int) -> np.ndarray:
    """Return `first` with every saturated pixel spread over `pixels` layers of neighbours."""
    if pixels == 0 or first.min() == first.max():
        return first
    return minimum_filter(first, size=2 * pixels + 1, mode="nearest")


@parallel
def flag_floor(ramp: np.ndarray, flags: np.ndarray, bits: int) -> None:
    """Set `bits` in `flags` (ngroups, ny, nx), in place, where the converter gave 0 or less."""
    ngroups, ny, nx = ramp.shape
    for y in prange(ny):
        for g in range(ngroups):
            for x in range(nx):
                if ramp[g, y, x] <= 0:
                    flags[g, y, x] |= np.uint8(bits)


@parallel
def flag_from(first: np.ndarray, flags: np.ndarray, bit: int) -> None:
    """Set `bit` in `flags` (ngroups, ny, nx), in place, from the first saturated group on."""
    ngroups, ny, nx = flags.shape
    for y in prange(ny):
        for x in range(nx):
            for g in range(first[y, x], ngroups):
                flags[g, y, x] |= np.uint8(bit)


@parallel
def partly_saturated(
    ramp: np.ndarray,
    flags: np.ndarray,
    unusable: int,
    first: np.ndarray,
    limit: np.ndarray,
    dilution: np.ndarray,
) -> np.ndarray:
    """Return where (ny, nx) frames of the group before the first saturated one may have saturated.

    A group that averages frames shows less than its last frame holds: it is suspect from `dilution[group]`
    times `limit` on. Groups with the bit `unusable` in `flags` are left out.
    """
    ngroups, ny, nx = ramp.shape
    suspect = np.zeros((ny, nx), np.bool_)
    for y in prange(ny):
        for x in range(nx):
            g = first[y, x] - 1
            if 0 <= g < ngroups - 1 and dilution[g] != 1.0 and not flags[g, y, x] & unusable:
                suspect[y, x] = ramp[g, y, x] >= limit[y, x] * dilution[g]
    return suspect


def flag_before(first: np.ndarray, suspect: np.ndarray, flags: np.ndarray, bit: int, pixels: int) -> None:
    """Set `bit` in place in the group before the first saturated one of each `suspect` pixel and its neighbours."""
    _, ny, nx = flags.shape
    for y, x in zip(*np.nonzero(suspect), strict=True):
        rows = slice(max(y - pixels, 0), min(y + pixels + 1, ny))
        columns = slice(max(x - pixels, 0), min(x + pixels + 1, nx))
        flags[first[y, x] - 1, rows, columns] |= np.uint8(bit)


def leapt_in_second_group(
    ramp: np.ndarray, first: np.ndarray, threshold: np.ndarray, bias: np.ndarray | float, frames: int
) -> np.ndarray:
    """Return where (ny, nx) something bright struck within the second group of a ramp that saturates in the third.

    Such a ramp was not on its way to saturation (first group, scaled to the last frame of the third), and
    its second group rose by more than the room left for one saturated frame among `frames`.
    """
    y, x = np.nonzero(first == 2)
    struck = np.zeros(first.shape, bool)
    start, limit = ramp[0, y, x], threshold[y, x]
    offset = bias[y, x] if isinstance(bias, np.ndarray) else np.float32(bias)
    mean_frame, last_frame = (frames + 1) / 2, 3 * frames
    expected = (start - offset).astype(np.float64) / mean_frame * last_frame + offset
    struck[y, x] = (expected < limit) & (ramp[1, y, x] - start > (limit - start) / np.float32(frames))
    return struck
