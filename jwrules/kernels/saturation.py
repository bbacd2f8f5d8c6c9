"""Where a ramp saturates: the first saturated group of every pixel, its growth, and partial saturation.

A ramp stays saturated once it has saturated, so one number per pixel, the first saturated group, says it all
(`ngroups` where it never does). Growing a saturated area is then a minimum over a box.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def first_saturated(ramp: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the first group (ny, nx) of `ramp` (ngroups, ny, nx) that reaches `threshold` (ny, nx)."""
    first = np.full(threshold.shape, len(ramp), np.int16)
    over_rows(_first_saturated, len(first), as_input(ramp), as_input(threshold), first)
    return first


@compiled
def _first_saturated(start: int, stop: int, ramp: np.ndarray, threshold: np.ndarray, first: np.ndarray) -> None:
    for y in range(start, stop):
        for g in range(ramp.shape[0] - 1, -1, -1):
            counts, limit, row = ramp[g, y], threshold[y], first[y]
            for x in range(row.size):
                row[x] = g if counts[x] >= limit[x] else row[x]


def grow(first: np.ndarray, pixels: int) -> np.ndarray:
    """Return `first` with every saturated pixel spread over `pixels` layers of neighbours."""
    if pixels == 0 or first.min() == first.max():
        return first
    across, result = np.empty_like(first), np.empty_like(first)
    over_rows(_lowest_across, len(first), as_input(first), pixels, across)
    over_rows(_lowest_along, len(first), as_input(across), pixels, result)
    return result


@compiled
def _lowest_across(start: int, stop: int, first: np.ndarray, pixels: int, lowest: np.ndarray) -> None:
    """Write the lowest of the numbers within `pixels` in the same row."""
    nx = first.shape[1]
    for y in range(start, stop):
        row, low = first[y], lowest[y]
        for x in range(nx):
            low[x] = row[x]
        for shift in range(1, min(pixels, nx - 1) + 1):
            before, after, kept, left = row[shift:], row[: nx - shift], low[: nx - shift], low[shift:]
            for x in range(nx - shift):
                kept[x] = min(kept[x], before[x])
            for x in range(nx - shift):
                left[x] = min(left[x], after[x])


@compiled
def _lowest_along(start: int, stop: int, first: np.ndarray, pixels: int, lowest: np.ndarray) -> None:
    """Write the lowest of the numbers within `pixels` in the same column."""
    ny, nx = first.shape
    for y in range(start, stop):
        low = lowest[y]
        low[:] = first[y]
        for v in range(max(y - pixels, 0), min(y + pixels + 1, ny)):
            row = first[v]
            for x in range(nx):
                low[x] = min(low[x], row[x])


def flag(ramp: np.ndarray, first: np.ndarray, flags: np.ndarray, saturated: int, floor: int) -> None:
    """Set bits in `flags` (ngroups, ny, nx), in place: `saturated` from `first` on, `floor` where the count is ≤ 0."""
    over_rows(_flag, len(first), as_input(ramp), as_input(first), flags, np.uint8(saturated), np.uint8(floor))


@compiled
def _flag(
    start: int, stop: int, ramp: np.ndarray, first: np.ndarray, flags: np.ndarray, saturated: int, floor: int
) -> None:
    none = np.uint8(0)
    for y in range(start, stop):
        for g in range(ramp.shape[0]):
            counts, when, row = ramp[g, y], first[y], flags[g, y]
            for x in range(row.size):
                row[x] |= (saturated if g >= when[x] else none) | (floor if counts[x] <= 0 else none)


def partly_saturated(
    ramp: np.ndarray, flags: np.ndarray, unusable: int, first: np.ndarray, limit: np.ndarray, dilution: np.ndarray
) -> np.ndarray:
    """Return where (ny, nx) frames of the group before the first saturated one may have saturated.

    A group that averages frames shows less than its last frame holds: it is suspect from `dilution[group]` times
    `limit` on. Groups with the bit `unusable` in `flags` are left out.
    """
    suspect = np.zeros(first.shape, bool)
    y, x = np.nonzero((first > 0) & (first < len(ramp)))
    g = first[y, x] - 1
    usable = (flags[g, y, x] & np.uint8(unusable)) == 0
    suspect[y, x] = usable & (dilution[g] != 1) & (ramp[g, y, x] >= limit[y, x] * dilution[g])
    return suspect


def flag_before(first: np.ndarray, suspect: np.ndarray, flags: np.ndarray, bit: int, pixels: int) -> None:
    """Set `bit`, in place, in the group before the first saturated one of `suspect` pixels and their neighbours."""
    _, ny, nx = flags.shape
    for y, x in zip(*np.nonzero(suspect), strict=True):
        rows = slice(max(y - pixels, 0), min(y + pixels + 1, ny))
        columns = slice(max(x - pixels, 0), min(x + pixels + 1, nx))
        flags[first[y, x] - 1, rows, columns] |= np.uint8(bit)


def leapt_in_second_group(
    ramp: np.ndarray, first: np.ndarray, threshold: np.ndarray, bias: np.ndarray | float, frames: int
) -> np.ndarray:
    """Return where (ny, nx) something bright struck within the second group of a ramp that saturates in the third.

    Such a ramp was not on its way to saturation (first group, scaled to the last frame of the third), and its second
    group rose by more than the room left for one saturated frame among `frames`.
    """
    y, x = np.nonzero(first == 2)
    struck = np.zeros(first.shape, bool)
    start, limit = ramp[0, y, x], threshold[y, x]
    offset = bias[y, x] if isinstance(bias, np.ndarray) else np.float32(bias)
    mean_frame, last_frame = (frames + 1) / 2, 3 * frames
    expected = (start - offset).astype(np.float64) / mean_frame * last_frame + offset
    struck[y, x] = (expected < limit) & (ramp[1, y, x] - start > (limit - start) / np.float32(frames))
    return struck
