"""Rests of jumps: what strikes within a group that averages frames is in two differences, of which one may hide.

Of n frames the lower part is at least 1 / (n - 1) of the higher one. So a jump lower than n - 1 times what a search
nearly always finds, beside which it found no other, may have left a rest on either side. Whether it did cannot be told
from the differences there without preferring low ones: both are flagged. Levels are in σ of a difference, of which a
search with the covariance needs no more, or less: measured, finer levels leave the same bias.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.differences import Bits, Noise, Thresholds, differences, read_variance, threshold_of

SURELY = 2.0
"""What exceeds a threshold by so many σ is found nearly always."""


class Levels(NamedTuple):
    """Differences (electron) from which on a hit holds a part of a ray, is a jump, and is one that leaves no rest."""

    rest: float
    jump: float
    strong: float


def flag(
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    expected: Noise,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Set the bit `jump` in `flags`, in place, on both sides of each weak jump; arrays as in `jump.find`.

    A ramp keeps a difference: where none would be left its weak jumps stay alone.
    """
    inputs = as_input(data), flags, as_input(gain), as_input(readnoise)
    over_rows(_flag, data.shape[2], *inputs, expected, thresholds, bits)


@compiled
def _flag(
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
    nints, ngroups, _, nx = data.shape
    steps, hits = np.empty((nints, ngroups - 1)), np.empty((nints, ngroups - 1), np.bool_)
    seen = np.empty(nx, np.uint8)
    for y in range(start, stop):
        seen[:] = 0
        for i in range(nints):
            for g in range(1, ngroups):
                row = flags[i, g, y]
                for x in range(nx):
                    seen[x] |= row[x]
        for x in range(nx):
            if seen[x] & bits.jump and gain[y, x] > 0:
                differences(data, flags, y, x, gain[y, x], bits.unusable, steps, hits)
                read = read_variance(readnoise[y, x], gain[y, x], expected.frames)
                n, mean = _others(steps, flags, y, x, bits.jump, hits)
                sigma, least = np.sqrt(expected.photons * abs(mean) + read), threshold_of(n, thresholds)
                most = (expected.frames - 1) * (least + SURELY)
                levels = Levels(mean + sigma, mean + least * sigma, mean + most * sigma)
                for i in range(nints):
                    _flag_ramp(steps[i], hits[i], levels, flags[i, :, y, x], bits)


@compiled
def _others(steps: np.ndarray, flags: np.ndarray, y: int, x: int, jump: int, hits: np.ndarray) -> tuple[int, float]:
    """Mark the jumps in `hits`; return how many differences are none, and the mean of these."""
    n, total = 0, 0.0
    for i in range(steps.shape[0]):
        for j in range(steps.shape[1]):
            hits[i, j] = (flags[i, j + 1, y, x] & jump) != 0
            if not hits[i, j] and steps[i, j] == steps[i, j]:
                n, total = n + 1, total + steps[i, j]
    return n, total / n


@compiled
def _flag_ramp(steps: np.ndarray, hits: np.ndarray, levels: Levels, flags: np.ndarray, bits: Bits) -> None:
    """Flag the groups (ngroups,) beside weak jumps; not where the rest is left out already, in a hit beside one."""
    last = steps.size - 1
    for j in range(steps.size):
        struck = hits[j] and levels.jump < steps[j] < levels.strong
        struck &= not (j > 0 and hits[j - 1] and steps[j - 1] > levels.rest)
        struck &= not (j < last and hits[j + 1] and steps[j + 1] > levels.rest)
        if struck and _keeps_one(steps, flags, j, bits.jump):
            for k in range(max(j - 1, 0), min(j + 2, steps.size)):
                if steps[k] == steps[k]:
                    flags[k + 1] |= np.uint8(bits.jump)


@compiled
def _keeps_one(steps: np.ndarray, flags: np.ndarray, j: int, jump: int) -> bool:
    """Return whether a usable difference is left without those beside j."""
    left = 0
    for k in range(steps.size):
        left += abs(k - j) > 1 and steps[k] == steps[k] and not flags[k + 1] & jump
    return left > 0
