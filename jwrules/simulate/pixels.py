"""What every pixel of a detector is like: gain, bias, dark current, response, and which ones are bad."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from jwrules.simulate.nircam import EDGE, FULL, FULL_SIZE, Detector, Window
from jwrules.simulate.optics import pixel_area

DEGREE = 5


@dataclass(frozen=True)
class Pixels:
    """The pixels of a window; arrays are (ny, nx), in science orientation.

    gain electron/DN; bias, well (the linear signal at which the pixel is full) DN; dark electron/s; noise electron of
    a single read; efficiency relative; bend the non-linearity at full well. Dead pixels have no efficiency.
    """

    detector: Detector
    window: Window
    gain: np.ndarray
    bias: np.ndarray
    well: np.ndarray
    dark: np.ndarray
    noise: np.ndarray
    efficiency: np.ndarray
    bend: np.ndarray
    reference: np.ndarray
    dead: np.ndarray
    hot: np.ndarray
    noisy: np.ndarray
    unknown_gain: np.ndarray

    def read(self, charge: np.ndarray) -> np.ndarray:
        """Return the signal, DN above the bias, that a charge in electrons gives: it falls behind, then stops."""
        return response(np.minimum(charge / self.gain, self.well), self.well, self.bend)

    @cached_property
    def flat(self) -> np.ndarray:
        """Counts that a uniform sky gives, relative: efficiency times area of the pixel on the sky."""
        return self.efficiency * pixel_area(self.detector, self.window)

    @cached_property
    def ceiling(self) -> np.ndarray:
        """Raw DN beyond which a pixel is not to be trusted: near full well or near the end of the converter."""
        highest = self.bias + response(0.97 * self.well, self.well, self.bend)
        return np.minimum(highest, 65000.0)

    @cached_property
    def linearity(self) -> np.ndarray:
        """Coefficients (DEGREE + 1, ny, nx), lowest first, that make the response linear again."""
        return np.where(self.reference, _identity()[:, None, None], straightener(self.well, self.bend))

    @cached_property
    def curve(self) -> np.ndarray:
        """Coefficients (DEGREE + 1, ny, nx), lowest first, that give what is read for a linear signal."""
        curve = np.zeros((DEGREE + 1, *self.window.shape))
        curve[1] = 1.0
        curve[2], curve[4] = -0.6 * self.bend / self.well, -0.4 * self.bend / self.well.astype(float) ** 3
        return np.where(self.reference, _identity()[:, None, None], curve)


def response(signal: np.ndarray, well: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return what is read for a linear signal (DN): a pixel that fills takes in less and less."""
    filled = signal / well
    return signal * (1 - bend * (0.6 * filled + 0.4 * filled * filled * filled))


def straightener(well: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return polynomial coefficients from read signal to linear signal, fitted to `response` up to full well."""
    knots = np.linspace(0.0, 0.14, 15)
    fits = np.array([_straighten(knot) for knot in knots])
    powers = np.arange(DEGREE + 1).reshape(-1, 1, 1)
    unit = np.array([np.interp(bend, knots, fits[:, k]) for k in range(DEGREE + 1)])
    return np.asarray(unit * well / well**powers)


def _straighten(bend: float) -> np.ndarray:
    """Return the coefficients for a well of 1; the first two are 0 and 1."""
    signal = np.linspace(0.005, 1.0, 400)
    read = response(signal, np.ones(1), np.full(1, bend))
    powers = read[:, None] ** np.arange(2, DEGREE + 1)
    fit = np.linalg.lstsq(powers / signal[:, None], (signal - read) / signal, rcond=None)[0]
    return np.concatenate([[0.0, 1.0], fit])


def _identity() -> np.ndarray:
    return np.eye(DEGREE + 1)[1]


def make(detector: Detector, window: Window, seed: int) -> Pixels:
    """Make the pixels of a window of this detector; those of the full frame are the same for every window."""
    whole = full_gain(detector, seed)
    rng = np.random.default_rng([seed, detector.number, window.nx, window.ny])
    shape = window.shape
    reference = _reference(window)
    gain = whole[window.slices]
    unknown = ~np.isfinite(gain)
    gain = np.where(unknown, detector.gain, gain)
    hot = ~reference & (rng.random(shape) < 0.002)
    dead = ~reference & ~hot & (rng.random(shape) < 0.0008)
    noisy = ~reference & ~hot & ~dead & (rng.random(shape) < 0.0006)
    dark = detector.dark * rng.gamma(8.0, 1 / 8.0, shape)
    dark = np.where(hot, 10 ** rng.uniform(0.3, 2.9, shape), dark)
    noise = np.where(noisy, 6.0, 1.0) * detector.read_noise * (1 + 0.03 * rng.standard_normal(shape))
    well = detector.full_well * (1 + 0.02 * rng.standard_normal(shape)) / gain
    return Pixels(
        detector=detector,
        window=window,
        gain=gain.astype(np.float32),
        bias=_bias(detector, window, rng).astype(np.float32),
        well=well.astype(np.float32),
        dark=np.where(reference, 0.0, dark).astype(np.float32),
        noise=noise.astype(np.float32),
        efficiency=np.where(reference | dead, 0.0, spread_efficiency(shape, rng)),
        bend=np.clip(0.07 + 0.008 * rng.standard_normal(shape), 0.0, 0.14).astype(np.float32),
        reference=reference,
        dead=dead,
        hot=hot,
        noisy=noisy,
        unknown_gain=unknown,
    )


def full_gain(detector: Detector, seed: int) -> np.ndarray:
    """Return the gain of the full frame, NaN where it could not be measured; each amplifier has its own."""
    rng = np.random.default_rng([seed, detector.number, 1])
    amplifiers = 1 + 0.008 * rng.standard_normal(4)
    gain = detector.gain * _across(detector, np.repeat(amplifiers, FULL_SIZE // 4)) * np.ones(FULL.shape)
    gain *= 1 + 0.004 * rng.standard_normal(FULL.shape, np.float32)
    gain[rng.random(FULL.shape, np.float32) < 2e-5] = np.nan
    return gain.astype(np.float32)


def _across(detector: Detector, columns: np.ndarray) -> np.ndarray:
    """Return values of columns, in science orientation, so that they can be multiplied with a frame."""
    return columns if abs(detector.fast) == 1 else columns[:, None]


def _reference(window: Window) -> np.ndarray:
    """Return which pixels of the window are blind: the outer four rows and columns of the detector."""
    blind = np.ones(FULL.shape, bool)
    blind[EDGE:-EDGE, EDGE:-EDGE] = False
    blind = blind[window.slices].copy()
    if window.blind_ends:
        blind[:, :EDGE] = blind[:, -EDGE:] = True
    return blind


def _bias(detector: Detector, window: Window, rng: np.random.Generator) -> np.ndarray:
    columns = 25.0 * rng.standard_normal(window.nx)
    slope = 300.0 * np.linspace(-0.5, 0.5, window.ny)[:, None]
    return detector.bias + columns + slope + 110.0 * rng.standard_normal(window.shape)


def spread_efficiency(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the relative efficiency: broad structure, pixel to pixel scatter, and a few specks of dust."""
    coarse = rng.standard_normal((shape[0] // 64 + 4, shape[1] // 64 + 4))
    zoom = [n / c for n, c in zip(shape, coarse.shape, strict=True)]
    broad = ndimage.zoom(coarse, zoom, order=3, mode="nearest", grid_mode=True)
    efficiency = 1 + 0.015 * broad + 0.006 * rng.standard_normal(shape)
    y, x = np.indices(shape)
    for _ in range(max(2, shape[0] * shape[1] // 200_000)):
        r2 = (y - rng.uniform(0, shape[0])) ** 2 + (x - rng.uniform(0, shape[1])) ** 2
        efficiency *= 1 - 0.08 * np.exp(-r2 / 2 / rng.uniform(4, 12) ** 2)
    return np.asarray(efficiency / np.median(efficiency))
