"""Cosmic rays in ramps, by the two-point difference: a difference of two groups that stands out among all of a pixel.

The expected scatter of a difference is that of its photons, taken from the median difference, and of two reads. Source:
Anderson and Gordon 2011, PASP 123, 1237.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import calm_ramps
from jwrules.kernels.clipping import clip_bounds, median_of_sorted, nanmedian, sort
from jwrules.kernels.compiled import as_input, compiled, over_rows

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
    spreads = np.zeros(flags.shape, bool)
    inputs = as_input(data), flags, as_input(gain), as_input(readnoise)
    kernel = _find_by_noise if mode in (ONE_BY_ONE, AT_ONCE) else _find_by_scatter
    over_rows(kernel, data.shape[2], *inputs, frames, mode, thresholds, bits, spreads)
    return spreads


@compiled
def _find_by_noise(
    start: int,
    stop: int,
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
    nints, ngroups, _, nx = data.shape
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    room, read, calm = np.empty(steps.size), np.empty(nx), np.zeros(nx, np.bool_)
    lowest = min(min(thresholds.many, thresholds.three), thresholds.two)
    for y in range(start, stop):
        for x in range(nx):
            read[x] = _read_variance(readnoise[y, x], gain[y, x], frames)
        if room.size <= calm_ramps.MANY:
            calm_ramps.find(data, flags, y, gain[y], read, lowest, mode == ONE_BY_ONE, calm)
        for x in range(nx):
            if not calm[x] and gain[y, x] > 0:
                _differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                if mode == ONE_BY_ONE:
                    found = _one_by_one(steps, read[x], thresholds, hits, room)
                else:
                    found = _at_once(steps, read[x], thresholds, hits, room)
                if found:
                    _store(steps, hits, read[x], y, x, thresholds, bits, room, flags, spreads)


@compiled
def _find_by_scatter(
    start: int,
    stop: int,
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
    nints, ngroups, _, nx = data.shape
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    room, width = np.empty(steps.size), 1 if mode == BY_GROUP else ngroups - 1
    for y in range(start, stop):
        for x in range(nx):
            if gain[y, x] > 0:
                _differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                found = False
                for first in range(0, ngroups - 1, width):
                    found |= _clip(steps, first, first + width, thresholds.many, hits, room)
                if found:
                    read = _read_variance(readnoise[y, x], gain[y, x], frames)
                    _store(steps, hits, read, y, x, thresholds, bits, room, flags, spreads)


@compiled
def _read_variance(readnoise: float, gain: float, frames: int) -> float:
    """Return the variance (electron²) that reading adds to a difference of groups; 32 bits, as the product keeps it."""
    return np.float64(np.float32(readnoise * gain) ** 2) / frames


@compiled
def _differences(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    x: int,
    gain: float,
    unusable: int,
    steps: np.ndarray,
    hits: np.ndarray,
) -> None:
    """Write the differences (electron) of successive groups of a pixel, NaN beside unusable ones; none is a hit yet."""
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            hits[i, g] = False
            if (flags[i, g, y, x] | flags[i, g + 1, y, x]) & unusable:
                steps[i, g] = np.nan
            else:
                steps[i, g] = np.float32(data[i, g + 1, y, x] * gain) - np.float32(data[i, g, y, x] * gain)


@compiled
def _store(
    steps: np.ndarray,
    hits: np.ndarray,
    read: float,
    y: int,
    x: int,
    thresholds: Thresholds,
    bits: Bits,
    room: np.ndarray,
    flags: np.ndarray,
    spreads: np.ndarray,
) -> None:
    middle = nanmedian(steps, room)
    sigma = np.sqrt(abs(middle) + read)
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            if hits[i, g]:
                flags[i, g + 1, y, x] |= np.uint8(bits.jump)
                ratio = abs(steps[i, g] - middle) / sigma
                spreads[i, g + 1, y, x] = thresholds.spread_from < ratio < thresholds.spread_to


@compiled
def _at_once(steps: np.ndarray, read: float, thresholds: Thresholds, hits: np.ndarray, room: np.ndarray) -> bool:
    """Mark all differences that are far from the median; return whether there are any."""
    middle, found = nanmedian(steps, room), False
    sigma = np.sqrt(abs(middle) + read)
    if not sigma > 0:
        return False
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            hits[i, g] = abs(steps[i, g] - middle) / sigma > thresholds.many
            found |= hits[i, g]
    return found


@compiled
def _clip(steps: np.ndarray, first: int, last: int, limit: float, hits: np.ndarray, room: np.ndarray) -> bool:
    """Mark the differences from group `first` to before `last` that clipping at `limit` leaves out."""
    n, found = 0, False
    for i in range(steps.shape[0]):
        for g in range(first, last):
            if not np.isnan(steps[i, g]):
                room[n] = steps[i, g]
                n += 1
    low, high = clip_bounds(room, n, limit)
    for i in range(steps.shape[0]):
        for g in range(first, last):
            hits[i, g] = steps[i, g] < low or steps[i, g] > high
            found |= hits[i, g]
    return found


@compiled
def _one_by_one(steps: np.ndarray, read: float, thresholds: Thresholds, hits: np.ndarray, room: np.ndarray) -> bool:
    """Mark the difference that is worst, in absolute value; then, without it, the next one, as long as there is one."""
    any_found, again = False, True
    while again:
        middle, threshold = _expectation(steps, hits, thresholds, room)
        again = _mark_worst(steps, middle, np.sqrt(abs(middle) + read), threshold, hits)
        any_found |= again
    return any_found


@compiled
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
        return median_of_sorted(room, 0, kept), thresholds.many
    if n == 3:
        return room[1], thresholds.three
    return (room[0], thresholds.two) if n == 2 else (np.nan, np.inf)


@compiled
def _mark_worst(steps: np.ndarray, middle: float, sigma: float, threshold: float, hits: np.ndarray) -> bool:
    worst = -1.0
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            ratio = abs(np.float64(np.float32(abs(steps[i, g]) - middle))) / sigma
            if not hits[i, g] and ratio > worst:
                worst = ratio
    if not (sigma > 0 and worst > threshold):
        return False
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            ratio = abs(np.float64(np.float32(abs(steps[i, g]) - middle))) / sigma
            hits[i, g] |= ratio == worst
    return True


def spread(spreads: np.ndarray, flags: np.ndarray, bits: Bits) -> None:
    """Set the bit `jump`, in place, in the four neighbours of each pixel of `spreads`, in the same group.

    Both (nints, ngroups, ny, nx). Groups that are not usable are left as they are.
    """
    i, g, y, x = np.nonzero(spreads)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        v, u = y + dy, x + dx
        on = (v >= 0) & (v < flags.shape[2]) & (u >= 0) & (u < flags.shape[3])
        there = i[on], g[on], v[on], u[on]
        jump = np.where(flags[there] & np.uint8(bits.unusable), np.uint8(0), np.uint8(bits.jump))
        flags[there] |= jump


def prolong(
    data: np.ndarray, flags: np.ndarray, gain: np.ndarray, bits: Bits, heights: np.ndarray, lengths: np.ndarray
) -> None:
    """Set the bit `jump`, in place, in the `lengths[k]` groups after a jump of at least `heights[k]` electrons.

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
                _differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                middle = nanmedian(steps, room)
                for i in range(nints):
                    _prolong_ramp(steps[i], middle, flags, i, y, x, bits, heights, lengths)


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
                if steps[g - 1] - middle >= heights[k]:
                    until = max(until, g + lengths[k])
        if g <= until and not flags[i, g, y, x] & bits.unusable:
            flags[i, g, y, x] |= np.uint8(bits.jump)
