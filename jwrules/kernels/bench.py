"""One pixel on the bench: its groups and segments in every integration, and room for what is found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import segments
from jwrules.kernels import slope_by_signal as by_signal
from jwrules.kernels.compiled import compiled
from jwrules.kernels.exposure import Bits, Detector, Method, Ramps, Timing
from jwrules.kernels.slope_by_covariance import Noise


class Bench(NamedTuple):
    """Room for one pixel: its groups and flags, segments, the time that a single group stands for, and results.

    seen (1,): all bits that its groups have.
    values (4, nints + 1): rate, error, Poisson and read variance of each integration, and of the exposure.
    """

    counts: np.ndarray
    flags: np.ndarray
    seen: np.ndarray
    bounds: np.ndarray
    found: np.ndarray
    times: np.ndarray
    room: np.ndarray
    values: np.ndarray


@compiled
def make(ramps: Ramps) -> Bench:
    """Return an empty bench for one pixel."""
    nints, ngroups = ramps.data.shape[:2]
    return Bench(
        np.empty((nints, ngroups)),
        np.empty((nints, ngroups), np.uint8),
        np.zeros(1, np.uint8),
        np.empty((nints, ngroups // 2 + 1, 2), np.int64),
        np.empty(nints, np.int64),
        np.empty(nints),
        np.empty(ngroups + 1),
        np.empty((4, nints + 1)),
    )


@compiled
def prepare(
    ramps: Ramps,
    detector: Detector,
    y: int,
    x: int,
    timing: Timing,
    bits: Bits,
    method: Method,
    bench: Bench,
    clean: np.ndarray,
    spans: np.ndarray,
) -> bool:
    """Put a pixel on the bench, with its segments and without values; return whether it is to be fitted.

    Integrations that are `clean` (nints,), or (0,) where that is not known, are one segment, their `spans` (nints, 2);
    their counts stay away.
    """
    nints, ngroups = bench.counts.shape
    for i in range(nints + 1):
        bench.values[0, i] = np.nan
        bench.values[1, i] = bench.values[2, i] = bench.values[3, i] = 0.0
    bench.seen[0] = 0
    if detector.skip[y, x]:
        return False
    for i in range(nints):
        if clean.size and clean[i]:
            bench.flags[i, :] = 0
            bench.found[i], bench.bounds[i, 0, 0], bench.bounds[i, 0, 1] = 1, spans[i, 0], spans[i, 1]
            bench.times[i] = 0.0
            continue
        for g in range(ngroups):
            bench.counts[i, g], bench.flags[i, g] = ramps.data[i, g, y, x], ramps.flags[i, g, y, x]
            bench.seen[0] |= bench.flags[i, g]
        first = float(ramps.zeroframe[i, y, x]) if ramps.zeroframe.size else 0.0
        bench.found[i] = segments.find(bench.counts[i], bench.flags[i], bits.harmless, bits.jump, bench.bounds[i])
        bench.times[i] = _choose_single(bench, i, first, timing, bits, method)
    return True


@compiled
def hand_out(bench: Bench, result: np.ndarray, y: int, x: int) -> None:
    """Write the values of the pixel on the bench into `result` (4, nints + 1, ny, nx)."""
    for k in range(result.shape[0]):
        for i in range(result.shape[1]):
            result[k, i, y, x] = bench.values[k, i]


@compiled
def _choose_single(bench: Bench, i: int, first_frame: float, timing: Timing, bits: Bits, method: Method) -> float:
    """Decide on a ramp of one good group or none; return the time (s) that a single group stands for, else 0."""
    counts, flags, bounds = bench.counts[i], bench.flags[i], bench.bounds[i]
    good = segments.good_groups(counts, flags, bits.harmless)
    first_frame_serves = good == 0 and first_frame != 0 and not method.suppress_one_group
    if (flags[0] & bits.saturated and not first_frame_serves) or (method.suppress_one_group and good == 1):
        bench.found[i] = 0
    elif first_frame_serves:
        counts[0], flags[0], bench.found[i] = first_frame, 0, 1
        bounds[0, 0], bounds[0, 1] = 0, 1
        return timing.frame
    if bench.found[i] == 0 or bounds[0, 1] - bounds[0, 0] > 1:
        return 0.0
    g = bounds[0, 0]
    if method.by_signal and not (g == 0 and good == 1):
        return timing.group
    return (g * (timing.frames + timing.gap) + (timing.frames + 1) / 2) * timing.frame


@compiled
def read_information(bench: Bench, i: int, noise: Noise) -> float:
    """Return the inverse variance (s²/DN²) of a rate that has read noise alone."""
    total = 0.0
    for s in range(bench.found[i]):
        n = bench.bounds[i, s, 1] - bench.bounds[i, s, 0]
        total += 1 / by_signal.segment_variances(n, bench.times[i], 0.0, noise)[1]
    return total


@compiled
def count_lost_charge(bench: Bench, noise: Noise, bits: Bits) -> None:
    """Let the read variance be what it were if the groups that lost charge had been fitted too."""
    if not bench.seen[0] & bits.chargeloss:
        return
    last, total, lost = len(bench.counts), 0.0, False
    for i in range(last):
        if _restore(bench.flags[i], bits):
            lost = True
            bench.found[i] = segments.find(bench.counts[i], bench.flags[i], bits.harmless, bits.jump, bench.bounds[i])
            bench.times[i] = bench.times[i] if bench.times[i] > 0 else noise.group_time
            information = read_information(bench, i, noise)
            total += information
            if bench.values[3, i] > 0:
                bench.values[3, i] = 1 / information
        elif bench.values[3, i] > 0:
            total += 1 / bench.values[3, i]
    if lost and bench.values[3, last] > 0:
        bench.values[3, last] = 1 / total


@compiled
def _restore(flags: np.ndarray, bits: Bits) -> bool:
    """Make the groups that lost charge usable; return whether there are any."""
    lost = False
    for g in range(flags.size):
        if flags[g] & bits.chargeloss:
            flags[g] ^= np.uint8(bits.chargeloss | bits.unusable)
            lost = True
    return lost
