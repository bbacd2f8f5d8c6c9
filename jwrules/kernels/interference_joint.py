"""A wave of known shape in ramps: its amplitude and phase are those that make the ramps straightest.

A ramp less its best line is what the residual projector R = 1 - T (TᵀT)⁻¹ Tᵀ leaves, T holding 1 and the number of the
group. With the sums Y of the ramps of n pixels that are read at one phase, and the wave W as they see it, χ² changes by
A c² - 2 B c with the amplitude c, where A = Σ n WᵀRW and B = Σ YᵀRW over all phases: c = B / A, and the best phase is
that with the greatest B² / A. Where a group lasts half a period more than whole ones, the wave and its negative half a
period later differ by a constant in each pixel, which no ramp tells: of such two that with c > 0 is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.interference import OUTPUTS, Clock, phase_indices, starts

BINS = 500
"""Parts of the period in which pixels are summed up, and phases that are tried."""
STEPS = 1 << 16
"""Entries of the table of a wave, which is then used without interpolation."""
SCATTER = 2.0
"""Pixels that scatter by more than so many times the median pixel, bright and bad ones, do not count."""
TIE, UNSEEN = 1e-6, 1e-12
"""Parts of χ² by which waves that fit alike differ, and of a wave's power that ramps show of none: rounding errors."""


class Sums(NamedTuple):
    """Ramps of the pixels that are read at one phase: their sum (nints, ngroups, BINS), their number (nints, BINS)."""

    ramps: np.ndarray
    pixels: np.ndarray


class Curve(NamedTuple):
    """The periodic cubic spline through `values`, which lie at the middle of equal parts of a period of 1.

    `bends` are its second derivatives there, for a part as the unit. scipy has such curves too, and takes longer to
    load than the whole step to run.
    """

    values: np.ndarray
    bends: np.ndarray

    @classmethod
    def through(cls, values: np.ndarray) -> Curve:
        """Return the curve through `values` (n,).

        Its slope has no leap at them where b[i-1] + 4 b[i] + b[i+1], b being the bends, is 6 times the second
        difference of the values: in a circle, equations which waves solve one by one.
        """
        values = np.asarray(values, float)
        turned = np.cos(2 * np.pi * np.arange(len(values) // 2 + 1) / len(values))
        bends = np.fft.irfft(np.fft.rfft(values) * 12 * (turned - 1) / (4 + 2 * turned), len(values))
        return cls(values, bends)

    def at(self, phases: np.ndarray) -> np.ndarray:
        """Return its values at `phases`, in periods, of any shape."""
        number = len(self.values)
        places = np.asarray(phases) * number - 0.5
        part = np.floor(places).astype(np.int64)
        later = places - part
        sooner, before, after = 1 - later, part % number, (part + 1) % number
        straight = sooner * self.values[before] + later * self.values[after]
        bent = (sooner**3 - sooner) * self.bends[before] + (later**3 - later) * self.bends[after]
        return np.asarray(straight + bent / 6)


def fits(
    sums: Sums, clock: Clock, period: float, shape: np.ndarray, *, together: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each integration, the amplitude of the wave and the phase of its start, (nints,).

    `shape` is one period of the wave, `period` its length in ticks. `together` means one amplitude and phase for all
    integrations.
    """
    nints, ngroups = sums.ramps.shape[:2]
    begins = starts(clock, period, nints, ngroups)
    step, spline = clock.group / period % 1, Curve.through(shape)
    groups = [range(nints)] * nints if together else [[i] for i in range(nints)]
    found = [_fit(sums, groups[0], begins, step, spline)] * nints if together else []
    found = found or [_fit(sums, group, begins, step, spline) for group in groups]
    return np.array([amplitude for amplitude, _ in found]), np.array([phase for _, phase in found]) + begins


def table_of(shape: np.ndarray) -> np.ndarray:
    """Return one period of the wave at STEPS places."""
    return Curve.through(shape).at((np.arange(STEPS) + 0.5) / STEPS)


def sums_of(data: np.ndarray, usable: np.ndarray, clock: Clock, period: float) -> Sums:
    """Return the sums over the pixels of integrations `data` (nints, ngroups, ny, nx) that are `usable` (ny, nx)."""
    nints, ngroups, ny, nx = data.shape
    scatter = np.empty((nints, ny, nx), np.float32)
    over_rows(_scatter, ny, as_input(data), scatter)
    quiet = (scatter < SCATTER * np.median(scatter, axis=(1, 2), keepdims=True)) & usable
    quiet[..., OUTPUTS : 3 * OUTPUTS] = False  # the first columns beside the reference pixels
    index = phase_indices(clock, period, 0.0, ny, nx // OUTPUTS, BINS)
    ramps, pixels = np.zeros((nints, ngroups, BINS)), np.zeros((nints, BINS))
    over_rows(_add_up, ngroups, as_input(data), as_input(quiet), index, ramps)
    for i in range(nints):
        number = quiet[i, :, : nx - nx % OUTPUTS].reshape(ny, -1, OUTPUTS).sum(axis=-1)
        pixels[i] = np.bincount(index.ravel(), number.ravel(), BINS)
    return Sums(ramps, pixels)


@compiled
def _scatter(start: int, stop: int, data: np.ndarray, result: np.ndarray) -> None:
    nints, ngroups, _, nx = data.shape
    mean, square = np.empty(nx), np.empty(nx)
    for i in range(nints):
        for y in range(start, stop):
            mean[:], square[:] = 0.0, 0.0
            for g in range(ngroups):
                for x in range(nx):
                    mean[x] += data[i, g, y, x] / ngroups
            for g in range(ngroups):
                for x in range(nx):
                    square[x] += (data[i, g, y, x] - mean[x]) ** 2
            for x in range(nx):
                result[i, y, x] = np.sqrt(square[x] / ngroups)


@compiled
def _add_up(start: int, stop: int, data: np.ndarray, quiet: np.ndarray, index: np.ndarray, ramps: np.ndarray) -> None:
    for i in range(data.shape[0]):
        for g in range(start, stop):
            for y in range(index.shape[0]):
                for x in range(OUTPUTS * index.shape[1]):
                    if quiet[i, y, x]:
                        ramps[i, g, index[y, x // OUTPUTS]] += data[i, g, y, x]


def _fit(
    sums: Sums, integrations: Sequence[int], begins: np.ndarray, step: float, spline: Curve
) -> tuple[float, float]:
    """Return amplitude and phase (of the first integration) that fit these integrations best; 0, 0 if nothing shows."""
    norm, overlap, power = np.zeros(BINS), np.zeros(BINS), 0.0
    for i in integrations:
        seen = _seen(spline, begins[i], step, sums)
        power += sums.pixels[i].sum() * np.mean(seen**2) * len(seen)
        # A wave that is later by one part of the period is the same one, shifted by one part in a circle.
        norm += _correlation(sums.pixels[i], np.sum(seen * _bent(seen), axis=0))
        overlap += _correlation(_bent(sums.ramps[i]), seen).sum(axis=0)
    if not norm.max() > UNSEEN * power:
        return 0.0, 0.0
    phase = _highest(overlap**2 / norm, overlap > 0) / BINS
    a, b = 0.0, 0.0
    for i in integrations:
        seen = _seen(spline, begins[i] + phase, step, sums)
        a += np.sum(sums.pixels[i] * seen * _bent(seen))
        b += np.sum(_bent(sums.ramps[i]) * seen)
    return b / a, phase


def _seen(spline: Curve, begin: float, step: float, sums: Sums) -> np.ndarray:
    """Return what the pixels of each part of the period see of the wave in each group, (ngroups, BINS)."""
    groups, parts = np.arange(sums.ramps.shape[1])[:, np.newaxis], (np.arange(BINS) + 0.5) / BINS
    return spline.at(parts + begin + step * groups)


def _bent(ramps: np.ndarray) -> np.ndarray:
    """Return ramps (ngroups, n) less their best lines."""
    groups = np.arange(len(ramps)) - (len(ramps) - 1) / 2
    slope = groups @ ramps / (groups @ groups)
    return ramps - ramps.mean(axis=0) - groups[:, np.newaxis] * slope


def _correlation(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sums over b of weights[..., b] values[..., b + k], in a circle, for every k."""
    return np.fft.irfft(np.fft.rfft(weights).conj() * np.fft.rfft(values), weights.shape[-1])


def _highest(values: np.ndarray, preferred: np.ndarray) -> float:
    """Return where, between the elements, the parabola through the highest of them and its neighbours peaks.

    Of elements that are alike but for rounding a `preferred` one is the highest.
    """
    alike = values >= (1 - TIE) * values.max()
    first = alike & preferred
    k = int(np.argmax(np.where(first if first.any() else alike, values, 0.0)))
    before, at, after = values[k - 1], values[k], values[(k + 1) % len(values)]
    bend = before - 2 * at + after
    return k + (before - after) / (2 * bend) if bend < 0 else float(k)
