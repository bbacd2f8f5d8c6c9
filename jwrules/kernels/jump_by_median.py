"""Jumps as differences that are far from the median one, as the official pipeline seeks them.

The noise of a difference is that of its photons, taken from the median, and of two reads. With few differences the
worst one, in absolute value, is taken out first, then the next is looked at without it. Source: Anderson and Gordon
2011, PASP 123, 1237.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels import calm_ramps, tallies
from jwrules.kernels.clipping import median_of_sorted, nanmedian, sort
from jwrules.kernels.compiled import compiled
from jwrules.kernels.differences import Bits, Thresholds, differences, read_variance, store


@compiled
def find(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    frames: int,
    one_by_one: bool,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Flag jumps, and which of them spread, as `jump.find` says."""
    nints, ngroups, _, nx = data.shape
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    room, read, calm = np.empty(steps.size), np.empty(nx), np.zeros(nx, np.bool_)
    width = tallies.width_of(steps.size)
    tile, lie = np.empty((steps.size, width), np.float32), tallies.room_for(width)
    lowest = min(min(thresholds.many, thresholds.three), thresholds.two)
    for y in range(start, stop):
        for x in range(nx):
            read[x] = read_variance(readnoise[y, x], gain[y, x], frames)
        if room.size <= calm_ramps.MANY:
            calm_ramps.find(data, flags, y, gain[y], read, lowest, one_by_one, calm)
        else:
            _look(data, flags, y, gain[y], read, lowest, one_by_one, bits.unusable, tile, lie, calm)
        for x in range(nx):
            if not calm[x] and gain[y, x] > 0:
                differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                if one_by_one:
                    found = _one_by_one(steps, read[x], thresholds, hits, room)
                else:
                    found = _at_once(steps, read[x], thresholds, hits, room)
                if found:
                    store(steps, hits, read[x], y, x, thresholds, bits, room, flags)


@compiled
def _look(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    gain: np.ndarray,
    read: np.ndarray,
    threshold: float,
    absolute: bool,
    unusable: int,
    tile: np.ndarray,
    lie: tallies.Tallies,
    calm: np.ndarray,
) -> None:
    """Mark in `calm` (nx,) the pixels of row y without a difference near `threshold` (σ), wherever the median is."""
    width = tile.shape[1]
    for first in range(0, calm.size, width):
        pixels = min(width, calm.size - first)
        tallies.load(data, flags, y, first, pixels, gain, 1, data.shape[1], unusable, absolute, tile, lie)
        tallies.bracket(tile, pixels, lie)
        for k in range(pixels):
            reach = max(lie.high[k] - lie.median_from[k], lie.median_to[k] - lie.low[k])
            level = max(lie.median_from[k], -lie.median_to[k], 0.0)
            sigma = np.sqrt(level + read[first + k])
            calm[first + k] = reach < calm_ramps.MARGIN * threshold * sigma or lie.number[k] < 2


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
