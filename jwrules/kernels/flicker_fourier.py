"""Waves that the noise of a readout consists of, fitted to the pixels without light of its lines.

The amplitudes of the waves of positive frequency follow from weighted least squares; their normal matrix holds nothing
but the Fourier transform of the weights. What is seldom sampled weighs more, so that the gaps are bridged. Source:
Rauscher 2024, PASP 136, 015001.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

TICK, OVERHEAD = 1e-5, 12
"""Seconds from pixel to pixel, and pixels that pass between two lines of a subarray."""

HALF_POWER, WIDTH = 1 / 256, 1 / 1024
"""Frequency (1/pixel) at which the waves of a full frame are damped to half, and over which they fade."""

DENSITY_WIDTH, SMOOTHING, BORDER = 32.0, 1.5, 4
Cutoff = tuple[float, float, float, float]


class Fit(NamedTuple):
    """How much waves are damped that the pixels do not tell, as a share of the weights, and how weights are placed.

    Where a gap is longer than a wave the damping keeps the fit from running away. `displacement` moves weights, and the
    noise of full frames, by that many lines and pixels.
    """

    damping: float
    displacement: int


SECTION, FEWEST = 512, 0.05
"""Usable pixels of a subarray that are fitted together; share of usable pixels below which none are."""


def whole_frame(image: np.ndarray, usable: np.ndarray, how: Fit) -> np.ndarray:
    """Return the noise of `image` (nlines, length), a full frame, from waves in each line, smoothed across lines."""
    gain = _lowpass(image.shape[1])
    noise = np.zeros(image.shape)
    weights = np.roll(_weights(usable, DENSITY_WIDTH), how.displacement, (0, 1)) * usable
    inner = slice(BORDER, -BORDER)
    calm = _without_outliers(image[inner], usable[inner])
    noise[inner] = _fit(calm, weights[inner], np.arange(gain.size), gain, how.damping)
    return np.roll(_smoothed(noise), how.displacement, (0, 1))


def _lowpass(length: int) -> np.ndarray:
    """Return the gains of the waves with 0, 1, 2, ... periods along a line."""
    frequency = np.fft.rfftfreq(length)
    gain = (1 + np.cos(np.pi * (frequency - HALF_POWER) / WIDTH + np.pi / 2)) / 2
    gain[frequency <= HALF_POWER - WIDTH / 2] = 1
    return gain[(frequency <= HALF_POWER + WIDTH / 2) & (gain > 0)]


def _weights(usable: np.ndarray, width: float) -> np.ndarray:
    """Return the inverse of how densely each line is sampled, averaged over a Gaussian of `width` pixels."""
    n = usable.shape[-1]
    frequency = np.fft.rfftfreq(n)
    blur = np.exp(-2 * (np.pi * width * frequency) ** 2)
    density = np.fft.irfft(np.fft.rfft(usable) * blur, n)
    return np.divide(1.0, density, out=np.zeros_like(density), where=density > 1e-6)


def _without_outliers(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return the lines with the median of their usable pixels in place of those beyond 3 σ."""
    lines = image.astype(np.float64)
    for line, good in zip(lines, usable, strict=True):
        if good.any():
            middle = np.median(line[good])
            far = np.abs(line - middle) > 3 * 1.4826 * np.median(np.abs(line[good] - middle))
            line[far] = middle
    return lines


def _fit(lines: np.ndarray, weights: np.ndarray, waves: np.ndarray, gain: np.ndarray, damping: float) -> np.ndarray:
    """Return the waves (periods per line, times `gain`) that fit `lines` (nlines, n) best, by squared weights."""
    n = lines.shape[1]
    square = weights**2
    matrix = np.fft.fft(square)[:, (waves[:, np.newaxis] - waves) % n]
    trace = square.sum(axis=1)
    matrix[:, np.arange(waves.size), np.arange(waves.size)] += (damping * trace + (trace == 0))[:, np.newaxis]
    right = np.fft.fft(square * lines)[:, waves]
    amplitudes = np.linalg.solve(matrix, right[..., np.newaxis])[..., 0]
    spectrum = np.zeros((len(lines), n // 2 + 1), complex)
    spectrum[:, waves] = amplitudes * gain * n
    return np.fft.irfft(spectrum, n)


def _smoothed(noise: np.ndarray) -> np.ndarray:
    """Return the noise averaged over a Gaussian across lines; the frame goes on at its other end."""
    nlines = len(noise)
    distance = np.minimum(np.arange(nlines), nlines - np.arange(nlines)) / SMOOTHING
    kernel = np.exp(-(distance**2) / 2) / SMOOTHING / np.sqrt(2 * np.pi)
    return np.fft.irfft(np.fft.rfft(noise, axis=0) * np.fft.rfft(kernel)[:, np.newaxis], nlines, axis=0)


def subarray(image: np.ndarray, usable: np.ndarray, cutoff: Cutoff, how: Fit) -> np.ndarray:
    """Return the noise of `image` (nlines, length), a subarray, from waves along its readout, overheads included.

    Waves up to `cutoff[0]` Hz and from `cutoff[3]` Hz on are fitted whole; those up to `cutoff[1]` and from `cutoff[2]`
    on are damped. Sections of lines overlap by half, and count the more the nearer their middle is.
    """
    usable = _without_neighbours(image, usable)
    total, share = np.zeros(image.shape), np.zeros((len(image), 1))
    for start, stop in _sections(usable):
        weight = 1.001 - np.abs(np.linspace(-1, 1, stop - start))[:, np.newaxis]
        if usable[start:stop].mean() > FEWEST:
            total[start:stop] += weight * _section(image[start:stop], usable[start:stop], cutoff, how)
        share[start:stop] += weight
    return np.divide(total, share, out=total, where=share > 0)


def _without_neighbours(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Return the usable pixels but for outliers (4 σ) and their four neighbours."""
    if not usable.any():
        return usable
    middle = np.median(image[usable])
    sigma = 1.4825 * np.median(np.abs((image - middle)[usable]))
    outlier = usable & (np.abs(image - middle) > 4 * sigma)
    grown = outlier.copy()
    grown[1:] |= outlier[:-1]
    grown[:-1] |= outlier[1:]
    grown[:, 1:] |= outlier[:, :-1]
    grown[:, :-1] |= outlier[:, 1:]
    return usable & ~grown


def _sections(usable: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the first line of each section and the one after its last; the remainder goes to the last one."""
    there = np.flatnonzero(usable.any(axis=1))
    if not there.size:
        return
    before = np.concatenate(([0], usable.sum(axis=1).cumsum()))
    start, end = int(there[0]), int(there[-1]) + 1
    while True:
        left = before[-1] - before[start]
        enough = np.flatnonzero(before[start + 1 : end + 1] - before[start] > SECTION)
        stop = start + 1 + int(enough[0]) if enough.size and left > 1.5 * SECTION else end
        yield start, stop
        if stop == end:
            return
        start += max(round((stop - start) / 2), 1)


def _section(image: np.ndarray, usable: np.ndarray, cutoff: Cutoff, how: Fit) -> np.ndarray:
    """Return the noise of some lines, as waves along the time in which they were read."""
    nlines, length = image.shape
    room = ((0, 0), (0, OVERHEAD))
    stream, sampled = (np.pad(a, room).ravel()[np.newaxis] for a in (np.where(usable, image, 0), usable))
    frequency = np.fft.rfftfreq(stream.size, TICK)
    gain = _bands(frequency, cutoff)
    waves = np.flatnonzero(gain)
    weights = np.roll(_weights(sampled, 1 / (4 * TICK * (cutoff[0] + cutoff[1]))), how.displacement, 1) * sampled
    noise = _fit(stream.astype(np.float64), weights, waves, gain[waves], how.damping)
    return noise.reshape(nlines, -1)[:, :length]


def _bands(frequency: np.ndarray, cutoff: Cutoff) -> np.ndarray:
    low, fading, rising, high = cutoff
    gain = ((frequency < low) | (frequency >= high)).astype(np.float64)
    falls, rises = (frequency >= low) & (frequency < fading), (frequency >= rising) & (frequency < high)
    gain[falls] = (1 + np.cos(np.pi * (frequency[falls] - low) / (fading - low))) / 2
    gain[rises] = (1 - np.cos(np.pi * (frequency[rises] - rising) / (high - rising))) / 2
    return gain
