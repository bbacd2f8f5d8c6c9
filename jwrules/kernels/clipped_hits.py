"""Which jumps that clipping found spread to their neighbours: those far from the median of all differences of a pixel.

Mostly the bracket of that median tells; else the pixel is looked at again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled
from jwrules.kernels.differences import Bits, Thresholds, differences, store

MARGIN = 1 - 1e-4
"""Numbers nearer than this part of a limit are within it, whatever the rounding."""


class Hits(NamedTuple):
    """Jumps as they were found: number of the pixel, integration and group (n, 3), and difference (n,).

    extremes (4, p) are, of each pixel, between which limits the medians of its differences lie, and those of its jumps.
    """

    where: np.ndarray
    steps: np.ndarray
    extremes: np.ndarray


@compiled
def spread(
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    y: int,
    first: int,
    pixels: int,
    found: int,
    hits: Hits,
    variance: np.ndarray,
    unsure: np.ndarray,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Flag which hits of some pixels of a row spread; where that is `unsure`, by all differences of the pixel."""
    extremes = hits.extremes
    for h in range(found):
        k = hits.where[h, 0]
        if not (unsure[k] or _is_weak(extremes, k, variance[k], thresholds.spread_from)):
            unsure[k] = not _spreads_surely(hits, h, variance[k], y, first, thresholds, bits, flags)
    for k in range(pixels):
        is_hit = unsure[k] and extremes[2, k] < np.inf
        if is_hit and not _is_weak(extremes, k, variance[k], thresholds.spread_from):
            _look_again(data, flags, y, first + k, gain[first + k], variance[k], thresholds, bits)


@compiled
def _is_weak(extremes: np.ndarray, k: int, read: float, limit: float) -> bool:
    """Return whether no hit is `limit` σ from the median of all differences, which lies between those of the groups."""
    reach = max(extremes[3, k] - extremes[0, k], extremes[1, k] - extremes[2, k])
    level = max(extremes[0, k], -extremes[1, k], 0.0)
    return reach < MARGIN * limit * np.sqrt(level + read)


@compiled
def _spreads_surely(
    hits: Hits,
    h: int,
    read: float,
    y: int,
    first: int,
    thresholds: Thresholds,
    bits: Bits,
    flags: np.ndarray,
) -> bool:
    """Flag a hit that spreads, if that is the same wherever in its bracket the median is; return whether it is."""
    k, step, extremes = hits.where[h, 0], np.float64(hits.steps[h]), hits.extremes
    level = max(extremes[0, k], -extremes[1, k], 0.0), max(abs(extremes[0, k]), abs(extremes[1, k]))
    sigma = MARGIN * np.sqrt(level[0] + read), np.sqrt(level[1] + read) / MARGIN
    away = step - extremes[1, k], extremes[0, k] - step
    least = max(away[0], away[1], 0.0) / sigma[1]
    most = max(-away[0], -away[1]) / sigma[0]
    spread = thresholds.spread_from < least and most < thresholds.spread_to
    if spread:
        flags[hits.where[h, 1], hits.where[h, 2], y, first + k] |= np.uint8(bits.spreads)
    return spread or most < thresholds.spread_from or least > thresholds.spread_to


@compiled
def _look_again(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    x: int,
    gain: float,
    read: float,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Flag which hits of a pixel spread, by the median of all its differences."""
    nints, ngroups = data.shape[:2]
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    differences(data, flags, y, x, gain, bits.unusable, steps, hits)
    for i in range(nints):
        for g in range(ngroups - 1):
            hits[i, g] = (flags[i, g + 1, y, x] & bits.jump) != 0 and not np.isnan(steps[i, g])
    store(steps, hits, read, y, x, thresholds, bits, np.empty(steps.size), flags)
