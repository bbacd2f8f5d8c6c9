"""What is known of every segment of every ramp, and of every jump: the optional product of ramp fitting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import bench as benches
from jwrules.kernels import ramp_fit, segments
from jwrules.kernels import slope_by_covariance as by_covariance
from jwrules.kernels import slope_by_signal as by_signal
from jwrules.kernels.bench import Bench
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.exposure import Bits, Detector, Method, Ramps, Timing, noise_of
from jwrules.kernels.slope_by_covariance import Noise


class Table(NamedTuple):
    """What there is of each segment, jump and integration; 0 where there is none.

    (nints, nsegments, ny, nx): slope and its σ, Poisson and read variance, the count at group 0 and its σ, and weight;
    pedestal (nints, ny, nx); crmag, the rise of the counts at each jump (nints, njumps, ny, nx).
    """

    slope: np.ndarray
    sigslope: np.ndarray
    var_poisson: np.ndarray
    var_rnoise: np.ndarray
    yint: np.ndarray
    sigyint: np.ndarray
    weights: np.ndarray
    pedestal: np.ndarray
    crmag: np.ndarray


def room_needed(ramps: Ramps, bits: Bits, first: int, last: int) -> np.ndarray:
    """Return how many segments any ramp has, of groups `first` to `last`, and how many jumps; one at least."""
    numbers = np.ones((ramps.data.shape[2], 2), np.int64)
    over_rows(_count, len(numbers), Ramps(*map(as_input, ramps)), bits, first, last, numbers)
    return np.asarray(numbers.max(axis=0))


def tabulate(
    ramps: Ramps,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
    rates: np.ndarray,
    reset: float,
    room: np.ndarray,
) -> Table:
    """Return the table, with room for so many segments and jumps as `room_needed` says.

    rates (nints, ny, nx), DN/s, are those fitted; reset is the time (s) of group 0 since then.
    """
    nints, _, ny, nx = ramps.data.shape
    ramps, detector = Ramps(*map(as_input, ramps)), Detector(*map(as_input, detector))
    parts = [np.zeros((nints, room[0], ny, nx), np.float32) for _ in range(7)]
    pedestal, crmag = np.zeros((nints, ny, nx), np.float32), np.zeros((nints, room[1], ny, nx), np.float32)
    table = Table._make([*parts, pedestal, crmag])
    over_rows(_fill, ny, ramps, detector, timing, bits, method, as_input(rates), reset, table)
    return table


@compiled
def _count(start: int, stop: int, ramps: Ramps, bits: Bits, first: int, last: int, numbers: np.ndarray) -> None:
    nints, ngroups, _, nx = ramps.data.shape
    counts, flags = np.empty(ngroups), np.empty(ngroups, np.uint8)
    bounds = np.empty((ngroups // 2 + 1, 2), np.int64)
    for y in range(start, stop):
        for x in range(nx):
            for i in range(nints):
                jumps = 0
                for g in range(ngroups):
                    counts[g], flags[g] = ramps.data[i, g, y, x], ramps.flags[i, g, y, x]
                    jumps += g > 0 and flags[g] & bits.jump != 0
                    if g < first or g > last:
                        flags[g] = bits.unusable
                found = segments.find(counts, flags, bits.harmless, bits.jump, bounds)
                numbers[y, 0], numbers[y, 1] = max(numbers[y, 0], found), max(numbers[y, 1], jumps)


@compiled
def _fill(
    start: int,
    stop: int,
    ramps: Ramps,
    detector: Detector,
    timing: Timing,
    bits: Bits,
    method: Method,
    rates: np.ndarray,
    reset: float,
    table: Table,
) -> None:
    bench = benches.make(ramps)
    unknown, nowhere = np.zeros(0, np.bool_), np.zeros((0, 2), np.int64)
    for y in range(start, stop):
        for x in range(ramps.data.shape[3]):
            if not benches.prepare(ramps, detector, y, x, timing, bits, method, bench, unknown, nowhere):
                continue
            noise = noise_of(detector, y, x, timing)
            common = ramp_fit.median_rate(bench, noise, bits) if method.by_signal else 0.0
            for i in range(len(bench.counts)):
                rate = common if method.by_signal else np.float64(rates[i, y, x])
                for s in range(bench.found[i]):
                    _fill_segment(bench, i, s, rate, noise, method, table, y, x)
                _fill_jumps(bench, i, bits, table, y, x)
                _fill_pedestal(bench, i, np.float64(rates[i, y, x]), reset, bits, table, y, x)


@compiled
def _fill_segment(
    bench: Bench, i: int, s: int, rate: float, noise: Noise, method: Method, table: Table, y: int, x: int
) -> None:
    counts, first, last = bench.counts[i], bench.bounds[i, s, 0], bench.bounds[i, s, 1]
    poisson, read = by_signal.segment_variances(last - first, bench.times[i], rate, noise)
    if last - first == 1:
        slope = counts[first] / bench.times[i]
        spread, level, level_spread = 0.0, 0.0, 0.0
    elif method.by_signal:
        slope, spread, level, level_spread = by_signal.line(counts, first, last, noise)
    else:
        p, b = by_covariance.variance(rate, noise)
        weighted, weights = by_covariance.segment(counts, first, last, p, b, bench.room)
        slope, total = weighted / weights / noise.group_time, 1 / weights / noise.group_time**2
        poisson, spread = max(total - read, 0.0), np.sqrt(total)
        level, level_spread = _level(counts, first, last, slope, total, noise)
    table.slope[i, s, y, x], table.sigslope[i, s, y, x] = slope, spread
    table.var_poisson[i, s, y, x], table.var_rnoise[i, s, y, x] = poisson, read
    table.yint[i, s, y, x], table.sigyint[i, s, y, x] = level, level_spread
    table.weights[i, s, y, x] = 1 / read if method.by_signal else 1 / (poisson + read)


@compiled
def _level(
    counts: np.ndarray, first: int, last: int, slope: float, variance: float, noise: Noise
) -> tuple[float, float]:
    """Return the count (DN) that the line has at group 0, and its σ as reading and slope leave it."""
    middle, n, total = (first + last - 1) / 2 * noise.group_time, last - first, 0.0
    for g in range(first, last):
        total += counts[g]
    return total / n - slope * middle, np.sqrt(noise.read / n + middle**2 * variance)


@compiled
def _fill_jumps(bench: Bench, i: int, bits: Bits, table: Table, y: int, x: int) -> None:
    found, counts, flags = 0, bench.counts[i], bench.flags[i]
    for g in range(1, counts.size):
        if flags[g] & bits.jump:
            saturated = (flags[g] | flags[g - 1]) & bits.saturated
            table.crmag[i, found, y, x] = np.nan if saturated else counts[g] - counts[g - 1]
            found += 1


@compiled
def _fill_pedestal(bench: Bench, i: int, rate: float, reset: float, bits: Bits, table: Table, y: int, x: int) -> None:
    level = bench.counts[i, 0] - rate * reset
    table.pedestal[i, y, x] = 0.0 if np.isnan(level) or bench.flags[i, 0] & bits.saturated else level
