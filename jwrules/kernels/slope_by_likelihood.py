"""The most likely rate of a ramp, read at any times, with the covariance of the differences of its groups.

Jumps are found on the way (`likely_jumps`). The covariance needs a rate: for the search of jumps the median of the
differences, for the fit that of the differences that are left. Source: Brandt 2024, PASP 136, 045004 and 045005.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import calm_likelihood, likely_jumps, tridiagonal
from jwrules.kernels.calm_likelihood import Together
from jwrules.kernels.clipping import median_of_sorted, sort
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.exposure import Bits, Detector, Ramps
from jwrules.kernels.tridiagonal import Reads, Room

LEAST_GROUPS = 4
"""Groups that a ramp must have for its jumps to be told from its rate."""


class Way(NamedTuple):
    """Whether to do as the official pipeline does; and of how many frames the zero frame is the first, else 0."""

    official: bool
    frames: int


class Pixel(NamedTuple):
    """Noise of a pixel: electron/DN, variance (DN²) of one read, dark (DN/s) in the search for jumps and in the fit."""

    gain: float
    read: float
    dark_of_search: float
    dark: float


class Bench(NamedTuple):
    """Room for a pixel: rates of differences, which are used and which are jumps (nints, n); sorting, solving; results.

    values (5, nints + 1): rate, error, Poisson and read variance and χ² of each integration, and of the exposure.
    """

    rates: np.ndarray
    used: np.ndarray
    jumps: np.ndarray
    ordered: np.ndarray
    room: Room
    values: np.ndarray


def fit(ramps: Ramps, detector: Detector, reads: Reads, bits: Bits, way: Way) -> np.ndarray:
    """Return rate (DN/s), error, Poisson and read variance and χ², (5, nints + 1, ny, nx); the last plane is the whole.

    The bit `jump` is set in `ramps.flags`, in place, in the group after each jump. Where there is a zero frame, `reads`
    has one group more than the ramps: the first is the zero frame, the second the rest of group 0.
    """
    nints, _, ny, nx = ramps.data.shape
    result = np.zeros((5, nints + 1, ny, nx), np.float32)
    inputs = Ramps(as_input(ramps.data), ramps.flags, as_input(ramps.zeroframe))
    over_rows(_fit_rows, ny, inputs, Detector(*map(as_input, detector)), reads, bits, way, result)
    return result


@compiled
def _fit_rows(
    start: int, stop: int, ramps: Ramps, detector: Detector, reads: Reads, bits: Bits, way: Way, result: np.ndarray
) -> None:
    bench = _bench(ramps.data.shape[0], reads.seconds.size)
    room, calm = calm_likelihood.room_for(reads.seconds.size), np.zeros(ramps.data.shape[3], np.bool_)
    for y in range(start, stop):
        if not way.official and reads.seconds.size <= calm_likelihood.MANY:
            _fit_calm(ramps, detector, y, reads, bits, way, room, calm, result)
        for x in range(ramps.data.shape[3]):
            if calm[x]:
                continue
            bench.values[0] = np.nan
            bench.values[1:] = 0.0
            if not detector.skip[y, x]:
                _fit_pixel(ramps, y, x, _pixel(detector, y, x, way), reads, bits, way, bench)
            result[:, :, y, x] = bench.values


@compiled
def _fit_calm(
    ramps: Ramps,
    detector: Detector,
    y: int,
    reads: Reads,
    bits: Bits,
    way: Way,
    room: Together,
    calm: np.ndarray,
    result: np.ndarray,
) -> None:
    """Fit the ramps of a row that have no flag and no jump, many at once; tell which these are."""
    nints, nx = ramps.data.shape[0], ramps.data.shape[3]
    for start in range(0, nx, calm_likelihood.PIXELS):
        pixels = min(calm_likelihood.PIXELS, nx - start)
        for k in range(pixels):
            pixel = _pixel(detector, y, start + k, way)
            room.gain[k], room.read[k], room.dark[k] = pixel.gain, pixel.read, pixel.dark
            room.total[0, k], room.total[1, k] = 0.0, 0.0
            room.calm[k] = not detector.skip[y, start + k]
        for i in range(nints):
            _load_many(ramps, i, y, start, pixels, reads, bits, way, room)
            calm_likelihood.find_calm(reads, pixels, room)
            calm_likelihood.fit(reads, pixels, room)
            chosen = result[:, i, y, start : start + pixels]
            calm_likelihood.store_each(reads, pixels, room, chosen)
        chosen = result[:, nints, y, start : start + pixels]
        calm_likelihood.store_mean(reads, pixels, nints, room, chosen)
        calm[start : start + pixels] = room.calm[:pixels]


@compiled
def _load_many(
    ramps: Ramps, i: int, y: int, start: int, pixels: int, reads: Reads, bits: Bits, way: Way, room: Together
) -> None:
    """Do what `_load` does for pixels without a flag; those with one are not calm."""
    shift = len(room.rates) + 1 - ramps.data.shape[1]
    for k in range(len(room.rates) + 1):
        g = max(k - shift, 0)
        now, flags = ramps.data[i, g, y, start : start + pixels], ramps.flags[i, g, y, start : start + pixels]
        for p in range(pixels):
            value = np.float64(now[p])
            if k < 2 * shift:
                zero = np.float64(ramps.zeroframe[i, y, start + p])
                value = zero if k == 0 else (value * way.frames - zero) / (way.frames - 1)
                room.calm[p] &= zero != 0
            room.calm[p] &= (flags[p] & ~bits.harmless) == 0
            if k > 0:
                room.rates[k - 1, p] = (value - room.rate[p]) / reads.seconds[k - 1]
                room.calm[p] &= value == value
            room.rate[p] = value


@compiled
def _bench(nints: int, n: int) -> Bench:
    return Bench(
        np.empty((nints, n)),
        np.empty((nints, n), np.bool_),
        np.empty((nints, n), np.bool_),
        np.empty(n),
        tridiagonal.room_for(n),
        np.empty((5, nints + 1)),
    )


@compiled
def _pixel(detector: Detector, y: int, x: int, way: Way) -> Pixel:
    gain, dark = np.float64(detector.gain[y, x]), np.float64(detector.dark[y, x])
    read = np.float64(detector.readnoise[y, x]) ** 2 / 2
    return Pixel(gain, read, 0.0, dark) if way.official else Pixel(gain, read, dark / gain, dark / gain)


@compiled
def _fit_pixel(ramps: Ramps, y: int, x: int, pixel: Pixel, reads: Reads, bits: Bits, way: Way, bench: Bench) -> None:
    nints, fitted, last = ramps.data.shape[0], 0, 0
    for i in range(nints):
        if not _load(ramps, i, y, x, reads, bits, way, bench):
            continue
        rate = _find_jumps(bench, i, pixel, reads, way)
        _flag(ramps, i, y, x, bits, bench)
        for _ in range(1 if way.official else 2):
            rate = _fit_integration(bench, i, rate, pixel, reads)
        fitted, last = fitted + 1, i
    if fitted == 1:
        for k in range(5):
            bench.values[k, nints] = bench.values[k, last]
    elif fitted > 1 and way.official:
        _combine_officially(bench.values)
    elif fitted > 1:
        _combine(bench, pixel, reads)


@compiled
def _load(ramps: Ramps, i: int, y: int, x: int, reads: Reads, bits: Bits, way: Way, bench: Bench) -> bool:
    """Put the rates between groups on the bench, and which of them are to be used; return whether any is.

    A jump spoils the difference before it; what follows is as good as ever, but for the official pipeline.
    """
    rates, used, some = bench.rates[i], bench.used[i], False
    shift = rates.size + 1 - ramps.data.shape[1]
    harmless, before_jump = (0, 0) if way.official else (bits.harmless, bits.jump)
    earlier, usable = 0.0, False
    for k in range(rates.size + 1):
        g = max(k - shift, 0)
        value, flags = np.float64(ramps.data[i, g, y, x]), np.int64(ramps.flags[i, g, y, x]) & ~harmless
        if k < 2 * shift:
            zero = np.float64(ramps.zeroframe[i, y, x])
            value = zero if k == 0 else (value * way.frames - zero) / (way.frames - 1)
            flags |= bits.unusable if zero == 0 and k == 0 else 0
        if k > 0:
            rates[k - 1] = (value - earlier) / reads.seconds[k - 1]
            used[k - 1] = usable and flags == 0 and not np.isnan(rates[k - 1])
            some |= used[k - 1]
        earlier, usable = value, (flags & ~before_jump) == 0
    bench.jumps[i] = False
    return some


@compiled
def _find_jumps(bench: Bench, i: int, pixel: Pixel, reads: Reads, way: Way) -> float:
    """Find the jumps of an integration; return the rate for which the rest is to be weighted."""
    rates, used = bench.rates[i], bench.used[i]
    guess = _median(rates, used, way.official, bench.ordered)
    photons = (max(guess, 0.0) + pixel.dark_of_search) / pixel.gain
    rate = likely_jumps.find(rates, used, photons, pixel.read, reads, bench.room, bench.jumps[i])
    return rate if way.official else _plain_mean(rates, used, reads)


@compiled
def _median(rates: np.ndarray, used: np.ndarray, every: bool, ordered: np.ndarray) -> float:
    """Return the median of the rates that are used, or of `every` one."""
    n = 0
    for k in range(rates.size):
        if (used[k] or every) and not np.isnan(rates[k]):
            ordered[n] = rates[k]
            n += 1
    sort(ordered, n)
    return median_of_sorted(ordered, 0, n)


@compiled
def _plain_mean(rates: np.ndarray, used: np.ndarray, reads: Reads) -> float:
    rise, seconds = 0.0, 0.0
    for k in range(rates.size):
        if used[k]:
            rise += rates[k] * reads.seconds[k]
            seconds += reads.seconds[k]
    return rise / seconds


@compiled
def _flag(ramps: Ramps, i: int, y: int, x: int, bits: Bits, bench: Bench) -> None:
    shift = bench.jumps.shape[1] + 1 - ramps.data.shape[1]
    for k in range(bench.jumps.shape[1]):
        if bench.jumps[i, k]:
            ramps.flags[i, k + 1 - shift, y, x] |= np.uint8(bits.jump)


@compiled
def _fit_integration(bench: Bench, i: int, rate: float, pixel: Pixel, reads: Reads) -> float:
    """Fit an integration with weights for `rate`, store what comes out and return the rate."""
    photons = (max(rate, 0.0) + pixel.dark) / pixel.gain
    sums = tridiagonal.solve(bench.rates[i], bench.used[i], photons, pixel.read, reads, bench.room)
    found = sums.rates / sums.weights
    poisson, read = tridiagonal.variances(sums.weights, photons, pixel.read, reads, bench.room)
    _store(bench.values, i, found, poisson, read, sums.squares - found * sums.rates)
    return found


@compiled
def _store(values: np.ndarray, i: int, rate: float, poisson: float, read: float, chisq: float) -> None:
    values[0, i], values[1, i] = rate, np.sqrt(poisson + read)
    values[2, i], values[3, i], values[4, i] = poisson, read, chisq


@compiled
def _combine(bench: Bench, pixel: Pixel, reads: Reads) -> None:
    """Store the mean of the integrations, weighted for one common rate, so that no weight depends on its own value."""
    values, nints = bench.values, len(bench.rates)
    rate, poisson, read = 0.0, 0.0, 0.0
    for turn in range(3):
        total, weighted, by_photons, by_read = 0.0, 0.0, 0.0, 0.0
        photons = (max(rate, 0.0) + pixel.dark) / pixel.gain if turn else 0.0
        for i in range(nints):
            if values[1, i] > 0:
                sums = tridiagonal.solve(bench.rates[i], bench.used[i], photons, pixel.read, reads, bench.room)
                parts = tridiagonal.variances(sums.weights, photons, pixel.read, reads, bench.room)
                weighted += sums.weights * values[0, i]
                by_photons += sums.weights**2 * parts[0]
                by_read += sums.weights**2 * parts[1]
                total += sums.weights
        rate, poisson, read = weighted / total, by_photons / total**2, by_read / total**2
    _store(values, nints, rate, poisson, read, values[4, :nints].sum())


@compiled
def _combine_officially(values: np.ndarray) -> None:
    """Store the mean weighted with the variances that integrations would have at their median rate."""
    nints = values.shape[1] - 1
    rate, poisson, read = np.nanmedian(values[0, :nints]), 0.0, 0.0
    for _ in range(2):
        total, weighted, by_photons, by_read = 0.0, 0.0, 0.0, 0.0
        for i in range(nints):
            if values[1, i] > 0:
                scale = rate / values[0, i]
                photons = values[2, i] * (scale if np.isfinite(scale) and scale > 0 else 0.0)
                weight = 1 / (photons + values[3, i])
                weighted += weight * values[0, i]
                by_photons += weight**2 * photons
                by_read += weight**2 * values[3, i]
                total += weight
        rate, poisson, read = weighted / total, by_photons / total**2, by_read / total**2
    _store(values, nints, rate, poisson, read, values[4, :nints].sum())
