"""The slope of a ramp by least squares with weights after its signal-to-noise ratio, as the official pipeline has it.

The weight of a group is its distance from the middle of the segment to a power that grows with the signal-to-noise
ratio of the segment. That ratio comes from the first and the last group of the very segment, whose noise then also
decides on the weights: a bias of some tenths of a percent. Source: Fixsen et al. 2000, PASP 112, 1350.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.clipping import median_of_sorted, sort
from jwrules.kernels.compiled import compiled
from jwrules.kernels.slope_by_covariance import Noise


@compiled
def segment(counts: np.ndarray, first: int, last: int, noise: Noise) -> float:
    """Return the slope (DN/s) of counts[first:last], two groups or more."""
    if last - first == 2:
        return (counts[first + 1] - counts[first]) / noise.group_time
    sw, sx, sxx, sy, sxy = _sums(counts, first, last, noise)
    return (sw * sxy - sx * sy) / (sw * sxx - sx * sx) / noise.group_time


@compiled
def _sums(counts: np.ndarray, first: int, last: int, noise: Noise) -> tuple[float, float, float, float, float]:
    """Return Σ w, Σ w x, Σ w x², Σ w y and Σ w x y of three groups or more; x is 0 in the middle."""
    power, middle = _power(counts[last - 1] - counts[first], noise), (last - first - 1) / 2
    sw, sx, sxx, sy, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(last - first):
        x = k - middle
        weight = float(np.float32(abs(x / middle)) ** np.float32(power))
        sw += weight
        sx += weight * x
        sxx += weight * x * x
        sy += weight * counts[first + k]
        sxy += weight * x * counts[first + k]
    return sw, sx, sxx, sy, sxy


@compiled
def line(counts: np.ndarray, first: int, last: int, noise: Noise) -> tuple[float, float, float, float]:
    """Return the slope (DN/s), its σ, the count at group 0 (DN) and its σ, of two groups or more.

    As in the official product the σ are those of read noise in electron, and that of the slope is per group.
    """
    slope, read = segment(counts, first, last, noise), np.sqrt(noise.read) * noise.gain
    if last - first == 2:
        level = counts[first] - first * (counts[first + 1] - counts[first])
        return slope, np.sqrt(2) * read, level, np.sqrt(2) * read
    sw, sx, sxx, sy, sxy = _sums(counts, first, last, noise)
    middle = first + (last - first - 1) / 2
    level, spread = (sxx * sy - sx * sxy) / (sw * sxx - sx * sx), read / np.sqrt(sw * sxx - sx * sx)
    at_start = sxx + 2 * middle * sx + sw * middle**2
    return slope, spread * np.sqrt(sw), level - slope * noise.group_time * middle, spread * np.sqrt(at_start)


@compiled
def _power(rise: float, noise: Noise) -> float:
    signal = rise * noise.gain
    square = noise.read * noise.gain**2 + signal
    ratio = max(signal / np.sqrt(square), 0.0) if square > 0 else 0.0
    if ratio < 5:
        return 0.0
    if ratio < 10:
        return 0.4
    if ratio < 20:
        return 1.0
    if ratio < 50:
        return 3.0
    return 6.0 if ratio < 100 else 10.0


@compiled
def median_rate(
    counts: np.ndarray, flags: np.ndarray, unusable: int, jump: int, noise: Noise, room: np.ndarray
) -> float:
    """Return the median (DN/s) of the differences that neither touch an `unusable` group nor end on a `jump`.

    Without any it is the first group over the group time where that one is usable, else 0.
    """
    found = 0
    for g in range(1, counts.size):
        if not (flags[g] | flags[g - 1]) & unusable and not flags[g] & jump:
            room[found] = counts[g] - counts[g - 1]
            found += 1
    if found:
        sort(room, found)
        return median_of_sorted(room, 0, found) / noise.group_time
    return 0.0 if flags[0] & unusable else counts[0] / noise.group_time


@compiled
def segment_variances(n: int, time: float, rate: float, noise: Noise) -> tuple[float, float]:
    """Return the Poisson and the read variance (DN²/s²) of the slope of `n` groups; one group is over its `time`."""
    poisson = (max(rate, 0.0) + noise.dark) / noise.gain
    if n == 1:
        return poisson / time, 2 * noise.read / time**2
    return poisson / (noise.group_time * (n - 1)), 12 * noise.read / (noise.group_time**2 * (n**3 - n))
