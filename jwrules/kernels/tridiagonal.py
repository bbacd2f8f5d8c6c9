"""The covariance of the differences of successive groups: only neighbours share noise, so that it has three diagonals.

Everything here takes one pass up and one down, whatever the spacing of the reads. Differences that are not used have
no covariance with others. Source: Brandt 2024, PASP 136, 045004.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled


class Reads(NamedTuple):
    """How groups were read, n of them: seconds between means, and what their noise adds to the covariance of rates.

    photon and read (n - 1,) are the diagonals per (DN²/s of photon noise) and per (DN² of one read), photon_beside and
    read_beside (n - 2,) stand beside them. averaged (n,) tells which groups are means of several reads.
    """

    seconds: np.ndarray
    photon: np.ndarray
    photon_beside: np.ndarray
    read: np.ndarray
    read_beside: np.ndarray
    averaged: np.ndarray


class Room(NamedTuple):
    """Room for one ramp, (n - 1,) each: pivots, solutions for ones and for the rates, the inverse and beside it."""

    ratio: np.ndarray
    pivot: np.ndarray
    ones: np.ndarray
    rates: np.ndarray
    inverse: np.ndarray
    beside: np.ndarray


class Sums(NamedTuple):
    """Σ dᵀ C⁻¹ d, Σ 1ᵀ C⁻¹ d and Σ 1ᵀ C⁻¹ 1 of rates d with covariance C."""

    squares: float
    rates: float
    weights: float


def reads_at(times: Sequence[np.ndarray]) -> Reads:
    """Return how groups are read whose reads were at `times` (s), one array for each group."""
    number = np.array([len(group) for group in times], float)
    mean = np.array([np.mean(group) for group in times])
    # the photons that a mean holds count after the time that reads have in common
    common = np.array([np.dot(2 * np.arange(len(group))[::-1] + 1, group) / len(group) ** 2 for group in times])
    seconds = np.diff(mean)
    between = seconds[1:] * seconds[:-1]
    return Reads(
        seconds=seconds,
        photon=(common[:-1] + common[1:] - 2 * mean[:-1]) / seconds**2,
        photon_beside=(mean[1:-1] - common[1:-1]) / between,
        read=(1 / number[:-1] + 1 / number[1:]) / seconds**2,
        read_beside=-1 / (number[1:-1] * between),
        averaged=number > 1,
    )


def regular(groups: int, group_time: float, frame_time: float, frames: int, *, first_apart: bool = False) -> Reads:
    """Return how groups of so many `frames` are read; `first_apart` makes the first frame a group of its own."""
    times = [g * group_time + frame_time * np.arange(1, frames + 1) for g in range(groups)]
    return reads_at([times[0][:1], times[0][1:], *times[1:]] if first_apart else times)


@compiled
def room_for(differences: int) -> Room:
    """Return room for a ramp with so many differences."""
    return Room(
        np.empty(differences),
        np.empty(differences),
        np.empty(differences),
        np.empty(differences),
        np.empty(differences),
        np.empty(differences),
    )


@compiled
def solve(rates: np.ndarray, used: np.ndarray, photons: float, read: float, reads: Reads, room: Room) -> Sums:
    """Return the sums over those `rates` (DN/s, one for each difference) that are `used`, and fill `room`.

    photons (DN²/s) and read (DN²) are the variances of the photons of a second and of one read.
    """
    n = rates.size
    last_one, last_rate = 0.0, 0.0
    for k in range(n):
        ratio, beside = 0.0, 0.0
        if k > 0 and used[k] and used[k - 1]:
            beside = photons * reads.photon_beside[k - 1] + read * reads.read_beside[k - 1]
            ratio = beside * room.pivot[k - 1]
        room.pivot[k] = 1 / (photons * reads.photon[k] + read * reads.read[k] - ratio * beside)
        last_one = (1.0 if used[k] else 0.0) - ratio * last_one
        last_rate = (rates[k] if used[k] else 0.0) - ratio * last_rate
        room.ratio[k], room.ones[k], room.rates[k] = ratio, last_one, last_rate
    return _back(rates, used, room)


@compiled
def _back(rates: np.ndarray, used: np.ndarray, room: Room) -> Sums:
    squares, products, weights, ratio = 0.0, 0.0, 0.0, 0.0
    one, rate, inverse = 0.0, 0.0, 0.0
    for k in range(rates.size - 1, -1, -1):
        one = room.pivot[k] * room.ones[k] - ratio * one
        rate = room.pivot[k] * room.rates[k] - ratio * rate
        room.beside[k] = -ratio * inverse
        inverse = room.pivot[k] + ratio * ratio * inverse
        ratio = room.ratio[k]
        room.ones[k], room.rates[k], room.inverse[k] = one, rate, inverse
        if used[k]:
            squares += rates[k] * rate
            products += rate
            weights += one
    return Sums(squares, products, weights)


@compiled
def variances(weights: float, photons: float, read: float, reads: Reads, room: Room) -> tuple[float, float]:
    """Return the variances (DN²/s²) that photons and reading leave in the rate just solved for."""
    by_photons, by_read = 0.0, 0.0
    for k in range(room.ones.size):
        by_photons += room.ones[k] ** 2 * reads.photon[k]
        by_read += room.ones[k] ** 2 * reads.read[k]
        if k > 0:
            by_photons += 2 * room.ones[k] * room.ones[k - 1] * reads.photon_beside[k - 1]
            by_read += 2 * room.ones[k] * room.ones[k - 1] * reads.read_beside[k - 1]
    return by_photons * photons / weights**2, by_read * read / weights**2
