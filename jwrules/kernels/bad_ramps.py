"""Ramps that are no straight lines: χ² of the differences of groups about their common rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import tridiagonal
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.exposure import Bits, Detector, Ramps
from jwrules.kernels.tridiagonal import Reads, Room


class Limits(NamedTuple):
    """How unlikely the χ² of a bad ramp is (σ), and how far its rates are from the mean at least, in parts of that."""

    sigma: float
    departure: float


def find(ramps: Ramps, detector: Detector, reads: Reads, bits: Bits, limits: Limits) -> np.ndarray:
    """Return the pixels (ny, nx) of which half the integrations or more are bad, of those with three good groups."""
    bad = np.zeros(ramps.data.shape[2:], bool)
    inputs = Ramps(*map(as_input, ramps)), Detector(*map(as_input, detector))
    over_rows(_find, len(bad), *inputs, reads, bits, limits, bad)
    return bad


@compiled
def _find(
    start: int, stop: int, ramps: Ramps, detector: Detector, reads: Reads, bits: Bits, limits: Limits, bad: np.ndarray
) -> None:
    n = reads.seconds.size
    rates, used, room = np.empty(n), np.empty(n, np.bool_), tridiagonal.room_for(n)
    for y in range(start, stop):
        for x in range(ramps.data.shape[3]):
            if detector.skip[y, x]:
                continue
            gain, read = np.float64(detector.gain[y, x]), np.float64(detector.readnoise[y, x]) ** 2 / 2
            dark = np.float64(detector.dark[y, x]) / gain
            judged, condemned = 0, 0
            for i in range(ramps.data.shape[0]):
                left = _load(ramps, i, y, x, reads, bits, rates, used)
                if left > 1:
                    judged += 1
                    condemned += _is_bad(rates, used, left, gain, read, dark, reads, room, limits)
            bad[y, x] = judged > 0 and 2 * condemned >= judged


@compiled
def _load(ramps: Ramps, i: int, y: int, x: int, reads: Reads, bits: Bits, rates: np.ndarray, used: np.ndarray) -> int:
    """Write the rates between groups and which of them are good; return how many. A jump spoils the one before it."""
    left = 0
    for k in range(rates.size):
        before, after = np.float64(ramps.data[i, k, y, x]), np.float64(ramps.data[i, k + 1, y, x])
        rates[k] = (after - before) / reads.seconds[k]
        spoilt = (np.int64(ramps.flags[i, k, y, x]) & ~bits.jump) | np.int64(ramps.flags[i, k + 1, y, x])
        used[k] = (spoilt & ~bits.harmless) == 0 and not np.isnan(rates[k])
        left += used[k]
    return left


@compiled
def _is_bad(
    rates: np.ndarray,
    used: np.ndarray,
    left: int,
    gain: float,
    read: float,
    dark: float,
    reads: Reads,
    room: Room,
    limits: Limits,
) -> bool:
    rate, photons, chisq = _mean(rates, used, left), 0.0, 0.0
    for _ in range(2):
        photons = (max(rate, 0.0) + dark) / gain
        sums = tridiagonal.solve(rates, used, photons, read, reads, room)
        rate = sums.rates / sums.weights
        chisq = sums.squares - rate * sums.rates
    if sigma_of(chisq, left - 1) < limits.sigma:
        return False
    excess = 0.0
    for k in range(rates.size):
        if used[k]:
            excess += (rates[k] - rate) ** 2 - photons * reads.photon[k] - read * reads.read[k]
    return excess > left * (limits.departure * rate) ** 2


@compiled
def _mean(rates: np.ndarray, used: np.ndarray, left: int) -> float:
    total = 0.0
    for k in range(rates.size):
        total += rates[k] if used[k] else 0.0
    return total / left


@compiled
def sigma_of(chisq: float, freedom: int) -> float:
    """Return how many σ of a normal distribution are as unlikely as a larger χ² (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * freedom)
    return ((max(chisq, 0.0) / freedom) ** (1 / 3) - (1 - spread)) / np.sqrt(spread)
