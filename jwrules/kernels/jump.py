"""Cosmic rays in ramps: differences of two groups that stand out among all of a pixel; what they entail."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import jump_by_excess, jump_by_median, jump_by_scatter
from jwrules.kernels.clipping import nanmedian
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.differences import Bits, Noise, Thresholds, differences, noise

__all__ = ["Bits", "Noise", "Thresholds", "count", "find", "noise", "prolong", "spread"]

BY_COVARIANCE, BY_MEAN, ONE_BY_ONE, AT_ONCE, BY_GROUP, ALTOGETHER = range(6)
"""How jumps are found: against all others, weighed with the covariance or alike; against the median, the worst one
after the other or all at once; clipped among integrations or among all groups."""


def find(
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    expected: Noise,
    mode: int,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Set the bit `jump` in `flags`, in place, in the group after each jump, and `spreads` where neighbours share it.

    data (DN) and flags (nints, ngroups, ny, nx); gain (electron/DN) and readnoise (DN, correlated double sample)
    (ny, nx). A pixel without a positive gain has no jumps.
    """
    inputs = as_input(data), flags, as_input(gain), as_input(readnoise)
    rows, rules = data.shape[2], (thresholds, bits)
    if mode in (BY_COVARIANCE, BY_MEAN):
        over_rows(jump_by_excess.find, rows, *inputs, expected, mode == BY_COVARIANCE, *rules)
    elif mode in (ONE_BY_ONE, AT_ONCE):
        over_rows(jump_by_median.find, rows, *inputs, expected.frames, mode == ONE_BY_ONE, *rules)
    else:
        over_rows(jump_by_scatter.find, rows, *inputs, expected.frames, mode == BY_GROUP, *rules)


def count(flags: np.ndarray, where: tuple[slice, slice], bits: Bits) -> int:
    """Return how many groups in some rows and columns of `flags` (nints, ngroups, ny, nx) have the bit `jump`."""
    (top, bottom, _), (left, right, _) = (one.indices(n) for one, n in zip(where, flags.shape[2:], strict=True))
    return int(_count(as_input(flags), top, bottom, left, right, np.uint8(bits.jump)))


@compiled
def _count(flags: np.ndarray, top: int, bottom: int, left: int, right: int, bit: np.uint8) -> int:
    found = 0
    for i in range(flags.shape[0]):
        for g in range(flags.shape[1]):
            for y in range(top, bottom):
                row = flags[i, g, y, left:right]
                for x in range(row.size):
                    found += (row[x] & bit) != 0
    return found


def spread(flags: np.ndarray, bits: Bits) -> None:
    """Set the bit `jump` in the four neighbours of each pixel that has the bit `spreads`, which goes; in place.

    flags (nints, ngroups, ny, nx). Groups that are not usable are left as they are.
    """
    planes = flags.reshape(-1, *flags.shape[2:])
    over_rows(_spread, len(planes), planes, bits)


@compiled
def _spread(start: int, stop: int, flags: np.ndarray, bits: Bits) -> None:
    _, ny, nx = flags.shape
    mask = np.uint8(bits.spreads)
    for p in range(start, stop):
        for y in range(ny):
            row, found = flags[p, y], np.uint8(0)
            for x in range(nx):
                found |= row[x]
            if found & mask:
                for x in range(nx):
                    if row[x] & mask:
                        row[x] ^= mask
                        _flag_neighbours(flags[p], y, x, bits)


@compiled
def _flag_neighbours(plane: np.ndarray, y: int, x: int, bits: Bits) -> None:
    for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
        if 0 <= v < plane.shape[0] and 0 <= u < plane.shape[1] and not plane[v, u] & bits.unusable:
            plane[v, u] |= np.uint8(bits.jump)


def prolong(
    data: np.ndarray, flags: np.ndarray, gain: np.ndarray, bits: Bits, heights: np.ndarray, lengths: np.ndarray
) -> None:
    """Set the bit `jump`, in place, in the `lengths[k]` groups after a jump of at least `heights[k]` DN.

    A jump's height is its difference less the median one of its pixel. Groups that are not usable are left as they are.
    """
    over_rows(
        _prolong, data.shape[2], as_input(data), flags, as_input(gain), bits, as_input(heights), as_input(lengths)
    )


@compiled
def _prolong(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    bits: Bits,
    heights: np.ndarray,
    lengths: np.ndarray,
) -> None:
    nints, ngroups, _, nx = data.shape
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    room = np.empty(steps.size)
    for y in range(start, stop):
        for x in range(nx):
            if gain[y, x] > 0 and _has(flags, y, x, bits.jump):
                differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                middle = nanmedian(steps, room)
                for i in range(nints):
                    _prolong_ramp(steps[i], middle, gain[y, x], flags, i, y, x, bits, heights, lengths)


@compiled
def _has(flags: np.ndarray, y: int, x: int, bit: int) -> bool:
    for i in range(flags.shape[0]):
        for g in range(flags.shape[1]):
            if flags[i, g, y, x] & bit:
                return True
    return False


@compiled
def _prolong_ramp(
    steps: np.ndarray,
    middle: float,
    gain: float,
    flags: np.ndarray,
    i: int,
    y: int,
    x: int,
    bits: Bits,
    heights: np.ndarray,
    lengths: np.ndarray,
) -> None:
    until = -1
    for g in range(1, flags.shape[1]):
        if flags[i, g, y, x] & bits.jump:
            for k in range(heights.size):
                if steps[g - 1] - middle >= heights[k] * gain:
                    until = max(until, g + lengths[k])
        if g <= until and not flags[i, g, y, x] & bits.unusable:
            flags[i, g, y, x] |= np.uint8(bits.jump)
