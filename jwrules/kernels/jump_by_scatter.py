"""Jumps as differences that clipping leaves out: of the same groups of all integrations, or of all groups.

Where the median can only be in a narrow bracket, mostly all numbers are on the same side of the bounds wherever in it
the median is. Only where that is not so the numbers are sorted.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels import tallies
from jwrules.kernels.clipping import clip_bounds
from jwrules.kernels.compiled import compiled
from jwrules.kernels.differences import Bits, Thresholds, differences, read_variance, store
from jwrules.kernels.tallies import Tallies, deviation

MARGIN = 1 - 1e-4
"""Numbers nearer than this part of a limit are within it, whatever the rounding."""


@compiled
def find(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    frames: int,
    by_group: bool,
    thresholds: Thresholds,
    bits: Bits,
    spreads: np.ndarray,
) -> None:
    """Flag jumps and tell where they spread, as `jump.find` says."""
    nints, ngroups, _, nx = data.shape
    per_ramp = 1 if by_group else ngroups - 1
    width = tallies.width_of(nints * per_ramp)
    steps, room = np.empty((nints * per_ramp, width), np.float32), np.empty(nints * per_ramp)
    lie, extremes = tallies.room_for(width), np.empty((4, width))
    each, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    for y in range(start, stop):
        for first in range(0, nx, width):
            pixels = min(width, nx - first)
            extremes[0::2], extremes[1::2] = np.inf, -np.inf
            for g in range(1, ngroups, per_ramp):
                tallies.load(data, flags, y, first, pixels, gain[y], g, g + per_ramp, bits.unusable, False, steps, lie)
                tallies.bracket(steps, pixels, lie)
                for k in range(pixels):
                    extremes[0, k] = min(extremes[0, k], lie.median_from[k])
                    extremes[1, k] = max(extremes[1, k], lie.median_to[k])
                    if gain[y, first + k] > 0 and not _is_calm(lie, k, thresholds.many):
                        _copy(steps, k, room)
                        low, high = _clip(room, k, lie, thresholds.many)
                        _flag(room, k, low, high, flags, y, first + k, g, per_ramp, bits.jump, extremes)
            for k in range(pixels):
                read = read_variance(readnoise[y, first + k], gain[y, first + k], frames)
                if extremes[2, k] < np.inf and not _is_weak(extremes, k, read, thresholds.spread_from):
                    differences(data, flags, y, first + k, gain[y, first + k], bits.unusable, each, hits)
                    _recall(flags, y, first + k, bits.jump, each, hits)
                    if not _spread_surely(each, hits, extremes, k, read, y, first + k, thresholds, spreads):
                        store(each, hits, read, y, first + k, thresholds, bits, np.empty(each.size), flags, spreads)


@compiled
def _is_calm(lie: Tallies, k: int, limit: float) -> bool:
    """Return whether nothing is clipped, wherever in its bracket the median is."""
    reach = max(lie.high[k] - lie.median_from[k], lie.median_to[k] - lie.low[k])
    return lie.number[k] == 0 or reach < MARGIN * limit * deviation(lie, k)


@compiled
def _clip_surely(room: np.ndarray, k: int, lie: Tallies, limit: float) -> tuple[bool, float, float]:
    """Clip the differences of a pixel without their median; return whether that is certain, and the bounds."""
    n, total, squares, below, above = lie.number[k], lie.total[k], lie.squares[k], lie.below[k], lie.above[k]
    kept_from, kept_to, low, high = -np.inf, np.inf, 0.0, 0.0
    for _ in range(5):
        if not 2 * max(below, above) < n - 2:
            return False, 0.0, 0.0
        reach = limit * np.sqrt(max(squares / n - (total / n) ** 2, 0.0))
        low, high = lie.median_to[k] - MARGIN * reach, lie.median_from[k] + MARGIN * reach
        surely_low, surely_high = lie.median_from[k] - reach / MARGIN, lie.median_to[k] + reach / MARGIN
        before = n
        for value in room:
            if value < low or value > high:
                if surely_low < value < surely_high:
                    return False, 0.0, 0.0
                if kept_from <= value <= kept_to:
                    n, total, squares = n - 1, total - value, squares - value * value
                    below, above = below - (1 if value < low else 0), above - (1 if value > high else 0)
        if n == before:
            break
        kept_from, kept_to = max(kept_from, low), min(kept_to, high)
    return True, low, high


@compiled
def _copy(steps: np.ndarray, k: int, room: np.ndarray) -> None:
    for j in range(room.size):
        room[j] = steps[j, k]


@compiled
def _clip(room: np.ndarray, k: int, lie: Tallies, limit: float) -> tuple[float, float]:
    """Return the bounds that clipping finds for the differences of a pixel, which may be NaN."""
    sure, low, high = _clip_surely(room, k, lie, limit)
    if sure:
        return low, high
    numbers = room[~np.isnan(room)]
    return clip_bounds(numbers, numbers.size, limit)


@compiled
def _flag(
    room: np.ndarray,
    k: int,
    low: float,
    high: float,
    flags: np.ndarray,
    y: int,
    x: int,
    group: int,
    per_ramp: int,
    jump: int,
    extremes: np.ndarray,
) -> None:
    """Flag the differences outside of the bounds, and keep the lowest and the highest of them in `extremes`."""
    for j in range(room.size):
        if room[j] < low or room[j] > high:
            flags[j // per_ramp, group + j % per_ramp, y, x] |= np.uint8(jump)
            extremes[2, k] = min(extremes[2, k], room[j])
            extremes[3, k] = max(extremes[3, k], room[j])


@compiled
def _is_weak(extremes: np.ndarray, k: int, read: float, limit: float) -> bool:
    """Return whether no hit is `limit` σ from the median of all differences, which lies between those of the groups."""
    reach = max(extremes[3, k] - extremes[0, k], extremes[1, k] - extremes[2, k])
    level = max(extremes[0, k], -extremes[1, k], 0.0)
    return reach < MARGIN * limit * np.sqrt(level + read)


@compiled
def _spread_surely(
    steps: np.ndarray,
    hits: np.ndarray,
    extremes: np.ndarray,
    k: int,
    read: float,
    y: int,
    x: int,
    thresholds: Thresholds,
    spreads: np.ndarray,
) -> bool:
    """Tell which hits spread, if that is the same wherever in its bracket the median is; return whether it is."""
    level = max(extremes[0, k], -extremes[1, k], 0.0), max(abs(extremes[0, k]), abs(extremes[1, k]))
    sigma = MARGIN * np.sqrt(level[0] + read), np.sqrt(level[1] + read) / MARGIN
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            if hits[i, g]:
                away = steps[i, g] - extremes[1, k], extremes[0, k] - steps[i, g]
                least = max(away[0], away[1], 0.0) / sigma[1]
                most = max(-away[0], -away[1]) / sigma[0]
                spread = thresholds.spread_from < least and most < thresholds.spread_to
                if not (spread or most < thresholds.spread_from or least > thresholds.spread_to):
                    return False
                spreads[i, g + 1, y, x] = spread
    return True


@compiled
def _recall(flags: np.ndarray, y: int, x: int, jump: int, steps: np.ndarray, hits: np.ndarray) -> None:
    """Mark the differences that are flagged as jumps."""
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            hits[i, g] = (flags[i, g + 1, y, x] & jump) != 0 and not np.isnan(steps[i, g])
