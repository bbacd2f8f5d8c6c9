"""Electronic noise that many pixels share: offsets of the amplifiers that wander, and 1/f noise along the readout."""

from __future__ import annotations

import numpy as np
from scipy import fft

from jwrules.simulate.nircam import FULL_SIZE, Detector, Window
from jwrules.simulate.noise import Noise

COMMON, OWN = 0.75, 0.3
PAUSE = 12
SLOWEST_ROWS = 24


class Drift:
    """The wandering of the amplifiers through one integration; images are (ny, nx) in science orientation, DN."""

    def __init__(self, detector: Detector, window: Window, noise: Noise, strength: float = 1.0) -> None:
        self._window, self._noise, self._rng, self._strength = window, noise, noise.rng, strength
        self._detector = detector
        columns = _columns(detector, window)
        amplifier = columns // (FULL_SIZE // 4) if window.outputs == 4 else 0 * columns
        self._label = 2 * amplifier + columns % 2
        self._level = self._rng.normal(0.0, 8.0, 4).repeat(2) + self._rng.normal(0.0, 2.0, 8)
        self._spectrum = _spectrum(window)

    def step(self) -> np.ndarray:
        """Let the amplifiers wander to the next group and return their offsets; odd and even columns differ."""
        common = self._rng.normal(0.0, 1.5)
        self._level = self._level + common + self._rng.normal(0.0, 0.8, 4).repeat(2)
        self._level = self._level + self._rng.normal(0.0, 0.3, 8)
        row = self._level[self._label]
        return to_science(np.broadcast_to(row, self._window.readout), self._detector)

    def one_over_f(self) -> np.ndarray:
        """Return the 1/f noise of one read, part of it common to all amplifiers."""
        window = self._window
        streams = [self._stream() for _ in range(window.outputs + 1)]
        parts = [COMMON * streams[0] + OWN * own for own in streams[1:]]
        return self._strength * to_science(np.concatenate(parts, axis=1), self._detector)

    def _stream(self) -> np.ndarray:
        """Return noise of unit variance along the time in which one amplifier reads its part of the window."""
        series = self._noise.series(self._spectrum)
        rows, columns = self._window.readout
        columns //= self._window.outputs
        return np.asarray(series[: rows * (columns + PAUSE)].reshape(rows, columns + PAUSE)[:, :columns])


class Still(Drift):
    """Amplifiers that do not wander, in place of those that do elsewhere."""

    def step(self) -> np.ndarray:
        """Return no offsets."""
        return np.zeros(self._window.shape)

    def one_over_f(self) -> np.ndarray:
        """Return no noise."""
        return np.zeros(self._window.shape)


def _spectrum(window: Window) -> np.ndarray:
    """Return the amplitudes of 1/f noise, for unit variance in time.

    It is white below one wave in SLOWEST_ROWS rows: what is slower than that is the wandering of the amplifiers.
    """
    rows, columns = window.readout
    row = columns // window.outputs + PAUSE
    samples = 2 * fft.next_fast_len(rows * row // 2 + 1)
    wave = np.arange(samples // 2 + 1)
    amplitude = np.maximum(wave, samples / row / SLOWEST_ROWS) ** -0.5
    amplitude[0] = 0.0
    return np.asarray(amplitude * samples / np.sqrt(4 * np.sum(amplitude**2)), np.float32)


def _columns(detector: Detector, window: Window) -> np.ndarray:
    """Return which columns of the detector, in the order of readout, the window holds."""
    first, count = (window.y0, window.ny) if abs(detector.fast) == 2 else (window.x0, window.nx)
    columns = np.arange(first, first + count)
    return columns if detector.fast > 0 else (FULL_SIZE - 1 - columns)[::-1]


def to_science(frame: np.ndarray, detector: Detector) -> np.ndarray:
    """Return a view of a frame (..., rows, columns in the order of readout) in science orientation."""
    turned = _flipped(frame, detector)
    return turned if abs(detector.fast) == 1 else np.swapaxes(turned, -2, -1)


def to_readout(frame: np.ndarray, detector: Detector) -> np.ndarray:
    """Return a view of a frame (..., ny, nx in science orientation) with rows and columns in the order of readout."""
    straight = frame if abs(detector.fast) == 1 else np.swapaxes(frame, -2, -1)
    return _flipped(straight, detector)


def _flipped(frame: np.ndarray, detector: Detector) -> np.ndarray:
    return frame[..., :: 1 if detector.slow > 0 else -1, :: 1 if detector.fast > 0 else -1]


def variance(strength: float = 1.0) -> float:
    """Return the variance, DN^2, that 1/f noise of this strength adds to a read of a pixel."""
    return (COMMON**2 + OWN**2) * strength**2
