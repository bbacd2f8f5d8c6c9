"""Where the orders of a slitless spectrum lie on the detector, from a model that turns with the pupil wheel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

HIGHEST = 255.0
"""Row of the model's frame beyond which a trace is not known."""


def track(trace: Mapping[str, Any], solution: Mapping[str, Any], angle: float, waves: np.ndarray) -> np.ndarray:
    """Return x and y (2, n) of an order at the wavelengths `waves` (n,), straight beyond its ends.

    `angle` (degrees) is how far the wheel is from where the trace was measured.
    """
    pivot = np.array([[trace["pivot_x"]], [trace["pivot_y"]]])
    measured = np.asarray(trace["trace"], float).T
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turned = np.array([[cos, -sin], [sin, cos]]) @ (measured - pivot) + pivot
    y = _straight_on(measured[0], turned[0], turned[1])
    x, y = measured[0, y <= HIGHEST], y[y <= HIGHEST]
    known = _wavelengths(solution, x, angle)
    return np.array([_straight_on(waves, known, x), _straight_on(waves, known, y)])


def _wavelengths(solution: Mapping[str, Any], x: np.ndarray, angle: float) -> np.ndarray:
    """Return the polynomial in x and angle, both scaled to their extents; terms 1, x, a, x², x a, a², x³, ..."""
    low, high = np.asarray(solution["scale_extents"], float)
    u, v = (x - low[0]) / (high[0] - low[0]), (angle - low[1]) / (high[1] - low[1])
    total, degree, power = np.zeros_like(u), 0, 0
    for coefficient in np.asarray(solution["coefficients"], float):
        total += coefficient * u ** (degree - power) * v**power
        degree, power = (degree, power + 1) if power < degree else (degree + 1, 0)
    return total


def _straight_on(waves: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate `values` at `known` to `waves`, with the slope of the two outermost points beyond them."""
    order = np.argsort(known)
    known, values = known[order], values[order]
    inside = np.interp(waves, known, values)
    before = values[0] + (waves - known[0]) * (values[1] - values[0]) / (known[1] - known[0])
    after = values[-1] + (waves - known[-1]) * (values[-1] - values[-2]) / (known[-1] - known[-2])
    return np.where(waves < known[0], before, np.where(waves > known[-1], after, inside))


def beside(track: np.ndarray, rows: np.ndarray, columns: np.ndarray, halfwidth: int) -> np.ndarray:
    """Return which pixels (ny, nx) are within `halfwidth` rows of a track (2, n).

    `rows` (ny,) and `columns` (nx,) are where they lie in the frame of the track.
    """
    x, y = track[:, np.argsort(track[0])]
    middle = np.interp(columns, x, y)
    low, high = np.floor(middle - halfwidth), np.ceil(middle + halfwidth)
    return (rows[:, np.newaxis] >= low) & (rows[:, np.newaxis] <= high)
