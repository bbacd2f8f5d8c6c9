"""Jumps as differences that clipping leaves out: of the same groups of all integrations, or of all groups.

Where the median can only be in a narrow bracket, mostly all numbers are on the same side of the bounds wherever in it
the median is. Where that is not so, it is selected among the numbers in the bracket; hardly ever all are sorted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import tallies
from jwrules.kernels.clipped_hits import Hits, spread
from jwrules.kernels.clipping import clip_bounds, select
from jwrules.kernels.compiled import compiled
from jwrules.kernels.differences import Bits, Thresholds, read_variance
from jwrules.kernels.tallies import BRACKET, Tallies, deviation

MARGIN = 1 - 1e-4
"""Numbers nearer than this part of a limit are within it, whatever the rounding."""

ROUNDS, FEWEST = 5, 3
"""Rounds of clipping, and how many numbers it takes."""

WIDE = 4 * BRACKET
"""Half the width of the bracket that is tried next."""

SELDOM = 64
"""Of the differences of some pixels of a row, one in so many may be a hit that is remembered."""


class Room(NamedTuple):
    """Differences (DN) of some pixels (n, p), of one of them (n,) and some of these (n,); and room to sort."""

    steps: np.ndarray
    one: np.ndarray
    some: np.ndarray


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
) -> None:
    """Flag jumps, and which of them spread, as `jump.find` says."""
    nints, ngroups, _, nx = data.shape
    n = nints if by_group else nints * (ngroups - 1)
    width = tallies.width_of(n)
    room = Room(np.empty((n, width), np.float32), np.empty(n, np.float32), np.empty(n))
    lie, variance, unsure = tallies.room_for(width), np.empty(width), np.empty(width, np.bool_)
    most = width * nints * (ngroups - 1) // SELDOM + 1
    hits = Hits(np.empty((most, 3), np.int32), np.empty(most, np.float32), np.empty((4, width)))
    for y in range(start, stop):
        for first in range(0, nx, width):
            pixels = min(width, nx - first)
            found, seen = _clip_each(data, flags, y, first, pixels, gain[y], thresholds.many, bits, room, lie, hits)
            unsure[:] = found > most or seen & np.uint8(bits.jump) != 0
            for k in range(pixels):
                variance[k] = read_variance(readnoise[y, first + k], gain[y, first + k], frames)
            spread(data, flags, gain[y], y, first, pixels, min(found, most), hits, variance, unsure, thresholds, bits)


@compiled
def _clip_each(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    first: int,
    pixels: int,
    gain: np.ndarray,
    limit: float,
    bits: Bits,
    room: Room,
    lie: Tallies,
    hits: Hits,
) -> tuple[int, np.uint8]:
    """Flag the jumps of some pixels of row y; return how many there are, and all bits that the groups had before."""
    nints, ngroups = data.shape[:2]
    per_ramp, found, seen = len(room.one) // nints, 0, np.uint8(0)
    hits.extremes[0::2], hits.extremes[1::2] = np.inf, -np.inf
    for g in range(1, ngroups, per_ramp):
        seen |= tallies.load(
            data, flags, y, first, pixels, gain, g, g + per_ramp, bits.unusable, False, room.steps, lie
        )
        tallies.bracket(room.steps, pixels, lie)
        for k in range(pixels):
            if gain[first + k] > 0 and not _is_calm(lie, k, limit):
                _copy(room.steps, k, room.one)
                _narrow(room.one, k, lie)
                if not _is_calm(lie, k, limit):
                    low, high = _clip(room.one, k, lie, limit, room.some)
                    found = _flag(room.one, k, low, high, flags, y, first + k, g, per_ramp, bits.jump, hits, found)
            hits.extremes[0, k] = min(hits.extremes[0, k], lie.median_from[k])
            hits.extremes[1, k] = max(hits.extremes[1, k], lie.median_to[k])
    return found, seen


@compiled
def _is_calm(lie: Tallies, k: int, limit: float) -> bool:
    """Return whether nothing is clipped, wherever in its bracket the median is."""
    reach = max(lie.high[k] - lie.median_from[k], lie.median_to[k] - lie.low[k])
    return lie.number[k] == 0 or reach < MARGIN * limit * deviation(lie, k)


@compiled
def _copy(steps: np.ndarray, k: int, room: np.ndarray) -> None:
    for j in range(room.size):
        room[j] = steps[j, k]


@compiled
def _clip(room: np.ndarray, k: int, lie: Tallies, limit: float, some: np.ndarray) -> tuple[float, float]:
    """Return the bounds that clipping finds for the differences of a pixel, which may be NaN."""
    sure, low, high = _clip_surely(room, k, lie, limit, some)
    if sure:
        return low, high
    numbers = room[~np.isnan(room)].astype(np.float64)
    return clip_bounds(numbers, numbers.size, limit)


@compiled
def _clip_surely(room: np.ndarray, k: int, lie: Tallies, limit: float, some: np.ndarray) -> tuple[bool, float, float]:
    """Clip the differences of a pixel without sorting them all; return whether that is certain, and the bounds.

    What clipping leaves also tells better where the median of all is.
    """
    n, total, squares = lie.number[k], lie.total[k], lie.squares[k]
    kept_from, kept_to, low, high = -np.inf, np.inf, 0.0, 0.0
    middle, sigma = (lie.median_from[k], lie.median_to[k]), 0.0
    for turn in range(ROUNDS):
        if n < FEWEST:
            return False, 0.0, 0.0
        sigma = np.sqrt(max(squares / n - (total / n) ** 2, 0.0))
        if turn > 0:
            middle = _bracket(room, kept_from, kept_to, n, total / n, sigma)
        if not _is_certain(room, middle, limit * sigma):
            exact = _median_within(room, kept_from, kept_to, n, middle, some)
            middle = exact, exact
            if not _is_certain(room, middle, limit * sigma):
                return False, 0.0, 0.0
        low, high, before = middle[1] - MARGIN * limit * sigma, middle[0] + MARGIN * limit * sigma, n
        for value in room:
            if (value < low or value > high) and kept_from <= value <= kept_to:
                n, total, squares = n - 1, total - value, squares - np.float64(value) * value
        if n == before:
            break
        kept_from, kept_to = max(kept_from, low), min(kept_to, high)
    if n >= FEWEST:
        _learn(room, k, lie, total / n, sigma)
    return True, low, high


@compiled
def _narrow(room: np.ndarray, k: int, lie: Tallies) -> None:
    """Find a bracket of the median of all differences of a pixel, if the first one does not hold it."""
    if lie.median_from[k] == lie.low[k]:
        _learn(room, k, lie, lie.total[k] / lie.number[k], deviation(lie, k))


@compiled
def _learn(room: np.ndarray, k: int, lie: Tallies, mean: float, sigma: float) -> None:
    """Narrow the bracket of the median of all differences of a pixel, if it is not far from some mean."""
    low, high = _bracket(room, -np.inf, np.inf, lie.number[k], mean, sigma)
    lie.median_from[k], lie.median_to[k] = max(lie.median_from[k], low), min(lie.median_to[k], high)


@compiled
def _bracket(
    room: np.ndarray, kept_from: float, kept_to: float, n: int, mean: float, sigma: float
) -> tuple[float, float]:
    """Return between which limits the median of the n numbers that are kept lies."""
    for factor in (BRACKET, WIDE):
        low, high = mean - factor * sigma / np.sqrt(n), mean + factor * sigma / np.sqrt(n)
        below, above = 0, 0
        for value in room:
            below += (value >= kept_from) & (value < low)
            above += (value <= kept_to) & (value > high)
        if 2 * max(below, above) < n - 1:
            return low, high
    return kept_from, kept_to


@compiled
def _is_certain(room: np.ndarray, middle: tuple[float, float], reach: float) -> bool:
    """Return whether the same numbers are farther than `reach` from the median wherever in its bracket it is."""
    low, high = middle[1] - MARGIN * reach, middle[0] + MARGIN * reach
    surely_low, surely_high, unsure = middle[0] - reach / MARGIN, middle[1] + reach / MARGIN, 0
    for value in room:
        unsure += ((value < low) & (value > surely_low)) | ((value > high) & (value < surely_high))
    return unsure == 0


@compiled
def _median_within(
    room: np.ndarray, kept_from: float, kept_to: float, n: int, middle: tuple[float, float], some: np.ndarray
) -> float:
    """Return the median of the n numbers that are kept, which is in a bracket."""
    size, below = 0, 0
    for value in room:
        if kept_from <= value <= kept_to:
            if value < middle[0]:
                below += 1
            elif value <= middle[1]:
                some[size] = value
                size += 1
    rank = int(n) // 2 - below
    select(some, size, rank)
    if int(n) % 2:
        return some[rank]
    lower = some[0]
    for j in range(1, rank):
        lower = max(lower, some[j])
    return (lower + some[rank]) / 2


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
    hits: Hits,
    found: int,
) -> int:
    """Flag the differences outside of the bounds; keep them and their limits in `hits`; return how many hits.

    More than there is room for are not kept, but counted.
    """
    for j in range(room.size):
        if room[j] < low or room[j] > high:
            i, g = j // per_ramp, group + j % per_ramp
            flags[i, g, y, x] |= np.uint8(jump)
            hits.extremes[2, k] = min(hits.extremes[2, k], room[j])
            hits.extremes[3, k] = max(hits.extremes[3, k], room[j])
            if found < len(hits.steps):
                hits.where[found, 0], hits.where[found, 1], hits.where[found, 2] = k, i, g
                hits.steps[found] = room[j]
            found += 1
    return found
