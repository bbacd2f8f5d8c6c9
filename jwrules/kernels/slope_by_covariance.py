"""The slope of a ramp by generalized least squares, with the covariance of its noise.

The differences of successive groups share photons of averaged frames and read noise with their neighbours: their
covariance has p - 2b on the diagonal and b beside it, where p is the Poisson variance of a group interval and b is
Poisson covariance minus read variance. The weights of the differences of a segment of n groups have a closed form,
c_k = (1 - (q^k + q^(n-k)) / (1 + q^n)) / p with q = -2b / (p - 2b + √(p (p - 4b))), and 1 / Σ c_k is the variance of
the slope. The rate that p needs comes from the ramp itself, fitted once before with weights from the plain
mean: such a rate is uncorrelated with any difference of two slopes, so that weights taken from it cause no bias.
Segments that disagree beyond chance have no common rate and no photon noise that goes with it: read noise weights them.
Source: Kubik et al. 2016, PASP 128, 104504; Brandt 2024, PASP 136, 045004.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled

FAINTEST = 1e-8
"""Lowest Poisson variance in units of the read variance: below it the closed form loses its digits."""


DISAGREEMENT = 25.0
"""χ² for each segment but one from which on segments have no common rate: the square of five sigma."""


class Noise(NamedTuple):
    """The noise of one pixel: electron/DN, variance of a read group (DN²), dark (electron/s); times in seconds.

    `shared_time` is how long the photons of averaged frames are common to neighbouring differences.
    """

    gain: float
    read: float
    dark: float
    group_time: float
    shared_time: float


@compiled
def variance(rate: float, noise: Noise) -> tuple[float, float]:
    """Return p, the Poisson variance of a group interval (DN²), and b, the covariance of neighbouring differences."""
    poisson = (max(rate, 0.0) + noise.dark / noise.gain) / noise.gain
    p = max(max(poisson * noise.group_time, FAINTEST * noise.read), 1e-30)
    return p, poisson * noise.shared_time - noise.read


@compiled
def ratio(p: float, b: float) -> float:
    """Return q, the ratio of the closed form."""
    return -2 * b / (p - 2 * b + np.sqrt(p * (p - 4 * b)))


@compiled
def information(n: int, p: float, b: float) -> float:
    """Return the inverse variance (1/DN²) of the slope per group of `n` groups."""
    q = ratio(p, b)
    total = q * (1 - q ** (n - 1)) / (1 - q)
    return (n - 1 - 2 * total / (1 + q**n)) / p


@compiled
def segment(counts: np.ndarray, first: int, last: int, p: float, b: float, powers: np.ndarray) -> tuple[float, float]:
    """Return the sum of the weighted differences of counts[first:last], two groups or more, and the sum of the weights.

    `powers` is room for one number per group and one more.
    """
    n, q = last - first, ratio(p, b)
    powers[0] = 1.0
    for k in range(1, n + 1):
        powers[k] = powers[k - 1] * q
    weighted, weights, scale = 0.0, 0.0, 1 / (1 + powers[n])
    for k in range(1, n):
        weight = 1 - (powers[k] + powers[n - k]) * scale
        weighted += weight * (counts[first + k] - counts[first + k - 1])
        weights += weight
    return weighted / p, weights / p


@compiled
def fit(counts: np.ndarray, bounds: np.ndarray, found: int, noise: Noise, powers: np.ndarray) -> tuple[float, float]:
    """Return rate (DN/s) and inverse variance (s²/DN²) of `found` segments of two groups or more."""
    rate, weights = _plain_mean(counts, bounds, found) / noise.group_time, 0.0
    for turn in range(2):
        p, b = variance(rate, noise)
        weighted, weights, squares = 0.0, 0.0, 0.0
        for s in range(found):
            more = segment(counts, bounds[s, 0], bounds[s, 1], p, b, powers)
            weighted += more[0]
            weights += more[1]
            squares += more[0] ** 2 / more[1]
        if turn and squares - weighted**2 / weights > DISAGREEMENT * (found - 1):
            return _fit_by_read_noise(counts, bounds, found, p, b, noise, powers)
        rate = weighted / weights / noise.group_time
    return rate, weights * noise.group_time**2


@compiled
def _fit_by_read_noise(
    counts: np.ndarray, bounds: np.ndarray, found: int, p: float, b: float, noise: Noise, powers: np.ndarray
) -> tuple[float, float]:
    """Return what `fit` does for segments that have no common rate: each weighs as read noise alone would have it."""
    slopes, spread, weights = 0.0, 0.0, 0.0
    for s in range(found):
        n = bounds[s, 1] - bounds[s, 0]
        one, weight = segment(counts, bounds[s, 0], bounds[s, 1], p, b, powers), n**3 - n
        slopes += weight * one[0] / one[1]
        spread += weight**2 / one[1]
        weights += weight
    return slopes / weights / noise.group_time, weights**2 / spread * noise.group_time**2


@compiled
def _plain_mean(counts: np.ndarray, bounds: np.ndarray, found: int) -> float:
    rise, differences = 0.0, 0
    for s in range(found):
        rise += counts[bounds[s, 1] - 1] - counts[bounds[s, 0]]
        differences += bounds[s, 1] - bounds[s, 0] - 1
    return rise / differences


@compiled
def single(time: float, rate: float, noise: Noise) -> float:
    """Return the variance of a rate (DN²/s²) that is one group over its `time` since reset."""
    poisson = (max(rate, 0.0) + noise.dark / noise.gain) / noise.gain
    return poisson / time + 2 * noise.read / time**2


@compiled
def total_information(bounds: np.ndarray, found: int, rate: float, noise: Noise) -> float:
    """Return the inverse variance (s²/DN²) of the rate of an integration with segments of two groups or more."""
    p, b = variance(rate, noise)
    total = 0.0
    for s in range(found):
        total += information(bounds[s, 1] - bounds[s, 0], p, b)
    return total * noise.group_time**2
