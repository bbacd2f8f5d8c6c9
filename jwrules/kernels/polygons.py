"""Polygons in a plane: what two of them share, and which pixels lie inside one."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull


def clip(subject: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the part of `subject` inside the convex hull of `window`, vertices (n, 2); n is 0 where they are apart.

    Source: Sutherland and Hodgman 1974, Communications of the ACM 17, 32.
    """
    hull = window[ConvexHull(window).vertices]
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        subject = _left_of(subject, start, end - start)
    return subject


def _left_of(subject: np.ndarray, start: np.ndarray, along: np.ndarray) -> np.ndarray:
    if not len(subject):
        return subject
    side = along[0] * (subject[:, 1] - start[1]) - along[1] * (subject[:, 0] - start[0])
    kept: list[np.ndarray] = []
    for k in range(len(subject)):
        if side[k - 1] * side[k] < 0:
            kept.append(subject[k - 1] + (subject[k] - subject[k - 1]) * side[k - 1] / (side[k - 1] - side[k]))
        if side[k] >= 0:
            kept.append(subject[k])
    return np.array(kept).reshape(-1, 2)


def area(vertices: np.ndarray) -> float:
    """Return the area inside the polygon with `vertices` (n, 2)."""
    x, y = vertices.T
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def inside(vertices: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return which pixel centres of an image (ny, nx) lie inside the polygon with `vertices` (n, 2) in pixels x, y."""
    mask = np.zeros(shape, dtype=bool)
    columns = np.arange(shape[1])
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        low, high = np.clip(np.ceil(sorted((y0, y1))), 0, shape[0]).astype(int)
        if low < high:
            crossing = x0 + (np.arange(low, high) - y0) * (x1 - x0) / (y1 - y0)
            mask[low:high] ^= columns >= crossing[:, None]
    return mask
