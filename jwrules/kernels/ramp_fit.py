"""The count rate of every pixel of an exposure, integration by integration and as a whole."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from jwrules.kernels import blocks, segments
from jwrules.kernels import slope_by_covariance as by_covariance
from jwrules.kernels import slope_by_signal as by_signal
from jwrules.kernels.compiled import inner, parallel
from jwrules.kernels.slope_by_covariance import Noise


class Timing(NamedTuple):
    """How groups were read: seconds from group to group and from frame to frame, frames averaged and skipped."""

    group: float
    frame: float
    frames: int
    gap: int


class Bits(NamedTuple):
    """Which bits of a group tell what: not to be used, saturated, a jump, and those that do no harm."""

    unusable: int
    saturated: int
    jump: int
    harmless: int


class Method(NamedTuple):
    """How to fit: weights from signal to noise as the official pipeline has them, ramps of one good group left out."""

    by_signal: bool
    suppress_one_group: bool


class Detector(NamedTuple):
    """Maps (ny, nx): electron/DN, DN of a correlated double sample, dark in electron/s, and pixels not to be fitted."""

    gain: np.ndarray
    readnoise: np.ndarray
    dark: np.ndarray
    skip: np.ndarray


@parallel
def fit(
    data: np.ndarray,
    flags: np.ndarray,
    zeroframe: np.ndarray,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
) -> np.ndarray:
    """Return rate (DN/s), error, Poisson and read variance, (4, nints + 1, ny, nx); the last plane is the exposure.

    data and flags (nints, ngroups, ny, nx); zeroframe (nints, ny, nx), or empty where there is none. The rate is NaN,
    error and variances are 0, where there is no usable segment or the pixel is to be skipped.
    """
    nints, _, ny, nx = data.shape
    result = np.zeros((4, nints + 1, ny, nx), np.float32)
    for y in prange(ny):
        _fit_row(data[:, :, y], flags[:, :, y], zeroframe, y, detector, timing, bits, method, result[:, :, y])
    return result


@inner
def _fit_row(
    data: np.ndarray,
    flags: np.ndarray,
    zeroframe: np.ndarray,
    y: int,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
    result: np.ndarray,
) -> None:
    nints, ngroups, nx = data.shape
    pixels = blocks.width(nints, ngroups)
    counts, flagged = np.empty((pixels, nints, ngroups)), np.empty((pixels, nints, ngroups), np.uint8)
    fits = np.empty((pixels, 4, nints + 1))
    bounds, found = np.empty((nints, ngroups // 2 + 1, 2), np.int64), np.empty(nints, np.int64)
    times, powers = np.empty(nints), np.empty(ngroups + 1)
    for start in range(0, nx, pixels):
        blocks.gather(data, start, counts)
        block = blocks.gather(flags, start, flagged)
        for k in range(block):
            x = start + k
            fits[k, 0], fits[k, 1:] = np.nan, 0.0
            if detector.skip[y, x]:
                continue
            for i in range(nints):
                found[i] = segments.find(counts[k, i], flagged[k, i], bits.harmless, bits.jump, bounds[i])
                first = float(zeroframe[i, y, x]) if zeroframe.size else 0.0
                times[i] = _choose_single(counts[k, i], flagged[k, i], first, timing, bits, method, bounds[i], found, i)
            noise = _noise(detector, y, x, timing)
            if method.by_signal:
                _fit_by_signal(counts[k], flagged[k], bounds, found, times, noise, bits, fits[k])
            else:
                _fit_by_covariance(counts[k], bounds, found, times, noise, powers, fits[k])
        blocks.scatter(fits, block, start, result)


@inner
def _noise(detector: Detector, y: int, x: int, timing: Timing) -> Noise:
    n = timing.frames
    read = np.float64(detector.readnoise[y, x]) ** 2 / (2 * n)
    # frames averaged into neighbouring groups have photons in common for this long
    shared = timing.frame * (n**2 - 1) / (6 * n)
    return Noise(np.float64(detector.gain[y, x]), read, np.float64(detector.dark[y, x]), timing.group, shared)


@inner
def _choose_single(
    counts: np.ndarray,
    flags: np.ndarray,
    first_frame: float,
    timing: Timing,
    bits: Bits,
    method: Method,
    bounds: np.ndarray,
    found: np.ndarray,
    i: int,
) -> float:
    """Decide on a ramp of one good group or none; return the time (s) that a single group stands for, else 0."""
    good = segments.good_groups(counts, flags, bits.harmless)
    first_frame_serves = good == 0 and first_frame != 0 and not method.suppress_one_group
    if (flags[0] & bits.saturated and not first_frame_serves) or (method.suppress_one_group and good == 1):
        found[i] = 0
    elif first_frame_serves:
        counts[0], flags[0], found[i] = first_frame, 0, 1
        bounds[0, 0], bounds[0, 1] = 0, 1
        return timing.frame
    if found[i] == 0 or bounds[0, 1] - bounds[0, 0] > 1:
        return 0.0
    g = bounds[0, 0]
    if method.by_signal and not (g == 0 and good == 1):
        return timing.group
    return (g * (timing.frames + timing.gap) + (timing.frames + 1) / 2) * timing.frame


@inner
def _read_information(bounds: np.ndarray, time: float, noise: Noise) -> float:
    """Return the inverse variance (s²/DN²) of a rate that has read noise alone."""
    total = 0.0
    for s in range(len(bounds)):
        total += 1 / by_signal.segment_variances(bounds[s, 1] - bounds[s, 0], time, 0.0, noise)[1]
    return total


@inner
def _information(bounds: np.ndarray, time: float, rate: float, noise: Noise) -> float:
    if time > 0:
        return 1 / by_covariance.single(time, rate, noise)
    return by_covariance.total_information(bounds, rate, noise)


@inner
def _fit_by_covariance(
    counts: np.ndarray,
    bounds: np.ndarray,
    found: np.ndarray,
    times: np.ndarray,
    noise: Noise,
    powers: np.ndarray,
    values: np.ndarray,
) -> None:
    nints, read_total, fitted, last = len(counts), 0.0, 0, 0
    for i in range(nints):
        if found[i] == 0:
            continue
        own, read = bounds[i, : found[i]], _read_information(bounds[i, : found[i]], times[i], noise)
        if times[i] > 0:
            rate = counts[i, own[0, 0]] / times[i]
            information = 1 / by_covariance.single(times[i], rate, noise)
        else:
            rate, information = by_covariance.fit(counts[i], own, noise, powers)
        _store(values[:, i], rate, information, read)
        read_total, fitted, last = read_total + read, fitted + 1, i
    if fitted == 1:
        values[:, nints] = values[:, last]
    elif fitted > 1:
        _combine(bounds, found, times, noise, values, read_total)


@inner
def _combine(
    bounds: np.ndarray, found: np.ndarray, times: np.ndarray, noise: Noise, values: np.ndarray, read_total: float
) -> None:
    """Store the mean of the integrations, weighted for one common rate, so that no weight depends on its own value."""
    nints, rate, information = len(found), 0.0, 0.0
    for turn in range(3):
        weighted, information = 0.0, 0.0
        for i in range(nints):
            if found[i]:
                own = bounds[i, : found[i]]
                weight = _information(own, times[i], rate, noise) if turn else _read_information(own, times[i], noise)
                weighted += weight * values[0, i]
                information += weight
        rate = weighted / information
    _store(values[:, nints], rate, information, read_total)


@inner
def _store(values: np.ndarray, rate: float, information: float, read_information: float) -> None:
    """Read variance is that of a fit to read noise alone; what photons add to the whole is Poisson variance."""
    read = 1 / read_information
    poisson = max(1 / information - read, 0.0)
    values[0], values[1], values[2], values[3] = rate, np.sqrt(poisson + read), poisson, read


@inner
def _fit_by_signal(
    counts: np.ndarray,
    flags: np.ndarray,
    bounds: np.ndarray,
    found: np.ndarray,
    times: np.ndarray,
    noise: Noise,
    bits: Bits,
    values: np.ndarray,
) -> None:
    nints = len(counts)
    common = _median_rate(counts, flags, found, times, noise, bits)
    whole = np.zeros(3)
    for i in range(nints):
        if found[i]:
            sums = _segment_sums(counts[i], bounds[i, : found[i]], times[i], common, noise)
            whole += sums[:3]
            _store_sums(values[:, i], sums)
            values[1, i] = np.sqrt(1 / sums[3])
    if whole[2] > 0:
        _store_sums(values[:, nints], whole)


@inner
def _median_rate(
    counts: np.ndarray, flags: np.ndarray, found: np.ndarray, times: np.ndarray, noise: Noise, bits: Bits
) -> float:
    """Return the mean over integrations of the median rate, which is 0 for those without a usable segment."""
    total = 0.0
    for i in range(len(counts)):
        if times[i] > 0 and times[i] != noise.group_time:
            total += counts[i, 0] / times[i]
        elif found[i]:
            unusable = bits.unusable | bits.saturated
            total += by_signal.median_rate(counts[i], flags[i], unusable, bits.jump, noise)
    return total / len(counts)


@inner
def _segment_sums(counts: np.ndarray, bounds: np.ndarray, time: float, common: float, noise: Noise) -> np.ndarray:
    """Return the sums over segments of slope/read variance, 1/Poisson, 1/read and 1/total variance."""
    sums = np.zeros(4)
    for s in range(len(bounds)):
        own = counts[bounds[s, 0] : bounds[s, 1]]
        slope = by_signal.segment(own, noise) if own.size > 1 else own[0] / time
        poisson, read = by_signal.segment_variances(own.size, time, common, noise)
        sums[0] += slope / read
        sums[1] += 1 / poisson if poisson > 0 else 0.0
        sums[2] += 1 / read
        sums[3] += 1 / (poisson + read)
    return sums


@inner
def _store_sums(values: np.ndarray, sums: np.ndarray) -> None:
    poisson, read = 1 / sums[1] if sums[1] > 0 else 0.0, 1 / sums[2]
    values[0], values[1], values[2], values[3] = sums[0] * read, np.sqrt(poisson + read), poisson, read
