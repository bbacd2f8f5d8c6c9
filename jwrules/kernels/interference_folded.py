"""A wave in ramps, found by folding: what a crude line and level leave of each pixel, averaged by phase.

The folded wave is noisy. Where the shape of the wave is known, that one is turned to the same phase and scaled to the
same height. All tables are looked up without interpolation.
"""

from __future__ import annotations

import math

import numpy as np

from jwrules.kernels.clipping import clip_bounds
from jwrules.kernels.compiled import compiled
from jwrules.kernels.interference import OUTPUTS, Clock, Wave, phase_indices

LIMIT = 3.0


def rests(
    data: np.ndarray, clock: Clock, period: float, bins: int, ints_begin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what lines leave of integrations, and in which of `bins` parts of the period it was read, (n,) each.

    `data` is (nints, ngroups, ny, nx) with at least 4 groups; `ints_begin` (nints,) are the phases at which its
    integrations start.
    """
    values, indices = [], []
    for integration, begin in zip(data, ints_begin, strict=True):
        rest = _without_source(integration)
        for g, plane in enumerate(rest):
            turned = begin + g * (clock.group / period % 1)
            values.append(plane.ravel())
            rows, columns = plane.shape
            indices.append(phase_indices(clock, period, turned, rows, columns, bins).ravel())
    return np.concatenate(values), np.concatenate(indices)


def fold(values: np.ndarray, indices: np.ndarray, bins: int) -> np.ndarray:
    """Return the mean wave in `bins` parts of its period, median 0, without values beyond 3 σ of those of a part."""
    wave = _clipped_means(values, indices, bins)
    return wave - np.median(wave)


def _without_source(integration: np.ndarray) -> np.ndarray:
    """Return the groups less a line for each pixel, averaged over the outputs, (ngroups, ny, nx / 4), median 0."""
    ngroups, ny, nx = integration.shape
    inner = np.arange(1, ngroups - 1, dtype=np.float32)
    weights = (inner - inner.mean()) / np.sum((inner - inner.mean()) ** 2)
    slope = np.tensordot(weights, integration[1:-1], axes=1)
    flat = integration - slope * np.arange(ngroups, dtype=np.float32)[:, np.newaxis, np.newaxis]
    level = flat[1:-1].min(axis=0) if len(inner) < 3 else np.median(flat[1:-1], axis=0)
    outputs = (flat - level)[..., : nx - nx % OUTPUTS].reshape(ngroups, ny, -1, OUTPUTS).mean(axis=-1)
    outputs[..., 1:3] = (outputs[..., :1] + outputs[..., 3:4]) / 2  # the first columns beside the reference pixels
    return outputs - np.median(outputs, axis=(1, 2), keepdims=True)


def _clipped_means(values: np.ndarray, index: np.ndarray, bins: int) -> np.ndarray:
    """Return the mean of the values of each bin without those that clipping leaves out; 0 for a bin without values."""
    order, ends = np.argsort(index, kind="stable"), np.cumsum(np.bincount(index, minlength=bins))
    return _means(values[order].astype(np.float64), ends)


@compiled
def _means(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    result, start = np.zeros(ends.size), 0
    for b in range(ends.size):
        members = np.sort(values[start : ends[b]])
        low, high = clip_bounds(members, members.size, LIMIT)
        total, n = 0.0, 0
        for value in members:
            if low <= value <= high:
                total += value
                n += 1
        result[b] = total / n if n > 0 else 0.0
        start = ends[b]
    return result


def wave_of(folded: np.ndarray, period: float, shape: np.ndarray | None = None, *, scaled: bool = True) -> Wave:
    """Return the wave to subtract: the folded one, or one of this `shape` turned to its phase and `scaled` to it."""
    table = _resampled(folded, period)
    if shape is not None:
        like = np.fft.rfft(_resampled(folded, len(shape))) * np.fft.rfft(shape).conj()
        turned = _resampled(np.roll(shape, int(np.argmax(np.fft.irfft(like, len(shape))))), period)
        table = turned * _slope(turned, table) if scaled else turned
    return Wave(period, table.astype(np.float32), period)


def _resampled(values: np.ndarray, length: float) -> np.ndarray:
    """Return the values at `length` places, each the one at or before it."""
    places = np.arange(math.ceil(length)) * (len(values) / length)
    return values[places.astype(int)]


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the line through the points; 0 where there is none."""
    apart = x - x.mean()
    return float(apart @ y / (apart @ apart)) if apart.any() else 0.0


def integrations_for(cycles: int | None, period: float, frame: float, ngroups: int, nints: int) -> int:
    """Return how many of the integrations hold `cycles` periods; all for None."""
    return nints if cycles is None else min(nints, math.ceil(cycles * period / (frame * ngroups)))
