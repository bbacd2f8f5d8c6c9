"""The sky: stars and galaxies with known places and fluxes, and how they fall on a detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree
from scipy.special import gammaincinv

from jwrules.simulate.nircam import EDGE, Band, Pointing
from jwrules.simulate.optics import View
from jwrules.simulate.psf import Psf

AB_ZERO = 3631.0
BRIGHTEST = 17.0
MARGIN = 14
FINE = 3
APART = 1.05
ISOLATION = 0.9
COMPANION = 0.02
DUST = 1.8


@dataclass(frozen=True)
class Sources:
    """Everything on the sky; arrays are (n,), `flux` (Jy) by filter. Of a star the last four are 0.

    size is the half-light radius along the major axis (arcsec), angle its position angle (degrees east of north).
    """

    ra: np.ndarray
    dec: np.ndarray
    flux: dict[str, np.ndarray]
    sersic: np.ndarray
    size: np.ndarray
    axis_ratio: np.ndarray
    angle: np.ndarray

    def __len__(self) -> int:
        return len(self.ra)


def populate(views: list[tuple[Pointing, View]], rng: np.random.Generator) -> Sources:
    """Fill the fields of these views with their stars and galaxies, most of them well apart from each other."""
    places: list[np.ndarray] = []
    is_star: list[np.ndarray] = []
    for pointing, view in views:
        number = pointing.stars + pointing.galaxies
        places.append(_scatter(view, number, places, rng))
        is_star.append(np.arange(number) < pointing.stars)
    ra, dec = np.concatenate(places).T
    return _dress(ra, dec, np.concatenate(is_star), _magnitudes(is_star, rng), rng)


def _scatter(view: View, number: int, others: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return (number, 2) places on the sky, uniform over the view and, as far as there is room, APART."""
    window = view.window
    x = rng.uniform(MARGIN, window.nx - MARGIN, 60 * number)
    y = rng.uniform(MARGIN, window.ny - MARGIN, 60 * number)
    candidates = np.transpose(view.to_sky(x, y))
    flat = 3600 * np.array([np.cos(np.radians(view.attitude.dec)), 1.0])
    taken = [place * flat for group in others for place in group]
    chosen: list[np.ndarray] = []
    for relax in (1.0, 0.6, 0.3, 0.0):
        for candidate in candidates:
            if len(chosen) == number:
                break
            here = candidate * flat
            if not taken or np.min(np.hypot(*(np.array(taken) - here).T)) > relax * APART:
                taken.append(here)
                chosen.append(candidate)
    return np.array(chosen)


def _magnitudes(is_star: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return AB magnitudes: in every field a few stars that saturate, many good ones, a tail of faint ones."""
    drawn = []
    for stars in is_star:
        number = len(stars)
        kind = np.arange(number) / max(1, stars.sum())
        bright = rng.uniform(BRIGHTEST, 19.0, number)
        good = rng.uniform(19.2, 23.0, number)
        faint = rng.uniform(23.0, 26.2, number)
        galaxies = rng.uniform(20.0, 23.0, number)
        drawn.append(np.where(stars, np.where(kind < 0.06, bright, np.where(kind < 0.68, good, faint)), galaxies))
    return np.concatenate(drawn)


def _dress(
    ra: np.ndarray, dec: np.ndarray, is_star: np.ndarray, magnitude: np.ndarray, rng: np.random.Generator
) -> Sources:
    """Give every source its colours and shape; what is warm in all of them makes them DUST mag brighter at 8 um."""
    number = len(ra)
    color = np.where(is_star, rng.normal(-0.3, 0.25, number), rng.normal(0.4, 0.4, number))
    flux = AB_ZERO * 10 ** (-0.4 * magnitude)
    return Sources(
        ra=ra,
        dec=dec,
        flux={"F200W": flux, "F444W": flux * 10 ** (0.4 * color), "F770W": flux * 10 ** (0.4 * (color + DUST))},
        sersic=np.where(is_star, 0.0, rng.uniform(0.8, 2.5, number)),
        size=np.where(is_star, 0.0, rng.uniform(0.08, 0.3, number)),
        axis_ratio=np.where(is_star, 0.0, rng.uniform(0.4, 1.0, number)),
        angle=np.where(is_star, 0.0, rng.uniform(0.0, 180.0, number)),
    )


def draw(sources: Sources, view: View, psf: Psf) -> np.ndarray:
    """Return the flux, Jy, that falls on every pixel of the window."""
    image = np.zeros(view.window.shape)
    x, y = view.to_pixel(sources.ra, sources.dec)
    for i, flux in enumerate(sources.flux[view.band.filter]):
        if sources.size[i] == 0:
            psf.draw(image, x[i], y[i], flux)
        else:
            _add(image, _galaxy(sources, i, view, psf, x[i], y[i]) * flux, x[i], y[i])
    return image


def _galaxy(sources: Sources, i: int, view: View, psf: Psf, x: float, y: float) -> np.ndarray:
    """Return the image of a galaxy on a stamp of pixels around x, y, with sum 1 (Sersic profile)."""
    jacobian = view.jacobian(x, y)
    half = int(5 * sources.size[i] / np.sqrt(abs(np.linalg.det(jacobian)))) + 8
    axis = (np.arange((2 * half + 1) * FINE) - FINE // 2) / FINE - half
    dy, dx = np.meshgrid(axis - (y - round(y)), axis - (x - round(x)), indexing="ij")
    east, north = np.tensordot(jacobian, np.array([dx, dy]), axes=1)
    angle = np.radians(sources.angle[i])
    major = east * np.sin(angle) + north * np.cos(angle)
    minor = east * np.cos(angle) - north * np.sin(angle)
    r = np.hypot(major, minor / sources.axis_ratio[i]) / sources.size[i]
    n = sources.sersic[i]
    light = psf.blur(np.exp(-gammaincinv(2 * n, 0.5) * r ** (1 / n)), FINE).clip(0)
    stamp = light.reshape(2 * half + 1, FINE, 2 * half + 1, FINE).sum(axis=(1, 3))
    return np.asarray(stamp / stamp.sum())


def _add(image: np.ndarray, stamp: np.ndarray, x: float, y: float) -> None:
    half = stamp.shape[0] // 2
    x0, y0 = round(x) - half, round(y) - half
    ny, nx = image.shape
    rows = slice(max(0, y0), min(ny, y0 + len(stamp)))
    columns = slice(max(0, x0), min(nx, x0 + len(stamp)))
    if rows.stop > rows.start and columns.stop > columns.start:
        image[rows, columns] += stamp[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0]


def isolated(sources: Sources, band: Band) -> np.ndarray:
    """Return which sources have no neighbour within ISOLATION arcsec that gives more than COMPANION of their flux."""
    place = np.transpose([sources.ra * np.cos(np.radians(sources.dec.mean())), sources.dec]) * 3600
    flux = sources.flux[band.filter]
    near = cKDTree(place).query_ball_point(place, ISOLATION)
    return np.array([all(flux[j] <= COMPANION * flux[i] for j in found if j != i) for i, found in enumerate(near)])


def coverage(sources: Sources, views: list[View]) -> np.ndarray:
    """Return in how many of the views a source lies on light-sensitive pixels, MARGIN pixels inside the window."""
    count = np.zeros(len(sources), int)
    for view in views:
        x, y = view.to_pixel(sources.ra, sources.dec)
        inside = MARGIN + EDGE
        count += (x > inside) & (x < view.window.nx - inside) & (y > inside) & (y < view.window.ny - inside)
    return count


def catalogue(sources: Sources, views: dict[str, list[View]], signal: dict[str, np.ndarray]) -> Table:
    """Return the truth table; `signal` is the expected signal-to-noise in all exposures, by filter."""
    table = Table()
    table["id"] = np.arange(1, len(sources) + 1)
    table["type"] = np.where(sources.size == 0, "star", "galaxy")
    table["ra"], table["dec"] = sources.ra, sources.dec
    for name in views:
        flux = sources.flux[name]
        table[f"flux_{name}"] = flux
        table[f"abmag_{name}"] = -2.5 * np.log10(flux / AB_ZERO)
        table[f"snr_{name}"] = signal[name]
        table[f"isolated_{name}"] = isolated(sources, views[name][0].band)
        table[f"exposures_{name}"] = coverage(sources, views[name])
        table[f"flux_{name}"].unit, table[f"abmag_{name}"].unit = "Jy", "mag"
    for name in ("sersic", "size", "axis_ratio", "angle"):
        table[name] = getattr(sources, name)
    table["ra"].unit = table["dec"].unit = table["angle"].unit = "deg"
    table["size"].unit = "arcsec"
    return table
