"""The count rate of every pixel of an exposure, integration by integration and as a whole."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import bench as benches
from jwrules.kernels import slope_by_covariance as by_covariance
from jwrules.kernels import slope_by_signal as by_signal
from jwrules.kernels import whole_ramps
from jwrules.kernels.bench import Bench, read_information
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.exposure import Bits, Detector, Method, Ramps, Timing, noise_of
from jwrules.kernels.slope_by_covariance import Noise


def fit(
    ramps: Ramps, detector: Detector, timing: Timing, bits: Bits, method: Method, spans: np.ndarray | None = None
) -> np.ndarray:
    """Return rate (DN/s), error, Poisson and read variance, (4, nints + 1, ny, nx); the last plane is the exposure.

    The rate is NaN, error and variances are 0, where there is no usable segment or the pixel is to be skipped.
    Integration i has no groups before spans[i, 0] or from spans[i, 1] on that any pixel is to use: a hint.
    """
    nints, ngroups, ny, nx = ramps.data.shape
    known = np.array([(0, ngroups)] * nints) if spans is None else np.asarray(spans, np.int64)
    result = np.zeros((4, nints + 1, ny, nx), np.float32)
    ramps, detector = Ramps(*map(as_input, ramps)), Detector(*map(as_input, detector))
    kernel = _fit_by_signal if method.by_signal else _fit_by_covariance
    over_rows(kernel, ny, ramps, detector, timing, bits, method, as_input(known), result)
    return result


@compiled
def _fit_by_signal(
    start: int,
    stop: int,
    ramps: Ramps,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
    spans: np.ndarray,
    result: np.ndarray,
) -> None:
    bench, unknown = benches.make(ramps), np.zeros(0, np.bool_)
    for y in range(start, stop):
        for x in range(ramps.data.shape[3]):
            if benches.prepare(ramps, detector, y, x, timing, bits, method, bench, unknown, spans):
                noise = noise_of(detector, y, x, timing)
                _weigh_by_signal(bench, noise, bits)
                benches.count_lost_charge(bench, noise, bits)
            benches.hand_out(bench, result, y, x)


@compiled
def _fit_by_covariance(
    start: int,
    stop: int,
    ramps: Ramps,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
    spans: np.ndarray,
    result: np.ndarray,
) -> None:
    nints, ngroups, _, nx = ramps.data.shape
    bench, row = benches.make(ramps), whole_ramps.make_row(nints, ngroups)
    for y in range(start, stop):
        for first in range(0, nx, whole_ramps.PIXELS):
            if ngroups > 1:
                whole_ramps.fit_row(ramps, detector, y, first, timing, bits, spans, row, result)
            for k in range(min(whole_ramps.PIXELS, nx - first)):
                if not row.whole[k]:
                    x = first + k
                    if benches.prepare(ramps, detector, y, x, timing, bits, method, bench, row.clean[:, k], spans):
                        noise = noise_of(detector, y, x, timing)
                        _weigh_by_covariance(bench, noise, row, k)
                        benches.count_lost_charge(bench, noise, bits)
                    benches.hand_out(bench, result, y, x)


@compiled
def _information(bench: Bench, i: int, rate: float, noise: Noise) -> float:
    if bench.times[i] > 0:
        return 1 / by_covariance.single(bench.times[i], rate, noise)
    return by_covariance.total_information(bench.bounds[i], bench.found[i], rate, noise)


@compiled
def _weigh_by_covariance(bench: Bench, noise: Noise, row: whole_ramps.Row, k: int) -> None:
    nints, fitted, last = len(bench.counts), 0, 0
    length, by_read = 0, 0.0
    for i in range(nints):
        if bench.found[i] == 0:
            continue
        mine = bench.bounds[i, 0, 1] - bench.bounds[i, 0, 0] if row.clean[i, k] else 0
        if mine == 0 or mine != length:
            by_read, length = read_information(bench, i, noise), mine
        if row.clean[i, k]:
            rate, information = row.rates[i, k], row.weights[i, k]
        elif bench.times[i] > 0:
            rate = bench.counts[i, bench.bounds[i, 0, 0]] / bench.times[i]
            information = 1 / by_covariance.single(bench.times[i], rate, noise)
        else:
            rate, information = by_covariance.fit(bench.counts[i], bench.bounds[i], bench.found[i], noise, bench.room)
        _store(bench.values, i, rate, information, by_read)
        fitted, last = fitted + 1, i
    if fitted == 1:
        for what in range(4):
            bench.values[what, nints] = bench.values[what, last]
    elif fitted > 1:
        _combine(bench, noise, row, k)


@compiled
def _combine(bench: Bench, noise: Noise, row: whole_ramps.Row, k: int) -> None:
    """Store the mean of the integrations, weighted for one common rate, so that no weight depends on its own value.

    Clean integrations of one length have the same weight.
    """
    nints, rate, information, read = len(bench.counts), 0.0, 0.0, 0.0
    for turn in range(3):
        weighted, information, read = 0.0, 0.0, 0.0
        length, by_read, weight = 0, 0.0, 0.0
        for i in range(nints):
            if bench.found[i]:
                mine = bench.bounds[i, 0, 1] - bench.bounds[i, 0, 0] if row.clean[i, k] else 0
                if mine == 0 or mine != length:
                    by_read = read_information(bench, i, noise)
                    weight = _information(bench, i, rate, noise) if turn else by_read
                    length = mine
                weighted += weight * bench.values[0, i]
                information += weight
                read += by_read
        rate = weighted / information
    _store(bench.values, nints, rate, information, read)


@compiled
def _store(values: np.ndarray, i: int, rate: float, information: float, read_information: float) -> None:
    """Read variance is that of a fit to read noise alone; what photons add to the whole is Poisson variance."""
    read = 1 / read_information
    poisson = max(1 / information - read, 0.0)
    values[0, i], values[1, i], values[2, i], values[3, i] = rate, np.sqrt(poisson + read), poisson, read


@compiled
def _weigh_by_signal(bench: Bench, noise: Noise, bits: Bits) -> None:
    nints = len(bench.counts)
    common = median_rate(bench, noise, bits)
    slopes, by_poisson, by_read = 0.0, 0.0, 0.0
    for i in range(nints):
        if bench.found[i]:
            sums = _segment_sums(bench, i, common, noise)
            slopes, by_poisson, by_read = slopes + sums[0], by_poisson + sums[1], by_read + sums[2]
            _store_sums(bench.values, i, sums[0], sums[1], sums[2])
            bench.values[1, i] = np.sqrt(1 / sums[3])
    if by_read > 0:
        _store_sums(bench.values, nints, slopes, by_poisson, by_read)


@compiled
def median_rate(bench: Bench, noise: Noise, bits: Bits) -> float:
    """Return the mean over integrations of the median rate, which is 0 for those without a usable segment."""
    nints, total = len(bench.counts), 0.0
    for i in range(nints):
        if bench.times[i] > 0 and bench.times[i] != noise.group_time:
            total += bench.counts[i, 0] / bench.times[i]
        elif bench.found[i]:
            unusable = bits.unusable | bits.saturated
            total += by_signal.median_rate(bench.counts[i], bench.flags[i], unusable, bits.jump, noise, bench.room)
    return total / nints


@compiled
def _segment_sums(bench: Bench, i: int, common: float, noise: Noise) -> tuple[float, float, float, float]:
    """Return the sums over segments of slope/read variance, 1/Poisson, 1/read and 1/total variance."""
    slopes, by_poisson, by_read, by_both = 0.0, 0.0, 0.0, 0.0
    counts, time = bench.counts[i], bench.times[i]
    for s in range(bench.found[i]):
        first, last = bench.bounds[i, s, 0], bench.bounds[i, s, 1]
        slope = by_signal.segment(counts, first, last, noise) if last - first > 1 else counts[first] / time
        poisson, read = by_signal.segment_variances(last - first, time, common, noise)
        slopes += slope / read
        by_poisson += 1 / poisson if poisson > 0 else 0.0
        by_read += 1 / read
        by_both += 1 / (poisson + read)
    return slopes, by_poisson, by_read, by_both


@compiled
def _store_sums(values: np.ndarray, i: int, slopes: float, by_poisson: float, by_read: float) -> None:
    poisson, read = 1 / by_poisson if by_poisson > 0 else 0.0, 1 / by_read
    values[0, i], values[1, i], values[2, i], values[3, i] = slopes * read, np.sqrt(poisson + read), poisson, read
