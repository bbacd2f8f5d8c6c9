"""Polynomials that map counts as read to counts that are proportional to the light, and back."""

from __future__ import annotations

import numpy as np
from numba import prange

from jwrules.kernels.compiled import inner, parallel


@inner
def polynomial(coeffs: np.ndarray, y: int, x: int, value: float) -> float:
    """Return the polynomial of pixel (y, x) at `value`; coeffs (ncoeffs, ny, nx), lowest order first."""
    order = coeffs.shape[0] - 1
    result = coeffs[order, y, x] * value
    for k in range(order - 1, 0, -1):
        result = (result + coeffs[k, y, x]) * value
    return result + coeffs[0, y, x]


@parallel
def linearize(data: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray) -> None:
    """Apply the polynomials `coeffs` to `data` (nints, ngroups, ny, nx) in place.

    Groups with a bit of `left` in `flags` are left as they are.
    """
    nints, ngroups, ny, nx = data.shape
    for y in prange(ny):
        for i in range(nints):
            for g in range(ngroups):
                for x in range(nx):
                    if not flags[i, g, y, x] & left:
                        data[i, g, y, x] = polynomial(coeffs, y, x, data[i, g, y, x])


@parallel
def linearize_frames(
    data: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray, inverse: np.ndarray, frames: int
) -> None:
    """Apply the polynomials to the `frames` frames that each group of `data` averages, in place.

    The mean of a curved response is not the response to the mean. So the frames of a group are predicted
    from a straight line through the first group and the last one but one that is free of `left` in `flags`,
    bent by the `inverse` polynomials, shifted to the mean that was read, made straight again one by one,
    and averaged.
    """
    nints, _, ny, nx = data.shape
    for y in prange(ny):
        for i in range(nints):
            for x in range(nx):
                _linearize_pixel(data[i, :, y, x], flags[i, :, y, x], left, coeffs, inverse, frames, y, x)


@inner
def _linearize_pixel(
    ramp: np.ndarray,
    flags: np.ndarray,
    left: int,
    coeffs: np.ndarray,
    inverse: np.ndarray,
    frames: int,
    y: int,
    x: int,
) -> None:
    start, rate = _straight_line(ramp, flags, left, coeffs, frames, y, x)
    for g in range(ramp.size):
        if flags[g] & left:
            continue
        offset = ramp[g] - _mean_bent(inverse, start, rate, g, frames, y, x)
        total = 0.0
        for k in range(frames):
            bent = polynomial(inverse, y, x, start + rate * _frame(g, k, frames))
            total += polynomial(coeffs, y, x, bent + offset)
        ramp[g] = total / frames


@inner
def _straight_line(
    ramp: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray, frames: int, y: int, x: int
) -> tuple[float, float]:
    """Return the linear first group and the counts per frame up to the usable group before the last."""
    usable = 0
    for g in range(ramp.size):
        if not flags[g] & left:
            usable += 1
    last = max(usable - 1, 2) - 1
    start, end = ramp[0], ramp[last]
    if not flags[0] & left:
        start = polynomial(coeffs, y, x, start)
    if not flags[last] & left:
        end = polynomial(coeffs, y, x, end)
    return start, (end - start) / (last * frames)


@inner
def _frame(g: int, k: int, frames: int) -> float:
    """Return how many frames after the middle of the first group frame k of group g is read."""
    return g * frames + k - (frames - 1) / 2


@inner
def _mean_bent(inverse: np.ndarray, start: float, rate: float, g: int, frames: int, y: int, x: int) -> float:
    total = 0.0
    for k in range(frames):
        total += polynomial(inverse, y, x, start + rate * _frame(g, k, frames))
    return total / frames
