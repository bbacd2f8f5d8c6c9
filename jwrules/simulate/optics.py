"""Where the light of a place on the sky falls: spherical trigonometry and the distortion, written out.

Pixels are science pixels counted from 0 in the window that is read, the middle of the first one at 0. V2, V3 in
arcsec, sky in degrees (documentation: JWST Telescope Coordinates, Pointing and Attitude).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import polynomial

from jwrules.simulate.nircam import FULL_SIZE, Band, Detector, Window

MIDDLE = (FULL_SIZE - 1) / 2
ARCSEC = np.pi / 180 / 3600


@dataclass(frozen=True)
class Attitude:
    """Where a place (v2, v3) of the focal plane looks: right ascension, declination, and position angle of V3 there."""

    v2: float
    v3: float
    ra: float
    dec: float
    roll: float

    @cached_property
    def matrix(self) -> np.ndarray:
        """Turns a unit vector of V2, V3 into one of the sky."""
        to_axis = _about_y(self.v3 * ARCSEC) @ _about_z(-self.v2 * ARCSEC)
        ra, dec, roll = np.radians([self.ra, self.dec, self.roll])
        return np.asarray(_about_z(ra) @ _about_y(-dec) @ _about_x(-roll) @ to_axis)

    def to_sky(self, v2: np.ndarray, v3: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return right ascension and declination of a place in V2, V3."""
        lon, lat = _angles(self.matrix @ _vector(np.asarray(v2) * ARCSEC, np.asarray(v3) * ARCSEC))
        return np.degrees(lon) % 360.0, np.degrees(lat)

    def to_focal_plane(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return V2, V3 of a place on the sky."""
        lon, lat = _angles(self.matrix.T @ _vector(np.radians(ra), np.radians(dec)))
        return lon / ARCSEC, lat / ARCSEC

    def moved(self, dra: float, ddec: float) -> Attitude:
        """Return the attitude that looks `dra` (along the great circle) and `ddec` arcsec further."""
        return replace(self, ra=self.ra + dra / 3600 / np.cos(np.radians(self.dec)), dec=self.dec + ddec / 3600)

    def roll_at(self, v2: float, v3: float) -> float:
        """Return the position angle of V3, degrees east of north, at another place of the focal plane."""
        ra, dec = np.radians(self.to_sky(np.array([v2, v2]), np.array([v3, v3 + 0.1])))
        east = np.cos(dec[1]) * np.sin(ra[1] - ra[0])
        north = np.sin(dec[1]) * np.cos(dec[0]) - np.cos(dec[1]) * np.sin(dec[0]) * np.cos(ra[1] - ra[0])
        return float(np.degrees(np.arctan2(east, north)) % 360.0)


def _about_x(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _vector(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _angles(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arctan2(vector[1], vector[0]), np.arctan2(vector[2], np.hypot(vector[0], vector[1]))


def distortion(detector: Detector) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients [i, j] of dx**i dy**j that give V2 and V3; dx, dy are pixels from the middle."""
    bend = detector.bend
    x, y = np.zeros((4, 4)), np.zeros((4, 4))
    half = MIDDLE + 0.5
    sx, sy = detector.scale
    x[1, 0], x[2, 0], x[1, 1], x[0, 2] = sx, sx * bend[0] / half, sx * bend[1] / half, sx * bend[2] / half
    y[0, 1], y[0, 2], y[1, 1], y[2, 0] = sy, sy * bend[1] / half, sy * bend[0] / half, -sy * bend[2] / half
    x[3, 0], x[1, 2] = sx * bend[3] / half**2, sx * bend[4] / half**2
    y[0, 3], y[2, 1] = sy * bend[4] / half**2, sy * bend[3] / half**2
    x[0, 1], y[1, 0] = sx * 1.1e-3, -sy * 0.7e-3
    c, s = np.cos(np.radians(detector.yang)), np.sin(np.radians(detector.yang))
    v2, v3 = detector.parity * x * c + y * s, -detector.parity * x * s + y * c
    v2[0, 0], v3[0, 0] = detector.center
    return v2, v3


def pixel_area(detector: Detector, window: Window) -> np.ndarray:
    """Return the area of every pixel of `window` in units of that of the middle of the detector."""
    dx = np.arange(window.nx) + window.x0 - MIDDLE
    dy = np.arange(window.ny) + window.y0 - MIDDLE
    return _jacobian(detector, dx, dy).T / _jacobian(detector, np.zeros(1), np.zeros(1))


def nominal_area(detector: Detector) -> float:
    """Return the area of the middle pixel in square arcsec."""
    return float(_jacobian(detector, np.zeros(1), np.zeros(1))[0, 0] * np.cos(detector.center[1] * ARCSEC))


def _jacobian(detector: Detector, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    v2, v3 = distortion(detector)
    gradient = [polynomial.polygrid2d(dx, dy, polynomial.polyder(v, axis=axis)) for v in (v2, v3) for axis in (0, 1)]
    return np.abs(gradient[0] * gradient[3] - gradient[1] * gradient[2])


@dataclass(frozen=True)
class View:
    """How one exposure maps the sky: detector, filter, window, attitude and velocity aberration."""

    detector: Detector
    band: Band
    window: Window
    attitude: Attitude
    aberration: float

    def to_sky(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return right ascension and declination of a place in the window."""
        v2, v3 = self._to_focal_plane(np.asarray(x, float), np.asarray(y, float))
        a, s = self.attitude, self.aberration
        return a.to_sky(s * v2 + (1 - s) * a.v2, s * v3 + (1 - s) * a.v3)

    def to_pixel(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the place in the window where a place on the sky is seen."""
        a, s = self.attitude, self.aberration
        v2, v3 = a.to_focal_plane(np.asarray(ra, float), np.asarray(dec, float))
        return self._from_focal_plane((v2 - (1 - s) * a.v2) / s, (v3 - (1 - s) * a.v3) / s)

    def jacobian(self, x: float, y: float) -> np.ndarray:
        """Return the matrix that turns a step in x, y into arcsec towards east and north."""
        ra, dec = self.to_sky(np.array([x, x + 1, x]), np.array([y, y, y + 1]))
        east = (ra[1:] - ra[0]) * np.cos(np.radians(dec[0])) * 3600
        return np.array([east, (dec[1:] - dec[0]) * 3600])

    def _to_focal_plane(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dx = x + self.window.x0 + self.band.offset[0] - MIDDLE
        dy = y + self.window.y0 + self.band.offset[1] - MIDDLE
        v2, v3 = distortion(self.detector)
        return polynomial.polyval2d(dx, dy, v2), polynomial.polyval2d(dx, dy, v3)

    def _from_focal_plane(self, v2: np.ndarray, v3: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = np.zeros_like(v2), np.zeros_like(v3)
        step = np.linalg.inv(_linear(self.detector))
        for _ in range(30):
            here = self._to_focal_plane(x, y)
            move = np.tensordot(step, np.array([v2 - here[0], v3 - here[1]]), axes=1)
            x, y = x + move[0], y + move[1]
        return x, y


def _linear(detector: Detector) -> np.ndarray:
    v2, v3 = distortion(detector)
    return np.array([[v2[1, 0], v2[0, 1]], [v3[1, 0], v3[0, 1]]])


def reference_point(detector: Detector, window: Window) -> tuple[float, float]:
    """Return V2, V3 of the middle of the window, through no filter."""
    dx = window.x0 + (window.nx - 1) / 2 - MIDDLE
    dy = window.y0 + (window.ny - 1) / 2 - MIDDLE
    v2, v3 = distortion(detector)
    return float(polynomial.polyval2d(dx, dy, v2)), float(polynomial.polyval2d(dx, dy, v3))
