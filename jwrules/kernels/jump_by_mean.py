"""Jumps as differences that the mean of the others does not explain, each in units of the noise of that comparison.

With the differences d, their variance V and the covariance C of successive ones, which share a group, n of them usable
and p pairs of these successive, the excess n (d - mean) has the variance V n (n - 1) + 2 C (p - n k), where k is how
many successive ones d has. So a threshold lets as much noise pass as it says, be there two differences or a thousand.
V and C are those of photons and of reads where groups average frames: source: Vacca et al. 2004, PASP 116, 352.

Rays only rise. Where they are in two of three differences the third one seems to fall: so of few differences one that
rises beyond the threshold is taken before one that falls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled
from jwrules.kernels.differences import Bits, Thresholds, read_variance

MARGIN = 1 - 1e-5
"""Excesses below this part of the threshold are no jumps, whatever the rounding."""

FEW = 4
"""Of so many differences, or fewer, one that rises is taken first."""

TILE, NARROWEST, WIDEST = 2**20, 128, 512
"""About how many differences are looked at together, and of how many pixels."""


class Noise(NamedTuple):
    """Variance of a difference and covariance of successive ones for each electron in it, and the frames averaged."""

    photons: float
    shared: float
    frames: int


def noise(frames: int, gap: int) -> Noise:
    """Return the noise where groups average `frames` frames and `gap` more are left out."""
    curvature = (frames**2 - 1) / (6 * frames * (frames + gap))
    return Noise(1 - 2 * curvature, curvature, frames)


@compiled
def find(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    expected: Noise,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Flag jumps, and which of them spread, as `jump.find` says."""
    nints, ngroups, _, nx = data.shape
    n = nints * (ngroups - 1)
    width = min(max(NARROWEST, TILE // n), WIDEST)
    steps, one, hits = np.empty((n, width), np.float32), np.empty(n), np.empty(n, np.bool_)
    count, total = np.empty(width, np.int32), np.empty(width)
    low, high = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(start, stop):
        for first in range(0, nx, width):
            pixels = min(width, nx - first)
            _load(data, flags, y, first, pixels, bits.unusable, steps, count, total, low, high)
            for k in range(pixels):
                x = first + k
                read = read_variance(readnoise[y, x], gain[y, x], expected.frames)
                reach = max(high[k] - total[k] / count[k], total[k] / count[k] - low[k]) * gain[y, x]
                level = abs(total[k] / count[k]) * gain[y, x]
                if gain[y, x] > 0 and not _is_calm(count[k], reach, level, read, expected, thresholds):
                    for j in range(n):
                        one[j] = steps[j, k] * gain[y, x]
                    if _one_by_one(one, hits, ngroups - 1, read, expected, thresholds):
                        _store(one, hits, read, expected, steps[:, k], gain[y, x], y, x, thresholds, bits, flags)


@compiled
def _load(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    first: int,
    pixels: int,
    unusable: int,
    steps: np.ndarray,
    count: np.ndarray,
    total: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> None:
    """Write the differences (DN) of some pixels of a row, NaN if unusable, and their number, sum and limits."""
    nints, ngroups = data.shape[:2]
    mask = np.uint8(unusable)
    for k in range(pixels):
        count[k], total[k], low[k], high[k] = 0, 0.0, np.inf, -np.inf
    for i in range(nints):
        for g in range(1, ngroups):
            now, before = data[i, g, y, first : first + pixels], data[i, g - 1, y, first : first + pixels]
            bad, worse = flags[i, g, y, first : first + pixels], flags[i, g - 1, y, first : first + pixels]
            line = steps[i * (ngroups - 1) + g - 1, :pixels]
            _subtract(now, before, bad, worse, mask, line)
            _add(line, count, total, low, high)


@compiled
def _subtract(
    now: np.ndarray, before: np.ndarray, bad: np.ndarray, worse: np.ndarray, mask: np.uint8, line: np.ndarray
) -> None:
    nothing = np.float32(np.nan)
    for k in range(line.size):
        line[k] = now[k] - before[k] if (bad[k] | worse[k]) & mask == 0 else nothing


@compiled
def _add(line: np.ndarray, count: np.ndarray, total: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Add differences to their number and sum, and let the limits hold them.

    Each loop writes into one array: that compiles to vector instructions.
    """
    for k in range(line.size):
        count[k] += 1 if line[k] == line[k] else 0
    for k in range(line.size):
        total[k] += line[k] if line[k] == line[k] else np.float32(0)
    for k in range(line.size):
        low[k] = line[k] if line[k] < low[k] else low[k]
    for k in range(line.size):
        high[k] = line[k] if line[k] > high[k] else high[k]


@compiled
def _is_calm(n: int, reach: float, level: float, read: float, expected: Noise, thresholds: Thresholds) -> bool:
    """Return whether none of n differences can be a jump that are no further than `reach` (electron) from the mean."""
    if n < 2:
        return True
    variance, covariance = expected.photons * level + read, expected.shared * level - read / 2
    least = variance * n * (n - 1) + min(2 * covariance * (n - 1), -4 * covariance * n)
    return n * reach < MARGIN * threshold_of(n, thresholds) * np.sqrt(max(least, 0.0))


@compiled
def threshold_of(n: int, thresholds: Thresholds) -> float:
    """Return the threshold (σ) of a difference among n."""
    if n == 2:
        return thresholds.two
    return thresholds.three if n == 3 else thresholds.many


@compiled
def _one_by_one(
    steps: np.ndarray, hits: np.ndarray, per_ramp: int, read: float, expected: Noise, thresholds: Thresholds
) -> bool:
    """Take the worst difference out, then, without it, the next one, as long as there is one; return whether any."""
    hits[:] = False
    any_found = False
    while True:
        n, pairs, mean = _summary(steps, per_ramp)
        if n < 2:
            return any_found
        level = abs(mean)
        variance, covariance = expected.photons * level + read, expected.shared * level - read / 2
        threshold = threshold_of(n, thresholds)
        worst, which = _worst(steps, per_ramp, n, pairs, mean, variance, covariance, threshold)
        if not worst > threshold:
            return any_found
        hits[which], steps[which], any_found = True, np.nan, True


@compiled
def _summary(steps: np.ndarray, per_ramp: int) -> tuple[int, int, float]:
    """Return how many differences are usable, how many successive pairs of these there are, and their mean."""
    n, pairs, total = 0, 0, 0.0
    for first in range(0, steps.size, per_ramp):
        usable_before = False
        for j in range(first, first + per_ramp):
            usable = steps[j] == steps[j]
            n += usable
            total += steps[j] if usable else 0.0
            pairs += usable and usable_before
            usable_before = usable
    return n, pairs, total / n


@compiled
def _worst(
    steps: np.ndarray,
    per_ramp: int,
    n: int,
    pairs: int,
    mean: float,
    variance: float,
    covariance: float,
    threshold: float,
) -> tuple[float, int]:
    """Return the largest excess, in σ, and where, if it is above `threshold`.

    Of two that are alike, and of few, it is the one that rises. Most are too near the mean to be that one, whatever is
    beside them.
    """
    fall, lowest, rise, highest, scale = 0.0, 0, 0.0, 0, np.empty(3)
    for beside in range(3):
        scale[beside] = n / np.sqrt(variance * n * (n - 1) + 2 * covariance * (pairs - n * beside))
    near = MARGIN * threshold / max(scale[0], scale[1], scale[2])
    for first in range(0, steps.size, per_ramp):
        for j in range(first, first + per_ramp):
            if abs(steps[j] - mean) < near:
                continue
            beside = 1 if j > first and steps[j - 1] == steps[j - 1] else 0
            after = 1 if j + 1 < first + per_ramp and steps[j + 1] == steps[j + 1] else 0
            ratio = (steps[j] - mean) * scale[beside + after]
            if ratio > rise:
                rise, highest = ratio, j
            elif -ratio > fall:
                fall, lowest = -ratio, j
    if rise > fall * (1 - 1e-9) or (n <= FEW and rise > threshold):
        return rise, highest
    return fall, lowest


@compiled
def _store(
    steps: np.ndarray,
    hits: np.ndarray,
    read: float,
    expected: Noise,
    counts: np.ndarray,
    gain: float,
    y: int,
    x: int,
    thresholds: Thresholds,
    bits: Bits,
    flags: np.ndarray,
) -> None:
    """Flag the hits of a pixel, and which spread; `steps` are the other differences, `counts` (DN) all."""
    per_ramp = flags.shape[1] - 1
    _, _, mean = _summary(steps, per_ramp)
    sigma = np.sqrt(expected.photons * abs(mean) + read)
    for j in range(hits.size):
        if hits[j]:
            i, g = j // per_ramp, j % per_ramp + 1
            ratio = abs(counts[j] * gain - mean) / sigma
            flags[i, g, y, x] |= np.uint8(bits.jump)
            if thresholds.spread_from < ratio < thresholds.spread_to:
                flags[i, g, y, x] |= np.uint8(bits.spreads)
