"""Cosmic rays in ramps, by the two-point difference: a difference of two groups that stands out among all of a pixel.

The expected scatter of a difference is that of its photons, taken from the median difference, and of two reads. Source:
Anderson and Gordon 2011, PASP 123, 1237.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from jwrules.kernels import blocks
from jwrules.kernels.clipping import clip_outliers, median_of_sorted, nanmedian, sort
from jwrules.kernels.compiled import inner, parallel

ONE_BY_ONE, AT_ONCE, BY_GROUP, ALTOGETHER = 0, 1, 2, 3
"""How outliers are found: the worst one after the other, all at once, or clipped among integrations or all groups."""


class Thresholds(NamedTuple):
    """What makes a jump, in σ: of four or more usable differences, of three, of two; and what spreads to neighbours."""

    many: float
    three: float
    two: float
    spread_from: float
    spread_to: float


class Bits(NamedTuple):
    """Which bits of a group tell that it is not usable, and that there is a jump before it."""

    unusable: int
    jump: int


@parallel
def find(
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    frames: int,
    mode: int,
    thresholds: Thresholds,
    bits: Bits,
) -> np.ndarray:
    """Set the bit `jump` in `flags`, in place, in the group after each jump; return where it spreads to neighbours.

    data (DN) and flags (nints, ngroups, ny, nx); gain (electron/DN) and readnoise (DN, correlated double sample)
    (ny, nx). The answer has the shape of flags. A pixel without a positive gain has no jumps.
    """
    ny = data.shape[2]
    spreads = np.zeros(flags.shape, np.bool_)
    for y in prange(ny):
        _find_in_row(
            data[:, :, y], flags[:, :, y], gain[y], readnoise[y], frames, mode, thresholds, bits, spreads[:, :, y]
        )
    return spreads


@inner
def _find_in_row(
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    frames: int,
    mode: int,
    thresholds: Thresholds,
    bits: Bits,
    spreads: np.ndarray,
) -> None:
    nints, ngroups, nx = data.shape
    pixels = blocks.width(nints, ngroups)
    counts, flagged = np.empty((pixels, nints, ngroups), np.float32), np.empty((pixels, nints, ngroups), np.uint8)
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    room = np.empty(nints * (ngroups - 1))
    for start in range(0, nx, pixels):
        blocks.gather(data, start, counts)
        block = blocks.gather(flags, start, flagged)
        for k in range(block):
            x = start + k
            if not gain[x] > 0:
                continue
            differences(counts[k], flagged[k], gain[x], bits.unusable, steps)
            read = np.float64(np.float32(readnoise[x] * gain[x]) ** 2) / frames
            if not _detect(steps, read, mode, thresholds, hits, room):
                continue
            middle = nanmedian(steps, room)
            sigma = np.sqrt(abs(middle) + read)
            for i in range(nints):
                for g in range(ngroups - 1):
                    if hits[i, g]:
                        flags[i, g + 1, x] |= np.uint8(bits.jump)
                        ratio = abs(steps[i, g] - middle) / sigma
                        spreads[i, g + 1, x] = thresholds.spread_from < ratio < thresholds.spread_to


@inner
def differences(counts: np.ndarray, flags: np.ndarray, gain: float, unusable: int, steps: np.ndarray) -> None:
    """Write the differences (electron) of successive groups (nints, ngroups) into `steps`, NaN beside unusable ones."""
    nints, ngroups = counts.shape
    for i in range(nints):
        for g in range(ngroups - 1):
            if (flags[i, g] | flags[i, g + 1]) & unusable:
                steps[i, g] = np.nan
            else:
                steps[i, g] = np.float32(counts[i, g + 1] * gain) - np.float32(counts[i, g] * gain)


@inner
def _detect(
    steps: np.ndarray, read: float, mode: int, thresholds: Thresholds, hits: np.ndarray, room: np.ndarray
) -> bool:
    """Mark the jumps among the differences of a pixel in `hits`; return whether there are any."""
    hits[:] = False
    if mode == ONE_BY_ONE:
        return _one_by_one(steps, read, thresholds, hits, room)
    if mode == AT_ONCE:
        return _at_once(steps, read, thresholds.many, hits, room)
    if mode == ALTOGETHER:
        return clip_outliers(steps.ravel(), thresholds.many, hits.ravel(), room)
    found = False
    for g in range(steps.shape[1]):
        found |= clip_outliers(steps[:, g], thresholds.many, hits[:, g], room)
    return found


@inner
def _at_once(steps: np.ndarray, read: float, threshold: float, hits: np.ndarray, room: np.ndarray) -> bool:
    middle, found = nanmedian(steps, room), False
    sigma = np.sqrt(abs(middle) + read)
    if not sigma > 0:
        return False
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            hits[i, g] = abs(steps[i, g] - middle) / sigma > threshold
            found |= hits[i, g]
    return found


@inner
def _one_by_one(steps: np.ndarray, read: float, thresholds: Thresholds, hits: np.ndarray, room: np.ndarray) -> bool:
    """Mark the difference that is worst, in absolute value; then, without it, the next one, as long as there is one."""
    any_found, again = False, True
    while again:
        middle, threshold = _expectation(steps, hits, thresholds, room)
        again = _mark_worst(steps, middle, np.sqrt(abs(middle) + read), threshold, hits)
        any_found |= again
    return any_found


@inner
def _expectation(steps: np.ndarray, hits: np.ndarray, thresholds: Thresholds, room: np.ndarray) -> tuple[float, float]:
    """Return the median of the unmarked absolute differences, of four without the largest, and the threshold."""
    n = 0
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            if not hits[i, g] and not np.isnan(steps[i, g]):
                room[n] = abs(steps[i, g])
                n += 1
    sort(room, n)
    if n >= 4:
        kept = n
        while kept > 0 and room[kept - 1] == room[n - 1]:
            kept -= 1
        return median_of_sorted(room, kept), thresholds.many
    if n == 3:
        return median_of_sorted(room, n), thresholds.three
    return (room[0], thresholds.two) if n == 2 else (np.nan, np.inf)


@inner
def _mark_worst(steps: np.ndarray, middle: float, sigma: float, threshold: float, hits: np.ndarray) -> bool:
    worst, nints, n = -1.0, steps.shape[0], steps.shape[1]
    for i in range(nints):
        for g in range(n):
            ratio = abs(np.float64(np.float32(abs(steps[i, g]) - middle))) / sigma
            if not hits[i, g] and ratio > worst:
                worst = ratio
    if not (sigma > 0 and worst > threshold):
        return False
    for i in range(nints):
        for g in range(n):
            ratio = abs(np.float64(np.float32(abs(steps[i, g]) - middle))) / sigma
            hits[i, g] |= ratio == worst
    return True


@parallel
def spread(spreads: np.ndarray, flags: np.ndarray, bits: Bits) -> None:
    """Set the bit `jump`, in place, in the four neighbours of each pixel of `spreads`, in the same group.

    Both (nints, ngroups, ny, nx). Groups that are not usable are left as they are.
    """
    nints, ngroups, ny, nx = flags.shape
    for y in prange(ny):
        for i in range(nints):
            for g in range(1, ngroups):
                for x in range(nx):
                    near = (
                        (x > 0 and spreads[i, g, y, x - 1])
                        or (x < nx - 1 and spreads[i, g, y, x + 1])
                        or (y > 0 and spreads[i, g, y - 1, x])
                        or (y < ny - 1 and spreads[i, g, y + 1, x])
                    )
                    if near and not flags[i, g, y, x] & bits.unusable:
                        flags[i, g, y, x] |= np.uint8(bits.jump)


@parallel
def prolong(
    data: np.ndarray, flags: np.ndarray, gain: np.ndarray, bits: Bits, heights: np.ndarray, lengths: np.ndarray
) -> None:
    """Set the bit `jump`, in place, in the `lengths[k]` groups after a jump of at least `heights[k]` electrons.

    A jump's height is its difference less the median one of its pixel. Groups that are not usable are left as they are.
    """
    nints, ngroups, ny, nx = data.shape
    for y in prange(ny):
        steps, room = np.empty((nints, ngroups - 1)), np.empty(nints * (ngroups - 1))
        for x in range(nx):
            if gain[y, x] > 0 and _has(flags[:, :, y, x], bits.jump):
                differences(data[:, :, y, x], flags[:, :, y, x], gain[y, x], bits.unusable, steps)
                middle = nanmedian(steps, room)
                for i in range(nints):
                    _prolong_ramp(steps[i], middle, flags[i, :, y, x], bits, heights, lengths)


@inner
def _has(flags: np.ndarray, bit: int) -> bool:
    for i in range(flags.shape[0]):
        for g in range(flags.shape[1]):
            if flags[i, g] & bit:
                return True
    return False


@inner
def _prolong_ramp(
    steps: np.ndarray, middle: float, flags: np.ndarray, bits: Bits, heights: np.ndarray, lengths: np.ndarray
) -> None:
    until = -1
    for g in range(1, flags.size):
        if flags[g] & bits.jump:
            for k in range(heights.size):
                if steps[g - 1] - middle >= heights[k]:
                    until = max(until, g + lengths[k])
        if g <= until and not flags[g] & bits.unusable:
            flags[g] |= np.uint8(bits.jump)
