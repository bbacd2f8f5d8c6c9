"""Ramps without any flag, which most are: the fit by covariance of many at once, with vector instructions.

Groups that an integration leaves out for all pixels do not count. A pixel is whole where its ramps are clean in all
integrations, and done with then. Where not, what was found for its clean ramps is kept in double precision, for the
fit of the others and of the exposure.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled
from jwrules.kernels.exposure import Bits, Detector, Ramps, Timing, read_variance, shared_time
from jwrules.kernels.slope_by_covariance import Noise, information, ratio, variance
from jwrules.kernels.slope_by_signal import segment_variances

PIXELS = 512
"""How many ramps are fitted at once."""


class Row(NamedTuple):
    """What is found for part of a row: `whole` (n,) pixels; of ramps (nints, n) if they are clean, rate, weight.

    counts (ngroups, n) and powers (ngroups + 1, n) are room.
    """

    whole: np.ndarray
    clean: np.ndarray
    rates: np.ndarray
    weights: np.ndarray
    counts: np.ndarray
    powers: np.ndarray


@compiled
def make_row(nints: int, ngroups: int) -> Row:
    """Return room for part of a row."""
    clean, rates, weights = np.zeros((nints, PIXELS), np.bool_), np.empty((nints, PIXELS)), np.empty((nints, PIXELS))
    room = np.empty((ngroups, PIXELS)), np.empty((ngroups + 1, PIXELS))
    return Row(np.zeros(PIXELS, np.bool_), clean, rates, weights, *room)


@compiled
def fit_row(
    ramps: Ramps, detector: Detector, y: int, start: int, timing: Timing, bits: Bits, spans: np.ndarray, row: Row,
    result: np.ndarray,
) -> None:  # fmt: skip
    """Fit the ramps of `PIXELS` pixels of a row, from `start` on, that have no flag, together; tell which these are.

    Integration i is used from group spans[i, 0] to before spans[i, 1], two groups or more, or not at all.
    """
    nints, nx = ramps.data.shape[0], ramps.data.shape[3]
    alike, n = np.all(spans == spans[0]), min(PIXELS, nx - start)
    gain, read, dark, total = np.empty(n), np.empty(n), np.empty(n), np.zeros(n)
    rate, weights = np.empty(PIXELS), np.empty(PIXELS)
    for k in range(n):
        x = start + k
        row.whole[k] = not detector.skip[y, x]
        gain[k], dark[k], read[k] = detector.gain[y, x], detector.dark[y, x], read_variance(detector, y, x, timing)
    for i in range(nints):
        used = spans[i, 1] - spans[i, 0]
        if used < 2:
            row.clean[i] = False
            row.whole[:] = False
            continue
        slope_read = 12 / (timing.group**2 * (used**3 - used))
        _load(ramps, i, y, start, n, bits, spans[i], row.counts, row.clean[i])
        fit_together(
            row.counts[:used], n, gain, read, dark, timing.group, shared_time(timing), row.powers, rate, weights
        )  # fmt: skip
        for k in range(n):
            total[k] += rate[k] / nints
            row.clean[i, k] &= rate[k] == rate[k]
            row.whole[k] &= row.clean[i, k]
            row.rates[i, k], row.weights[i, k] = rate[k], weights[k]
            _store_whole(result, i, y, start + k, rate[k], weights[k], slope_read * read[k])
    used = spans[0, 1] - spans[0, 0]
    slope_read = 12 / (timing.group**2 * (used**3 - used)) if used > 1 else 0.0
    for k in range(n):
        noise = Noise(gain[k], read[k], dark[k], timing.group, shared_time(timing))
        if not alike:
            if row.whole[k]:
                _store_unlike(result, y, start + k, spans, noise, row, k)
            continue
        weight = row.weights[0, k]
        if nints > 1:
            p, b = variance(total[k], noise)
            weight = nints * information(used, p, b) * timing.group**2
        _store_whole(result, nints, y, start + k, total[k], weight, slope_read * read[k] / nints)


@compiled
def _load(
    ramps: Ramps,
    i: int,
    y: int,
    start: int,
    pixels: int,
    bits: Bits,
    span: np.ndarray,
    counts: np.ndarray,
    clean: np.ndarray,
) -> None:
    clean[:pixels] = True
    good = clean[:pixels]
    for g in range(ramps.data.shape[1]):
        flags = ramps.flags[i, g, y, start : start + pixels]
        if not span[0] <= g < span[1]:
            for k in range(pixels):
                good[k] &= (flags[k] & ~bits.harmless) == bits.unusable
            continue
        row, counted = ramps.data[i, g, y, start : start + pixels], counts[g - span[0]]
        for k in range(pixels):
            counted[k] = row[k]
            good[k] &= (flags[k] & ~bits.harmless) == 0


@compiled
def _store_whole(result: np.ndarray, plane: int, y: int, x: int, rate: float, information: float, read: float) -> None:
    poisson = max(1 / information - read, 0.0)
    result[0, plane, y, x], result[1, plane, y, x] = rate, np.sqrt(poisson + read)
    result[2, plane, y, x], result[3, plane, y, x] = poisson, read


@compiled
def _store_unlike(result: np.ndarray, y: int, x: int, spans: np.ndarray, noise: Noise, row: Row, k: int) -> None:
    """Store the rates of a whole pixel, the k-th of `row`, with ramps of several lengths, and their mean.

    As the fit of other pixels does. Their weights are those for one common rate.
    """
    rate, weights, by_read = 0.0, 0.0, 0.0
    for turn in range(3):
        p, b = variance(rate, noise)
        weighted, weights, by_read = 0.0, 0.0, 0.0
        length, weight, read_weight = 0, 0.0, 0.0
        for i in range(len(spans)):
            n = spans[i, 1] - spans[i, 0]
            if n != length:
                read_weight = 1 / segment_variances(n, 0.0, 0.0, noise)[1]
                weight = information(n, p, b) * noise.group_time**2 if turn else read_weight
                length = n
            weighted += weight * row.rates[i, k]
            weights += weight
            by_read += read_weight
            _store_whole(result, i, y, x, row.rates[i, k], row.weights[i, k], 1 / read_weight)
        rate = weighted / weights
    _store_whole(result, len(spans), y, x, rate, weights, 1 / by_read)


@compiled
def fit_together(
    counts: np.ndarray,
    pixels: int,
    gain: np.ndarray,
    read: np.ndarray,
    dark: np.ndarray,
    group_time: float,
    shared_time: float,
    powers: np.ndarray,
    rate: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Fit ramps `counts` (ngroups, pixels) that are one segment each: what `fit` does, for many pixels at once.

    gain, read and dark (pixels,) as in Noise. Write rate (DN/s) and inverse variance (s²/DN²) into `rate` and
    `weights` (pixels,); `powers` (ngroups + 1, pixels) is room.
    """
    n = counts.shape[0]
    p, scale, weighted = np.empty(pixels), np.empty(pixels), np.empty(pixels)
    for k in range(pixels):
        rate[k] = (counts[n - 1, k] - counts[0, k]) / (n - 1) / group_time
    for _ in range(2):
        for k in range(pixels):
            noise = Noise(gain[k], read[k], dark[k], group_time, shared_time)
            p[k], b = variance(rate[k], noise)
            powers[1, k] = ratio(p[k], b)
            weighted[k], weights[k] = 0.0, 0.0
        _raise(powers[: n + 1], pixels)
        for k in range(pixels):
            scale[k] = 1 / (1 + powers[n, k])
        for g in range(1, n):
            rising, falling = powers[g, :pixels], powers[n - g, :pixels]
            now, before = counts[g, :pixels], counts[g - 1, :pixels]
            for k in range(pixels):
                weight = 1 - (rising[k] + falling[k]) * scale[k]
                weighted[k] += weight * (now[k] - before[k])
                weights[k] += weight
        for k in range(pixels):
            rate[k] = (weighted[k] / p[k]) / (weights[k] / p[k]) / group_time
            weights[k] = weights[k] / p[k] * group_time**2


@compiled
def _raise(powers: np.ndarray, pixels: int) -> None:
    """Fill powers[n] with the n-th power of powers[1]."""
    base = powers[1, :pixels]
    for n in range(2, len(powers)):
        lower, power = powers[n - 1, :pixels], powers[n, :pixels]
        for k in range(pixels):
            power[k] = lower[k] * base[k]
