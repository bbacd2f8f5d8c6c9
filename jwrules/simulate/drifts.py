"""Electronic noise that many pixels share: offsets of the amplifiers that wander, and 1/f noise along the readout."""

from __future__ import annotations

import numpy as np
from scipy import fft

from jwrules.simulate.nircam import FULL_SIZE, Detector, Window

COMMON, OWN = 0.75, 0.3
PAUSE = 12
SLOWEST_ROWS = 24


class Drift:
    """The wandering of the amplifiers through one integration; images are (ny, nx) in science orientation, DN."""

    def __init__(self, detector: Detector, window: Window, rng: np.random.Generator) -> None:
        self._window, self._rng = window, rng
        self._flip = tuple(slice(None, None, 1 if axis > 0 else -1) for axis in (detector.slow, detector.fast))
        columns = np.arange(window.x0, window.x0 + window.nx)
        columns = columns if detector.fast > 0 else (FULL_SIZE - 1 - columns)[::-1]
        amplifier = columns // (FULL_SIZE // 4) if window.outputs == 4 else 0 * columns
        self._label = 2 * amplifier + columns % 2
        self._level = rng.normal(0.0, 8.0, 4).repeat(2) + rng.normal(0.0, 2.0, 8)
        self._spectrum = _spectrum(window)

    def step(self) -> np.ndarray:
        """Let the amplifiers wander to the next group and return their offsets; odd and even columns differ."""
        common = self._rng.normal(0.0, 1.5)
        self._level = self._level + common + self._rng.normal(0.0, 0.8, 4).repeat(2)
        self._level = self._level + self._rng.normal(0.0, 0.3, 8)
        row = self._level[self._label][self._flip[1]]
        return np.broadcast_to(row, self._window.shape)

    def one_over_f(self) -> np.ndarray:
        """Return the 1/f noise of one read, part of it common to all amplifiers."""
        window = self._window
        streams = [self._stream() for _ in range(window.outputs + 1)]
        parts = [COMMON * streams[0] + OWN * own for own in streams[1:]]
        return np.concatenate(parts, axis=1)[self._flip]

    def _stream(self) -> np.ndarray:
        """Return noise of unit variance along the time in which one amplifier reads its part of the window."""
        size = len(self._spectrum)
        wave = self._rng.standard_normal((2, size), np.float32)
        series = fft.irfft((wave[0] + 1j * wave[1]) * self._spectrum)
        ny, nx = self._window.ny, self._window.nx // self._window.outputs
        return np.asarray(series[: ny * (nx + PAUSE)].reshape(ny, nx + PAUSE)[:, :nx])


def _spectrum(window: Window) -> np.ndarray:
    """Return the amplitudes of 1/f noise, for unit variance in time.

    It is white below one wave in SLOWEST_ROWS rows: what is slower than that is the wandering of the amplifiers.
    """
    row = window.nx // window.outputs + PAUSE
    samples = 2 * fft.next_fast_len(window.ny * row // 2 + 1)
    wave = np.arange(samples // 2 + 1)
    amplitude = np.maximum(wave, samples / row / SLOWEST_ROWS) ** -0.5
    amplitude[0] = 0.0
    return np.asarray(amplitude * samples / np.sqrt(4 * np.sum(amplitude**2)), np.float32)


def variance() -> float:
    """Return the variance, DN^2, that the 1/f noise adds to a read of a pixel."""
    return COMMON**2 + OWN**2
