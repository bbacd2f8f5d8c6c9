"""Polynomials that map counts as read to counts that are proportional to the light, and back."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def linearize(data: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray) -> None:
    """Apply polynomials `coeffs` (ncoeffs, ny, nx), lowest order first, to `data` (nints, ngroups, ny, nx) in place.

    Groups with a bit of `left` in `flags` are left as they are.
    """
    over_rows(_linearize, data.shape[2], data, as_input(flags), np.uint8(left), as_input(coeffs))


@compiled
def _linearize(start: int, stop: int, data: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray) -> None:
    nints, ngroups, _, nx = data.shape
    result = np.empty(nx, np.float32)
    for y in range(start, stop):
        for i in range(nints):
            for g in range(ngroups):
                _apply(coeffs, y, data[i, g, y], flags[i, g, y], left, result)


@compiled
def _apply(coeffs: np.ndarray, y: int, values: np.ndarray, flags: np.ndarray, left: int, result: np.ndarray) -> None:
    """Replace `values` of a row by their polynomials, term after term for the whole row: this makes vectors."""
    order = coeffs.shape[0] - 1
    highest = coeffs[order, y]
    for x in range(values.size):
        result[x] = highest[x]
    for k in range(order - 1, -1, -1):
        term = coeffs[k, y]
        for x in range(values.size):
            result[x] = result[x] * values[x] + term[x]
    for x in range(values.size):
        values[x] = values[x] if flags[x] & left else result[x]


def linearize_frames(
    data: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray, inverse: np.ndarray, frames: int
) -> None:
    """Apply the polynomials to the `frames` frames that each group of `data` averages, in place.

    The mean of a curved response is not the response to the mean. So the frames of a group are predicted from a
    straight line through the first group and the last one but one that is free of `left` in `flags`, bent by the
    `inverse` polynomials, shifted to the mean that was read, made straight again one by one, and averaged.
    """
    inputs = as_input(flags), left, as_input(coeffs), as_input(inverse), frames
    over_rows(_linearize_frames, data.shape[2], data, *inputs)


@compiled
def _linearize_frames(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    left: int,
    coeffs: np.ndarray,
    inverse: np.ndarray,
    frames: int,
) -> None:
    nints, _, _, nx = data.shape
    for y in range(start, stop):
        for i in range(nints):
            for x in range(nx):
                _linearize_pixel(data[i, :, y, x], flags[i, :, y, x], left, coeffs, inverse, frames, y, x)


@compiled
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
    first, rate = _straight_line(ramp, flags, left, coeffs, frames, y, x)
    for g in range(ramp.size):
        if flags[g] & left:
            continue
        mean, total = 0.0, 0.0
        for k in range(frames):
            mean += _polynomial(inverse, y, x, first + rate * _frame(g, k, frames)) / frames
        for k in range(frames):
            bent = _polynomial(inverse, y, x, first + rate * _frame(g, k, frames))
            total += _polynomial(coeffs, y, x, bent + ramp[g] - mean)
        ramp[g] = total / frames


@compiled
def _straight_line(
    ramp: np.ndarray, flags: np.ndarray, left: int, coeffs: np.ndarray, frames: int, y: int, x: int
) -> tuple[float, float]:
    """Return the linear first group and the counts per frame up to the usable group before the last."""
    usable = 0
    for g in range(ramp.size):
        if not flags[g] & left:
            usable += 1
    last = max(usable - 1, 2) - 1
    first, end = float(ramp[0]), float(ramp[last])
    if not flags[0] & left:
        first = _polynomial(coeffs, y, x, first)
    if not flags[last] & left:
        end = _polynomial(coeffs, y, x, end)
    return first, (end - first) / (last * frames)


@compiled
def _polynomial(coeffs: np.ndarray, y: int, x: int, value: float) -> float:
    result = 0.0
    for k in range(coeffs.shape[0] - 1, -1, -1):
        result = result * value + coeffs[k, y, x]
    return result


@compiled
def _frame(g: int, k: int, frames: int) -> float:
    """Return how many frames after the middle of the first group frame k of group g is read."""
    return g * frames + k - (frames - 1) / 2
