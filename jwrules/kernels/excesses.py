"""What each difference of groups exceeds all others of its pixel by, in units of the noise of that comparison.

Successive differences share a group, and so the noise of its reading: where that rules, the others tell very well what
a difference would be without a jump. With the differences d of covariance C, and their rate μ by least squares, a jump
in one shows in y = C⁻¹ (d - μ). What is y there over its noise, √((C⁻¹)ᵢᵢ - (C⁻¹ 1)ᵢ² / 1ᵀ C⁻¹ 1), is the best estimate
of its height in units of that estimate's own noise. Source: Brandt 2024, PASP 136, 045005, there as the fall of χ².

Few photons are skewed: more excesses are high than normal ones would be, and fewer low. Where that matters, a rise has
to be higher, so that of both together as many pass as of normal ones.

Or each is compared with the plain mean. With the variance V and the covariance C of successive ones, n of them usable
and p pairs of these successive, the excess n (d - mean) has the variance V n (n - 1) + 2 C (p - n k), where k is how
many successive ones d has.

To solve with the covariance takes a pass up and one down the differences of an integration. All is done for many pixels
at once, in loops that write into an array or two and never branch: these compile to vector instructions. What depends
on where differences are missing, but not on their values, is kept for the next integration that misses the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import inner
from jwrules.kernels.differences import Noise, Thresholds, threshold_of

TILE, NARROWEST, WIDEST = 2**17, 128, 512
"""About how many differences are looked at together, and of how many pixels."""

PAD = 16
"""Pixels more than are used, lest a column of a room falls into few lines of the cache."""


class Tile(NamedTuple):
    """Some pixels: differences (DN; n, p), NaN if not used, and how many are used and their sum (p,).

    gain (electron/DN) and read, the variance (electron²) that reading adds to a difference, are given; mean (DN),
    beside, the covariance of successive differences over their variance, limit, the variance (DN²) times the square of
    the threshold, and skew, by which it grows for rises, are what `score` expects (p,).
    """

    steps: np.ndarray
    number: np.ndarray
    total: np.ndarray
    gain: np.ndarray
    read: np.ndarray
    mean: np.ndarray
    beside: np.ndarray
    limit: np.ndarray
    skew: np.ndarray


class Scores(NamedTuple):
    """Excesses of all differences over the threshold, squared, with their sign (n, p), and the extremes (p,).

    rise is the highest excess, fall minus the lowest one. The others are rooms to solve in, with C the covariance over
    the variance: pivots, C⁻¹ 1, the diagonal of C⁻¹, and what becomes of it for rises (n, p), kept for the integrations
    for which `alike` (nints,) names this one, and sums of C⁻¹ 1 and C⁻¹ d (p,).
    """

    excess: np.ndarray
    rise: np.ndarray
    fall: np.ndarray
    ratio: np.ndarray
    pivot: np.ndarray
    ones: np.ndarray
    inverse: np.ndarray
    more: np.ndarray
    weights: np.ndarray
    off: np.ndarray
    alike: np.ndarray


@inner
def width_of(n: int) -> int:
    """Return of how many pixels with n differences excesses are found together."""
    return min(max(NARROWEST, TILE // n), WIDEST)


@inner
def tile_for(n: int) -> Tile:
    """Return room for pixels with n differences."""
    one = width_of(n)
    return Tile(
        np.empty((n, one + PAD), np.float32), np.empty(one, np.int32), np.empty(one), np.empty(one), np.empty(one),
        np.empty(one, np.float32), np.empty(one, np.float32), np.empty(one, np.float32), np.empty(one, np.float32),
    )  # fmt: skip


@inner
def scores_for(n: int, nints: int) -> Scores:
    """Return room for the excesses of as many pixels."""
    many, one, single = (n, width_of(n) + PAD), width_of(n), np.float32
    return Scores(
        np.empty(many, single), np.empty(one, single), np.empty(one, single),
        np.empty(many, single), np.empty(many, single), np.empty(many, single), np.empty(many, single),
        np.empty(many, single), np.empty(one, single), np.empty(one, single), np.empty(nints, np.int64),
    )  # fmt: skip


@inner
def score(pixels: int, tile: Tile, expected: Noise, weigh: bool, thresholds: Thresholds, scores: Scores) -> None:
    """Find the excesses of the first pixels of a tile: weighed with the covariance, or over the plain mean.

    A single difference exceeds nothing.
    """
    _expect(pixels, tile, expected, thresholds)
    if weigh:
        _weigh(pixels, tile, scores)
    else:
        _compare_with_mean(pixels, tile, scores)
    extremes(scores.excess, pixels, scores.rise, scores.fall)


@inner
def _weigh(pixels: int, tile: Tile, scores: Scores) -> None:
    nints = scores.alike.size
    per_ramp, missing = len(tile.steps) // nints, 0
    for k in range(pixels):
        scores.weights[k], scores.off[k] = 0, 0
        missing += tile.number[k] != len(tile.steps)
    for i in range(nints):
        first = i * per_ramp
        is_alike = i > 0 and (missing == 0 or _misses_the_same(first, per_ramp, pixels, tile))
        scores.alike[i] = scores.alike[i - 1] if is_alike else i
        if not is_alike:
            _factorise(first, per_ramp, pixels, tile, scores)
        _solve(first, scores.alike[i] * per_ramp, per_ramp, pixels, tile, scores)
    for k in range(pixels):
        scores.off[k] /= scores.weights[k]  # from here on how far the rate is from the plain mean
    for i in range(nints):
        if scores.alike[i] == i:
            _scale(i * per_ramp, per_ramp, pixels, tile.limit, tile.skew, scores)
        _compare(i * per_ramp, scores.alike[i] * per_ramp, per_ramp, pixels, scores)


@inner
def _expect(pixels: int, tile: Tile, expected: Noise, thresholds: Thresholds) -> None:
    for k in range(pixels):
        mean = tile.total[k] / max(tile.number[k], 1)
        level = abs(mean) * tile.gain[k]
        variance = expected.photons * level + tile.read[k]
        threshold = threshold_of(tile.number[k], thresholds) if tile.number[k] > 1 else np.inf
        tile.mean[k] = mean
        tile.beside[k] = (expected.shared * level - tile.read[k] / 2) / variance
        tile.limit[k] = variance * (threshold / tile.gain[k]) ** 2
        tile.skew[k] = tail_of(threshold) * level / (variance * np.sqrt(variance)) if tile.number[k] > 1 else 0.0


@inner
def tail_of(threshold: float) -> float:
    """Return by what part more lies beyond a threshold (σ) for each unit of skewness: the series of Edgeworth."""
    return max(threshold * (threshold * threshold - 3), 0.0) / 6


@inner
def _misses_the_same(first: int, per_ramp: int, pixels: int, tile: Tile) -> bool:
    """Return whether an integration misses the same differences as the one before."""
    for j in range(first, first + per_ramp):
        now, before, differ = tile.steps[j, :pixels], tile.steps[j - per_ramp, :pixels], 0
        for k in range(pixels):
            differ += (now[k] == now[k]) != (before[k] == before[k])
        if differ:
            return False
    return True


@inner
def _factorise(first: int, per_ramp: int, pixels: int, tile: Tile, scores: Scores) -> None:
    """Solve the covariance of an integration for ones and find the diagonal of its inverse."""
    one, nothing, beside, last = np.float32(1), np.float32(0), tile.beside, first + per_ramp - 1
    for j in range(first, last + 1):
        before = max(j - 1, first)
        steps, former, pivots, earlier = tile.steps[j], tile.steps[before], scores.pivot[before], scores.ones[before]
        ratio, pivot, ones = scores.ratio[j], scores.pivot[j], scores.ones[j]
        if j == first:
            ratio[:pixels], pivots[:pixels], earlier[:pixels] = nothing, nothing, nothing
        else:
            for k in range(pixels):
                is_pair = (steps[k] == steps[k]) & (former[k] == former[k])
                ratio[k] = beside[k] * pivots[k] if is_pair else nothing
        for k in range(pixels):
            ones[k] = (one if steps[k] == steps[k] else nothing) - ratio[k] * earlier[k]
        for k in range(pixels):
            pivot[k] = one / (one - ratio[k] * beside[k])
    for k in range(pixels):
        scores.inverse[last, k] = scores.pivot[last, k]
    for k in range(pixels):
        scores.ones[last, k] *= scores.pivot[last, k]
    for j in range(last - 1, first - 1, -1):
        pivot, ones, inverse = scores.pivot[j], scores.ones[j], scores.inverse[j]
        ratio, later, above = scores.ratio[j + 1], scores.ones[j + 1], scores.inverse[j + 1]
        for k in range(pixels):
            inverse[k] = pivot[k] + ratio[k] * ratio[k] * above[k]
        for k in range(pixels):
            ones[k] = pivot[k] * ones[k] - ratio[k] * later[k]


@inner
def _solve(first: int, origin: int, per_ramp: int, pixels: int, tile: Tile, scores: Scores) -> None:
    """Solve for the differences of an integration, less the plain mean, and add to the sums."""
    nothing, mean, shift, last = np.float32(0), tile.mean, origin - first, first + per_ramp - 1
    steps, line = tile.steps[first], scores.excess[first]
    for k in range(pixels):
        line[k] = steps[k] - mean[k] if steps[k] == steps[k] else nothing
    for j in range(first + 1, last + 1):
        steps, line, former, ratio = tile.steps[j], scores.excess[j], scores.excess[j - 1], scores.ratio[j + shift]
        for k in range(pixels):
            line[k] = (steps[k] - mean[k] if steps[k] == steps[k] else nothing) - ratio[k] * former[k]
    line, pivot = scores.excess[last], scores.pivot[last + shift]
    for k in range(pixels):
        line[k] *= pivot[k]
    for j in range(last - 1, first - 1, -1):
        line, pivot = scores.excess[j], scores.pivot[j + shift]
        later, ratio = scores.excess[j + 1], scores.ratio[j + shift + 1]
        for k in range(pixels):
            line[k] = pivot[k] * line[k] - ratio[k] * later[k]
    for j in range(first, last + 1):
        line, ones = scores.excess[j], scores.ones[j + shift]
        for k in range(pixels):
            scores.off[k] += line[k]
        for k in range(pixels):
            scores.weights[k] += ones[k]


@inner
def _scale(first: int, per_ramp: int, pixels: int, limit: np.ndarray, skew: np.ndarray, scores: Scores) -> None:
    """Turn the diagonal of the inverse into what squares of y are to be multiplied with; for rises, into `more`.

    Where exp(g) times as many excesses as normal ones are above a threshold T, and exp(-g) times as many below -T, the
    one above has to be raised by (g - ln(2 - exp(-g))) / T, which is nearly g² / (T (1 + g)). Here T is 4: where it is
    more there are few differences, too noisy to be skewed.
    """
    one, weights, eighth = np.float32(1), scores.weights, np.float32(2 / 4**2)
    for j in range(first, first + per_ramp):
        ones, inverse, more = scores.ones[j], scores.inverse[j], scores.more[j]
        for k in range(pixels):
            inverse[k] -= ones[k] * ones[k] / weights[k]
        for k in range(pixels):
            g = skew[k] * inverse[k] * np.sqrt(inverse[k])
            more[k] = (one + g) / (limit[k] * inverse[k] * (one + g + eighth * g * g))
        for k in range(pixels):
            inverse[k] = one / (limit[k] * inverse[k])


@inner
def _compare(first: int, origin: int, per_ramp: int, pixels: int, scores: Scores) -> None:
    """Turn the differences that are solved for into excesses."""
    off = scores.off
    for j in range(per_ramp):
        line, ones = scores.excess[first + j], scores.ones[origin + j]
        scale, more = scores.inverse[origin + j], scores.more[origin + j]
        for k in range(pixels):
            y, upwards, downwards = line[k] - off[k] * ones[k], more[k], scale[k]  # read both, lest this be a branch
            line[k] = y * abs(y) * (upwards if y > 0 else downwards)


@inner
def _compare_with_mean(pixels: int, tile: Tile, scores: Scores) -> None:
    """Write the excesses over the plain mean; `off` is room for the pairs of successive differences."""
    per_ramp, pairs = len(tile.steps) // scores.alike.size, scores.off
    half, one, two, nothing = np.float32(0.5), np.float32(1), np.float32(2), np.float32(0)
    pairs[:pixels] = nothing
    for j in range(len(tile.steps)):
        _count_beside(j, per_ramp, pixels, tile, scores.ones[j])
        for k in range(pixels):
            pairs[k] += half * scores.ones[j, k]
    for j in range(len(tile.steps)):
        steps, beside, line = tile.steps[j], scores.ones[j], scores.excess[j]
        for k in range(pixels):
            n, x = np.float32(tile.number[k]), steps[k] - tile.mean[k]
            variance = tile.limit[k] * (n * (n - one) + two * tile.beside[k] * (pairs[k] - n * beside[k]))
            line[k] = n * n * x * abs(x) / variance if steps[k] == steps[k] else nothing


@inner
def _count_beside(j: int, per_ramp: int, pixels: int, tile: Tile, number: np.ndarray) -> None:
    """Write how many successive differences each one has, 0 for one that is not used."""
    steps, number[:pixels] = tile.steps[j], np.float32(0)
    for other in (j - 1, j + 1):
        if other // per_ramp == j // per_ramp and other >= 0:
            line = tile.steps[other]
            for k in range(pixels):
                number[k] += np.float32((line[k] == line[k]) & (steps[k] == steps[k]))


@inner
def extremes(excess: np.ndarray, pixels: int, rise: np.ndarray, fall: np.ndarray) -> None:
    """Find the highest excess, and minus the lowest, of each pixel; 0 if none is above, or below."""
    rise[:pixels], fall[:pixels] = 0, 0
    for j in range(len(excess)):
        line = excess[j]
        for k in range(pixels):
            value, highest, lowest = line[k], rise[k], fall[k]
            rise[k] = value if value > highest else highest
            fall[k] = -value if -value > lowest else lowest
