"""What the fit of ramps is given: the groups, how they were read, the detector, and how to fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled
from jwrules.kernels.slope_by_covariance import Noise


class Timing(NamedTuple):
    """How groups were read: seconds from group to group and from frame to frame, frames averaged and skipped."""

    group: float
    frame: float
    frames: int
    gap: int


class Bits(NamedTuple):
    """Which bits of a group tell what: not to be used, saturated, a jump, those that do no harm, and lost charge.

    A group that lost charge is `unusable` too; it yet counts for the read variance.
    """

    unusable: int
    saturated: int
    jump: int
    harmless: int
    chargeloss: int = 0


class Method(NamedTuple):
    """How to fit: weights from signal to noise as the official pipeline has them, ramps of one good group left out."""

    by_signal: bool
    suppress_one_group: bool


class Ramps(NamedTuple):
    """data, flags (nints, ngroups, ny, nx); zeroframe (nints, ny, nx), or empty where there is none."""

    data: np.ndarray
    flags: np.ndarray
    zeroframe: np.ndarray


class Detector(NamedTuple):
    """Maps (ny, nx): electron/DN, DN of a correlated double sample, dark in electron/s, and pixels not to be fitted."""

    gain: np.ndarray
    readnoise: np.ndarray
    dark: np.ndarray
    skip: np.ndarray


@compiled
def noise_of(detector: Detector, y: int, x: int, timing: Timing) -> Noise:
    """Return the noise of pixel (y, x)."""
    gain, dark = np.float64(detector.gain[y, x]), np.float64(detector.dark[y, x])
    return Noise(gain, read_variance(detector, y, x, timing), dark, timing.group, shared_time(timing))


@compiled
def read_variance(detector: Detector, y: int, x: int, timing: Timing) -> float:
    """Return the variance of the read noise of a group (DN²)."""
    return np.float64(detector.readnoise[y, x]) ** 2 / (2 * timing.frames)


@compiled
def shared_time(timing: Timing) -> float:
    """Return how long (s) the photons of averaged frames are common to neighbouring differences."""
    return timing.frame * (timing.frames**2 - 1) / (6 * timing.frames)
