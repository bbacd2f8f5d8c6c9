"""The outline of an image on the sky, and the STC-S text of it in the keyword S_REGION."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from gwcs import WCS

Limits = tuple[tuple[float, float], tuple[float, float]]


def limits(wcs: WCS, shape: tuple[int, int] | None = None) -> Limits:
    """Return the bounding box of `wcs` as ((xmin, xmax), (ymin, ymax)), pixel edges, 0-based.

    Without a bounding box it is the outline of `shape` (ny, nx), by default the WCS's own array shape.
    """
    if wcs.bounding_box is not None:
        (x0, x1), (y0, y1) = wcs.bounding_box.bounding_box(order="F")
        return (float(x0), float(x1)), (float(y0), float(y1))
    ny, nx = wcs.array_shape if shape is None else shape
    return (-0.5, nx - 0.5), (-0.5, ny - 0.5)


def pixels(wcs: WCS, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return first and last column, first and last row (inclusive) whose centres lie in the bounding box."""
    (x0, x1), (y0, y1) = limits(wcs, shape)
    ny, nx = shape
    return max(0, int(np.ceil(x0))), min(nx - 1, int(x1)), max(0, int(np.ceil(y0))), min(ny - 1, int(y1))


def corners(wcs: WCS, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Return RA and Dec (degrees) of the outer corners, (4, 2): lower left, upper left, upper right, lower right."""
    (x0, x1), (y0, y1) = limits(wcs, shape)
    return sky(wcs, np.array([x0, x0, x1, x1]), np.array([y0, y1, y1, y0]))


def outline(wcs: WCS, shape: tuple[int, int] | None = None, per_side: int = 32) -> np.ndarray:
    """Return RA and Dec along the border, (4 * per_side, 2), in the order of `corners`."""
    (x0, x1), (y0, y1) = limits(wcs, shape)
    step = np.arange(per_side) / per_side
    x, y = x0 + (x1 - x0) * step, y0 + (y1 - y0) * step
    left, top = np.full(per_side, x0), np.full(per_side, y1)
    right, bottom = np.full(per_side, x1), np.full(per_side, y0)
    reach_x, reach_y = x0 + x1 - x, y0 + y1 - y
    return sky(wcs, np.concatenate([left, x, right, reach_x]), np.concatenate([y, top, reach_y, bottom]))


def sky(wcs: WCS, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return RA in [0, 360) and Dec of pixels, (n, 2), also outside of the bounding box."""
    ra, dec = wcs(x, y, with_bounding_box=False)
    return np.column_stack([np.mod(ra, 360.0), dec])


def center(footprints: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return RA and Dec in the middle of the vertices of all footprints: the middle of their extent in x, y, z.

    Source: JWST documentation, resample step, reference point of the output image.
    """
    x, y, z = unit_vectors(np.concatenate(footprints)).T
    x_mid, y_mid, z_mid = (0.5 * (axis.min() + axis.max()) for axis in (x, y, z))
    dec = np.rad2deg(np.arctan2(z_mid, np.hypot(x_mid, y_mid)))
    return float(np.rad2deg(np.arctan2(y_mid, x_mid)) % 360.0), float(dec)


def unit_vectors(radec: np.ndarray) -> np.ndarray:
    """Return the directions (n, 3) of RA and Dec (n, 2) in degrees."""
    ra, dec = np.deg2rad(radec).T
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def area(radec: np.ndarray) -> float:
    """Return the area in steradian enclosed by a closed line on the sky, vertices (n, 2) in degrees.

    The vertices go through Lambert's equal-area projection about their middle, where the shoelace formula holds.
    """
    x, y = _equal_area(radec, center([radec]))
    return float(0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def _equal_area(radec: np.ndarray, origin: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    (ra, dec), (ra0, dec0) = np.deg2rad(radec).T, np.deg2rad(origin)
    cosine = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
    stretch = np.sqrt(2.0 / (1.0 + cosine))
    x = stretch * np.cos(dec) * np.sin(ra - ra0)
    y = stretch * (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0))
    return x, y


def to_s_region(footprints: Sequence[np.ndarray]) -> str:
    """Return the value of S_REGION for one or several polygons, each (n, 2) RA and Dec in degrees."""
    return "  ".join("POLYGON ICRS  " + " ".join(f"{v:.9f}" for v in one.ravel()) for one in footprints)


def from_s_region(s_region: str) -> list[np.ndarray]:
    """Return the polygons, each (n, 2), that S_REGION describes."""
    texts = [text for text in re.split(r"POLYGON\s+ICRS", s_region) if text.strip()]
    return [np.array(text.split(), dtype=float).reshape(-1, 2) for text in texts]
