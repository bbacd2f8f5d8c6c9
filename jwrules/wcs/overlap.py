"""Where one image covers another."""

from __future__ import annotations

import numpy as np
from gwcs import WCS

from jwrules.kernels import polygons
from jwrules.wcs import footprint

_FARTHEST = np.cos(np.deg2rad(45.0))


def outline(wcs: WCS, shape: tuple[int, int], step: int | None = None) -> np.ndarray:
    """Return right ascension and declination (n, 2), degrees, along the border of an image (ny, nx).

    The vertices are `step` pixels apart at most; without it they are the four outer corners.
    """
    if step is None:
        return footprint.corners(wcs, shape)
    return footprint.outline(wcs, shape, per_side=int(np.ceil((max(shape) + 1) / step)))


def overlap(wcs: WCS, shape: tuple[int, int], border: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return which pixels (ny, nx) of an image with this `border` lie inside the outline `other`, both (n, 2) degrees.

    The outlines are cut with each other in a tangent plane, so that the WCS is inverted inside its own image only.
    """
    center = footprint.unit_vectors(border).mean(axis=0)
    shared = _shared(border, other, center)
    if len(shared) < 3:
        return np.zeros(shape, dtype=bool)
    x, y = wcs.invert(*_sky(shared, center).T, with_bounding_box=False)
    return polygons.inside(np.column_stack([x, y]), shape)


def area(border: np.ndarray, other: np.ndarray) -> float:
    """Return the area in steradian (of the tangent plane) that two outlines, (n, 2) degrees, share."""
    return polygons.area(_shared(border, other, footprint.unit_vectors(border).mean(axis=0)))


def _shared(border: np.ndarray, other: np.ndarray, center: np.ndarray) -> np.ndarray:
    ours, theirs = _tangent(border, center), _tangent(other, center)
    return polygons.clip(ours, theirs) if np.isfinite(theirs).all() else np.empty((0, 2))


def _axes(center: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    normal = center / np.linalg.norm(center)
    east = np.cross([0.0, 0.0, 1.0], normal)
    east = east / np.linalg.norm(east) if np.any(east) else np.array([0.0, 1.0, 0.0])
    return normal, east, np.cross(normal, east)


def _tangent(radec: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Gnomonic projection (n, 2) about `center`, radians; NaN more than 45 degrees away."""
    normal, east, north = _axes(center)
    direction = footprint.unit_vectors(radec)
    height = direction @ normal
    height[height < _FARTHEST] = np.nan
    return np.column_stack([direction @ east, direction @ north]) / height[:, None]


def _sky(plane: np.ndarray, center: np.ndarray) -> np.ndarray:
    normal, east, north = _axes(center)
    return radec(normal + plane[:, :1] * east + plane[:, 1:] * north)


def radec(directions: np.ndarray) -> np.ndarray:
    """Return right ascension in [0, 360) and declination (n, 2), degrees, of vectors (n, 3) of any length."""
    x, y, z = directions.T
    return np.rad2deg(np.column_stack([np.arctan2(y, x) % (2 * np.pi), np.arctan2(z, np.hypot(x, y))]))
