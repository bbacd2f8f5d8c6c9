"""Spectra of what an output reads in a frame, as one series in time.

A series is kept as (period, lines): the time within a line, and the line. Its transform is made in two steps, over
lines (of which half is kept, the series being real) and over the time within the line, so that many short transforms
run side by side; it is (period, lines // 2 + 1), wave [a, b] the (lines·a + b)-th.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from jwrules.kernels.compiled import allowed_threads, as_input, compiled, over_rows

SLOPE = 110000
"""Length of the filter's slope, in waves, times the pixels of a step."""


class Transform:
    """Transforms of series of one length."""

    def __init__(self, period: int, lines: int) -> None:
        from scipy import fft  # takes longer to load than most kernels, and one readout alone needs it

        self.period, self.lines, self._fft = period, lines, fft
        turns = np.outer(np.arange(period), np.arange(lines // 2 + 1)) / (period * lines)
        self._turn = np.exp(-2j * np.pi * turns).astype(np.complex64)

    def over_lines(self, series: np.ndarray) -> np.ndarray:
        """Return the first half of the transform, of a series (period, lines) of float32."""
        half = self._fft.rfft(series, axis=1, workers=allowed_threads())
        half *= self._turn
        return np.asarray(half)

    def within_lines(self, half: np.ndarray, *, in_place: bool = False) -> np.ndarray:
        """Return the transform whose first half is given; that may be used up, `in_place`."""
        return np.asarray(self._fft.fft(half, axis=0, overwrite_x=in_place, workers=allowed_threads()))

    def half_of(self, spectrum: np.ndarray) -> np.ndarray:
        """Return the first half of a transform that is given; the transform is used up."""
        return np.asarray(self._fft.ifft(spectrum, axis=0, overwrite_x=True, workers=allowed_threads()))

    def series(self, half: np.ndarray) -> np.ndarray:
        """Return the series of which the first half of the transform is given; that is used up."""
        np.conjugate(half, out=half)
        half *= self._turn
        np.conjugate(half, out=half)
        return np.asarray(self._fft.irfft(half, n=self.lines, axis=1, overwrite_x=True, workers=allowed_threads()))

    def weights(self, values: np.ndarray) -> np.ndarray:
        """Return complex weights of all waves (period·lines,) as what of them acts on the real part of a series."""
        result = np.empty((self.period, self.lines // 2 + 1), np.complex64)
        over_rows(_weights, self.period, as_input(values), self.lines, result)
        return result


@cache
def slow_and_alternating(period: int, lines: int, cycle: int) -> np.ndarray:
    """Return the filter, for transforms, that passes slow waves and those that alternate from pixel to pixel.

    `cycle` is the time from one step to reference pixels to the next.
    """
    slope = SLOPE // cycle
    passed = period // cycle * lines // 2 - slope // 2
    wave = np.arange(period * lines)
    wave = np.minimum(wave, wave.size - wave)
    far = np.minimum(wave, wave.size // 2 - wave - 1) - passed
    share = (1 + np.cos(np.pi * np.clip(far, 0, slope) / slope)) / 2
    return np.asarray(share.reshape(period, lines)[:, : lines // 2 + 1], np.float32)


@cache
def transform_of(period: int, lines: int) -> Transform:
    """Return the transform of series of this length, made once."""
    return Transform(period, lines)


@compiled
def _weights(start: int, stop: int, values: np.ndarray, lines: int, result: np.ndarray) -> None:
    for a in range(start, stop):
        row, first = result[a], a * lines
        for b in range(row.size):
            wave = first + b
            row[b] = (values[wave] + np.conj(values[values.size - wave if wave else 0])) / np.float32(2)


def combine(spectrum: np.ndarray, weight: np.ndarray, other: np.ndarray, its_weight: np.ndarray) -> None:
    """Replace `spectrum` by itself times `weight` plus the `other` times `its_weight`."""
    over_rows(_combine, len(spectrum), spectrum, weight, other, its_weight)


@compiled
def _combine(
    start: int, stop: int, spectrum: np.ndarray, weight: np.ndarray, other: np.ndarray, its_weight: np.ndarray
) -> None:
    for a in range(start, stop):
        one, its, two, others = spectrum[a], weight[a], other[a], its_weight[a]
        for b in range(one.size):
            one[b] = one[b] * its[b] + two[b] * others[b]
