"""The jumps of a ramp: differences without which its rate is so much likelier that they must be jumps.

For every difference of groups, and for every pair around a group that is a mean of reads, in the midst of which a
cosmic ray may have struck, χ² is known that is left without it. What lowers χ² most is left out if it does so by more
than a threshold, and the rest is looked at again. Source: Brandt 2024, PASP 136, 045005.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import tridiagonal
from jwrules.kernels.compiled import compiled
from jwrules.kernels.tridiagonal import Reads, Room, Sums

ONE, TWO = 20.25, 23.8
"""By how much χ² must fall when one difference, or two, are left out."""

FEWEST = 3
"""With so many differences left nothing more is left out: none could be told to be the wrong one."""


class Omission(NamedTuple):
    """A difference and how many from it on to leave out, by how much χ² falls, and the rate that is left (DN/s)."""

    first: int
    number: int
    fall: float
    rate: float


@compiled
def find(
    rates: np.ndarray,
    used: np.ndarray,
    photons: float,
    read: float,
    reads: Reads,
    room: Room,
    jumps: np.ndarray,
) -> float:
    """Mark in `jumps` (n,) the rates of differences that are jumps, unmark them in `used`; return the rate of the rest.

    photons (DN²/s) and read (DN²) are the variances of the photons of a second and of one read.
    """
    left = _count(used)
    sums = tridiagonal.solve(rates, used, photons, read, reads, room)
    rate = sums.rates / sums.weights
    while left > 2:
        out = _best(used, sums, reads, room)
        if out.number == 0:
            break
        for k in range(out.first, out.first + out.number):
            used[k], jumps[k] = False, True
        left, rate = left - out.number, out.rate
        if left <= FEWEST:
            break
        sums = tridiagonal.solve(rates, used, photons, read, reads, room)
    return rate


@compiled
def _count(used: np.ndarray) -> int:
    left = 0
    for k in range(used.size):
        left += used[k]
    return left


@compiled
def _best(used: np.ndarray, sums: Sums, reads: Reads, room: Room) -> Omission:
    """Return what lowers χ² most beyond its threshold; a `number` of 0 where nothing does."""
    one, two = Omission(0, 0, 0.0, 0.0), Omission(0, 0, 0.0, 0.0)
    for k in range(used.size):
        if used[k]:
            single = _without_one(k, sums, room)
            one = single if single.fall > one.fall else one
            if k + 1 < used.size and used[k + 1] and reads.averaged[k + 1]:
                pair = _without_two(k, sums, room)
                two = pair if pair.fall > two.fall else two
    if one.fall - ONE > two.fall - TWO:
        return one if one.fall > ONE else Omission(0, 0, 0.0, 0.0)
    return two if two.fall > TWO else Omission(0, 0, 0.0, 0.0)


@compiled
def _without_one(k: int, sums: Sums, room: Room) -> Omission:
    residual, spread = _residual(k, sums, room), room.inverse[k] - room.ones[k] ** 2 / sums.weights
    if not spread > 0:
        return Omission(k, 1, 0.0, 0.0)
    height = residual / spread
    return Omission(k, 1, residual * height, (sums.rates - height * room.ones[k]) / sums.weights)


@compiled
def _without_two(k: int, sums: Sums, room: Room) -> Omission:
    first, second = _residual(k, sums, room), _residual(k + 1, sums, room)
    a = room.inverse[k] - room.ones[k] ** 2 / sums.weights
    b = room.beside[k] - room.ones[k] * room.ones[k + 1] / sums.weights
    c = room.inverse[k + 1] - room.ones[k + 1] ** 2 / sums.weights
    determinant = a * c - b * b
    if not determinant > 0:
        return Omission(k, 2, 0.0, 0.0)
    here, there = (c * first - b * second) / determinant, (a * second - b * first) / determinant
    rate = (sums.rates - here * room.ones[k] - there * room.ones[k + 1]) / sums.weights
    return Omission(k, 2, first * here + second * there, rate)


@compiled
def _residual(k: int, sums: Sums, room: Room) -> float:
    """Return how far a difference is from the common rate, weighted with the inverse covariance."""
    return room.rates[k] - sums.rates / sums.weights * room.ones[k]
