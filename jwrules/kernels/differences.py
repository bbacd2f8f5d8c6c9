"""Differences of successive groups, and what all ways to find jumps among them share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.clipping import nanmedian
from jwrules.kernels.compiled import compiled


class Thresholds(NamedTuple):
    """What makes a jump, in σ: of four or more usable differences, of three, of two; and what spreads to neighbours."""

    many: float
    three: float
    two: float
    spread_from: float
    spread_to: float


class Bits(NamedTuple):
    """Which bits of a group tell that it is not usable, that there is a jump before it, and that this one spreads."""

    unusable: int
    jump: int
    spreads: int


class Noise(NamedTuple):
    """Variance of a difference and covariance of successive ones for each electron in it, and the frames averaged."""

    photons: float
    shared: float
    frames: int


def noise(frames: int, gap: int) -> Noise:
    """Return the noise where groups average `frames` frames and `gap` more are left out.

    Source: Vacca et al. 2004, PASP 116, 352.
    """
    curvature = (frames**2 - 1) / (6 * frames * (frames + gap))
    return Noise(1 - 2 * curvature, curvature, frames)


@compiled
def threshold_of(n: int, thresholds: Thresholds) -> float:
    """Return the threshold (σ) of a difference among n."""
    if n == 2:
        return thresholds.two
    return thresholds.three if n == 3 else thresholds.many


@compiled
def read_variance(readnoise: float, gain: float, frames: int) -> float:
    """Return the variance (electron²) that reading adds to a difference of groups; 32 bits, as the product keeps it."""
    return np.float64(np.float32(readnoise * gain) ** 2) / frames


@compiled
def differences(
    data: np.ndarray, flags: np.ndarray, y: int, x: int, gain: float, unusable: int, steps: np.ndarray, hits: np.ndarray
) -> None:
    """Write the differences (electron) of successive groups of a pixel, NaN beside unusable ones; none is a hit yet."""
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            hits[i, g] = False
            if (flags[i, g, y, x] | flags[i, g + 1, y, x]) & unusable:
                steps[i, g] = np.nan
            else:
                steps[i, g] = np.float32(data[i, g + 1, y, x] * gain) - np.float32(data[i, g, y, x] * gain)


@compiled
def store(
    steps: np.ndarray,
    hits: np.ndarray,
    read: float,
    y: int,
    x: int,
    thresholds: Thresholds,
    bits: Bits,
    room: np.ndarray,
    flags: np.ndarray,
) -> None:
    """Flag the hits of a pixel, and which of them spread, by how far they are from the median."""
    middle = nanmedian(steps, room)
    sigma = np.sqrt(abs(middle) + read)
    for i in range(steps.shape[0]):
        for g in range(steps.shape[1]):
            if hits[i, g]:
                flags[i, g + 1, y, x] |= np.uint8(bits.jump)
                ratio = abs(steps[i, g] - middle) / sigma
                if thresholds.spread_from < ratio < thresholds.spread_to:
                    flags[i, g + 1, y, x] |= np.uint8(bits.spreads)
