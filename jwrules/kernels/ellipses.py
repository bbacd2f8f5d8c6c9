"""Regions of a mask, and the ellipses that have their second moments.

The axes of an ellipse are 4 √λ - 1 pixels long, with the eigenvalues λ of the covariance of the coordinates. Source:
JWST documentation, CALWEBB_DETECTOR1, jump detection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled


class Shape(NamedTuple):
    """An ellipse: centre (pixel), lengths of its axes (pixel), angle from the y axis to the major axis, towards x."""

    x: float
    y: float
    minor: float
    major: float
    angle: float

    def draw(self, minor: float, major: float, plane: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns inside the ellipse of this place and angle with these axes, in whole pixels."""
        return _inside(round(self.x), round(self.y), round(minor / 2), round(major / 2), self.angle, *plane)

    def is_near(self, other: Shape) -> bool:
        """Return whether the centre of another may lie in the ellipse: it does not beyond a square around it."""
        reach = (1 + 1e-6) * max(abs(self.minor), abs(self.major)) / 2
        return not self.minor * self.major or max(abs(other.x - self.x), abs(other.y - self.y)) <= reach

    def holds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which of the points (n,) lie in the ellipse."""
        dx, dy = x - self.x, y - self.y
        along = dy * np.cos(self.angle) + dx * np.sin(self.angle)
        across = dy * np.sin(self.angle) - dx * np.cos(self.angle)
        return np.asarray(
            (2 * along) ** 2 * self.minor**2 + (2 * across) ** 2 * self.major**2 <= (self.minor * self.major) ** 2
        )


def shapes(mask: np.ndarray, min_area: float, counted: np.ndarray | None = None) -> list[Shape]:
    """Return the ellipses of the regions of `mask` (touching corners connect) that cover `min_area`.

    Holes belong to a region's area. Only the pixels in `counted` do, and no holes, where it is given.
    """
    area = np.zeros((0, 0), bool) if counted is None else counted
    pixels = np.flatnonzero(mask)
    return [Shape(*row) for row in _regions(mask, pixels, area, min_area).tolist()] if pixels.size else []


@compiled
def _regions(mask: np.ndarray, pixels: np.ndarray, counted: np.ndarray, min_area: float) -> np.ndarray:
    """Return an ellipse for each region of `mask`; `pixels` are the numbers of those that belong to one."""
    seen = np.zeros(mask.shape, np.bool_)
    ys, xs = np.empty(pixels.size, np.int64), np.empty(pixels.size, np.int64)
    found, ellipses = 0, np.empty((pixels.size, 5))
    for pixel in pixels:
        y, x = pixel // mask.shape[1], pixel % mask.shape[1]
        if not seen[y, x]:
            n = _collect(mask, seen, y, x, ys, xs)
            if _covers(ys[:n], xs[:n], counted, min_area):
                _describe(ys[:n], xs[:n], ellipses[found])
                found += 1
    return ellipses[:found]


@compiled
def _covers(ys: np.ndarray, xs: np.ndarray, counted: np.ndarray, min_area: float) -> bool:
    if counted.size == 0:
        return ys.size >= min_area or _filled_area(ys, xs) >= min_area
    n = 0
    for k in range(ys.size):
        n += counted[ys[k], xs[k]]
    return n >= min_area


@compiled
def _collect(mask: np.ndarray, seen: np.ndarray, y: int, x: int, ys: np.ndarray, xs: np.ndarray) -> int:
    """Write the pixels of the region of `mask` that (y, x) belongs to into `ys` and `xs`; return how many."""
    ny, nx = mask.shape
    ys[0], xs[0], n, k = y, x, 1, 0
    seen[y, x] = True
    while k < n:
        for v in range(max(ys[k] - 1, 0), min(ys[k] + 2, ny)):
            for u in range(max(xs[k] - 1, 0), min(xs[k] + 2, nx)):
                if mask[v, u] and not seen[v, u]:
                    seen[v, u] = True
                    ys[n], xs[n] = v, u
                    n += 1
        k += 1
    return n


@compiled
def _filled_area(ys: np.ndarray, xs: np.ndarray) -> int:
    """Return the area of a region with its holes, which are what no way over edges and corners leads out of."""
    y0, x0 = ys.min() - 1, xs.min() - 1
    ny, nx = ys.max() - y0 + 2, xs.max() - x0 + 2
    outside, seen = np.ones((ny, nx), np.bool_), np.zeros((ny, nx), np.bool_)
    for k in range(ys.size):
        outside[ys[k] - y0, xs[k] - x0] = False
    room = np.empty((2, ny * nx), np.int64)
    return ny * nx - _collect(outside, seen, 0, 0, room[0], room[1])


@compiled
def _describe(ys: np.ndarray, xs: np.ndarray, ellipse: np.ndarray) -> None:
    y, x = ys.mean(), xs.mean()
    vyy, vxx, vxy = 0.0, 0.0, 0.0
    for k in range(ys.size):
        vyy += (ys[k] - y) ** 2
        vxx += (xs[k] - x) ** 2
        vxy += (ys[k] - y) * (xs[k] - x)
    vyy, vxx, vxy = vyy / ys.size, vxx / ys.size, vxy / ys.size
    middle, half = (vyy + vxx) / 2, np.sqrt(((vyy - vxx) / 2) ** 2 + vxy**2)
    ellipse[0], ellipse[1] = x, y
    ellipse[2] = 4 * np.sqrt(max(middle - half, 0.0)) - 1
    ellipse[3] = 4 * np.sqrt(middle + half) - 1
    ellipse[4] = np.arctan2(2 * vxy, vyy - vxx) / 2


@compiled
def _inside(x: int, y: int, minor: int, major: int, angle: float, ny: int, nx: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of a plane inside an ellipse with these half axes."""
    reach = max(minor, major)
    ys, xs = np.empty((2 * reach + 1) ** 2, np.int64), np.empty((2 * reach + 1) ** 2, np.int64)
    n, sine, cosine = 0, np.sin(angle), np.cos(angle)
    if min(minor, major) > 0:
        for v in range(max(y - reach, 0), min(y + reach + 1, ny)):
            for u in range(max(x - reach, 0), min(x + reach + 1, nx)):
                along = ((v - y) * cosine + (u - x) * sine) / major
                across = ((v - y) * sine - (u - x) * cosine) / minor
                if along**2 + across**2 < 1:
                    ys[n], xs[n] = v, u
                    n += 1
    return ys[:n], xs[:n]
