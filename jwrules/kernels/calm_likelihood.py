"""Ramps without a flag and clearly without a jump: the fit by likelihood of many at once, with vector instructions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.calm_ramps import sort_each
from jwrules.kernels.compiled import compiled
from jwrules.kernels.likely_jumps import ONE, TWO
from jwrules.kernels.tridiagonal import Reads

PIXELS = 128
"""How many ramps are fitted at once."""

MANY = 32
"""Up to how many differences a ramp is fitted together with others: their medians are found by sorting in step."""

MARGIN = 1 - 1e-6
"""A fall of χ² below this part of the threshold is no jump, whatever the rounding."""


class Together(NamedTuple):
    """Many pixels: their noise (p,), rates of differences and room to solve (n, p), sums and the rate found (p,).

    `total` (2, p) sums rates and χ² over integrations; `calm` (p,) tells which pixels are fitted here.
    """

    gain: np.ndarray
    read: np.ndarray
    dark: np.ndarray
    photons: np.ndarray
    rates: np.ndarray
    ordered: np.ndarray
    ratio: np.ndarray
    pivot: np.ndarray
    ones: np.ndarray
    solved: np.ndarray
    inverse: np.ndarray
    beside: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    weights: np.ndarray
    rate: np.ndarray
    total: np.ndarray
    calm: np.ndarray


@compiled
def room_for(n: int) -> Together:
    """Return room for PIXELS ramps of `n` differences each."""
    one, many = PIXELS, (n, PIXELS)
    return Together(
        np.empty(one),
        np.empty(one),
        np.empty(one),
        np.empty(one),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(many),
        np.empty(one),
        np.empty(one),
        np.empty(one),
        np.empty(one),
        np.empty((2, one)),
        np.empty(one, np.bool_),
    )


@compiled
def find_calm(reads: Reads, pixels: int, room: Together) -> None:
    """Leave in `room.calm` those pixels of which no difference, nor any pair, may be a jump."""
    n = len(room.rates)
    for g in range(n):
        for k in range(pixels):
            room.ordered[g, k] = room.rates[g, k]
    sort_each(room.ordered, pixels)
    for k in range(pixels):
        middle = room.ordered[n // 2, k] if n % 2 else (room.ordered[n // 2 - 1, k] + room.ordered[n // 2, k]) / 2
        room.photons[k] = (max(middle, 0.0) + room.dark[k]) / room.gain[k]
    solve(reads, pixels, room)
    _invert(pixels, room)
    for g in range(n):
        one, solved, inverse = room.ones[g], room.solved[g], room.inverse[g]
        for k in range(pixels):
            residual = solved[k] - room.rate[k] * one[k]
            spread = inverse[k] - one[k] * one[k] / room.weights[k]
            room.calm[k] &= residual * residual < MARGIN * ONE * spread
        if g + 1 < n and reads.averaged[g + 1]:
            _look_at_pair(g, pixels, room)


@compiled
def _look_at_pair(g: int, pixels: int, room: Together) -> None:
    one, solved, inverse = room.ones[g], room.solved[g], room.inverse[g]
    after, solved_after, inverse_after, beside = (
        room.ones[g + 1],
        room.solved[g + 1],
        room.inverse[g + 1],
        room.beside[g],
    )
    for k in range(pixels):
        first, second = solved[k] - room.rate[k] * one[k], solved_after[k] - room.rate[k] * after[k]
        a = inverse[k] - one[k] * one[k] / room.weights[k]
        b = beside[k] - one[k] * after[k] / room.weights[k]
        c = inverse_after[k] - after[k] * after[k] / room.weights[k]
        fall = c * first * first - 2 * b * first * second + a * second * second
        room.calm[k] &= fall < MARGIN * TWO * (a * c - b * b)


@compiled
def fit(reads: Reads, pixels: int, room: Together) -> None:
    """Fit every ramp, first with weights for its plain mean, then for the rate found."""
    for k in range(pixels):
        room.rate[k] = 0.0
    for g in range(len(room.rates)):
        for k in range(pixels):
            room.rate[k] += room.rates[g, k] * reads.seconds[g]
    for turn in range(2):
        for k in range(pixels):
            rate = room.rate[k] if turn else room.rate[k] / reads.seconds.sum()
            room.photons[k] = (max(rate, 0.0) + room.dark[k]) / room.gain[k]
        solve(reads, pixels, room)


@compiled
def solve(reads: Reads, pixels: int, room: Together) -> None:
    """Solve for ones and for the rates, as `tridiagonal.solve` does, of many ramps; fill sums and rate."""
    n = len(room.rates)
    for k in range(pixels):
        diagonal = room.photons[k] * reads.photon[0] + room.read[k] * reads.read[0]
        room.ratio[0, k], room.pivot[0, k] = 0.0, 1 / diagonal
        room.ones[0, k], room.solved[0, k] = 1.0, room.rates[0, k]
        room.squares[k], room.products[k], room.weights[k] = 0.0, 0.0, 0.0
    for g in range(1, n):
        pivot, ones, solved = room.pivot[g - 1], room.ones[g - 1], room.solved[g - 1]
        for k in range(pixels):
            beside = room.photons[k] * reads.photon_beside[g - 1] + room.read[k] * reads.read_beside[g - 1]
            ratio = beside * pivot[k]
            diagonal = room.photons[k] * reads.photon[g] + room.read[k] * reads.read[g]
            room.pivot[g, k], room.ratio[g, k] = 1 / (diagonal - ratio * beside), ratio
            room.ones[g, k], room.solved[g, k] = 1.0 - ratio * ones[k], room.rates[g, k] - ratio * solved[k]
    for g in range(n - 1, -1, -1):
        _back(g, n, pixels, room)
    for k in range(pixels):
        room.rate[k] = room.products[k] / room.weights[k]


@compiled
def _back(g: int, n: int, pixels: int, room: Together) -> None:
    ones, solved, pivot, rates = room.ones[g], room.solved[g], room.pivot[g], room.rates[g]
    if g == n - 1:
        for k in range(pixels):
            ones[k], solved[k] = pivot[k] * ones[k], pivot[k] * solved[k]
    else:
        ratio, ones_after, solved_after = room.ratio[g + 1], room.ones[g + 1], room.solved[g + 1]
        for k in range(pixels):
            ones[k] = pivot[k] * ones[k] - ratio[k] * ones_after[k]
            solved[k] = pivot[k] * solved[k] - ratio[k] * solved_after[k]
    for k in range(pixels):
        room.squares[k] += rates[k] * solved[k]
        room.products[k] += solved[k]
        room.weights[k] += ones[k]


@compiled
def _invert(pixels: int, room: Together) -> None:
    """Fill the diagonal of the inverse covariance and what stands beside it."""
    n = len(room.rates)
    for k in range(pixels):
        room.inverse[n - 1, k] = room.pivot[n - 1, k]
    for g in range(n - 2, -1, -1):
        ratio, after, pivot = room.ratio[g + 1], room.inverse[g + 1], room.pivot[g]
        for k in range(pixels):
            room.beside[g, k] = -ratio[k] * after[k]
            room.inverse[g, k] = pivot[k] + ratio[k] * ratio[k] * after[k]


@compiled
def store_each(reads: Reads, pixels: int, room: Together, plane: np.ndarray) -> None:
    """Write what was found of an integration into `plane` (5, p), and add rate and χ² to the totals."""
    for k in range(pixels):
        chisq = room.squares[k] - room.rate[k] * room.products[k]
        room.total[0, k] += room.rate[k]
        room.total[1, k] += chisq
        _store(reads, k, 1, room.rate[k], chisq, room, plane)


@compiled
def store_mean(reads: Reads, pixels: int, share: int, room: Together, plane: np.ndarray) -> None:
    """Write the mean of `share` integrations into `plane` (5, p): without flags all weigh the same."""
    if share > 1:
        for k in range(pixels):
            mean = room.total[0, k] / share
            room.photons[k] = (max(mean, 0.0) + room.dark[k]) / room.gain[k]
        solve(reads, pixels, room)
    for k in range(pixels):
        _store(reads, k, share, room.total[0, k] / share, room.total[1, k], room, plane)


@compiled
def _store(reads: Reads, k: int, share: int, rate: float, chisq: float, room: Together, plane: np.ndarray) -> None:
    by_photons, by_read = 0.0, 0.0
    for g in range(len(room.rates)):
        by_photons += room.ones[g, k] ** 2 * reads.photon[g]
        by_read += room.ones[g, k] ** 2 * reads.read[g]
        if g > 0:
            by_photons += 2 * room.ones[g, k] * room.ones[g - 1, k] * reads.photon_beside[g - 1]
            by_read += 2 * room.ones[g, k] * room.ones[g - 1, k] * reads.read_beside[g - 1]
    poisson = by_photons * room.photons[k] / room.weights[k] ** 2 / share
    read = by_read * room.read[k] / room.weights[k] ** 2 / share
    plane[0, k], plane[1, k], plane[2, k] = rate, np.sqrt(poisson + read), poisson
    plane[3, k], plane[4, k] = read, chisq
