"""The image of a star: a core, a halo and six faint spikes, integrated over pixels; encircled energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, optimize, signal

RADIUS = 40
FINE = 9


@dataclass(frozen=True)
class Psf:
    """Image of a star of this width on the detector (full width at half maximum, pixels); its sum is 1."""

    fwhm: float

    def profile(self, fine: int, radius: int = RADIUS) -> np.ndarray:
        """Return the image before the pixels, `fine` samples a pixel, odd sized, centred, with sum 1."""
        axis = np.arange(-radius * fine, radius * fine + 1) / fine
        x, y = np.meshgrid(axis, axis)
        r, angle = np.hypot(x, y), np.arctan2(y, x)
        image = 0.50 * _gaussian(r, self._core) + 0.20 * _gaussian(r, 2.4 * self._core)
        image += 0.30 * _halo(r, 3.5 * self._core) * (1 + 0.7 * np.cos(6 * angle) * (1 - np.exp(-((r / 4) ** 2))))
        image *= np.clip(1 - (r / radius) ** 2, 0, None) ** 2
        return np.asarray(image / image.sum())

    @cached_property
    def _core(self) -> float:
        """Sigma of the core for which the image on the detector, pixel included, has the width asked for."""
        return float(np.sqrt((self.fwhm / 2.3548) ** 2 - 1 / 12) * 0.93)

    @cached_property
    def pixelated(self) -> np.ndarray:
        """Energy that a pixel centred on each sample receives, FINE samples a pixel."""
        return np.asarray(ndimage.uniform_filter(self.profile(FINE), FINE, mode="constant")) * FINE**2

    @cached_property
    def _spline(self) -> np.ndarray:
        return np.asarray(ndimage.spline_filter(self.pixelated, order=3, mode="mirror"))

    def draw(self, image: np.ndarray, x: float, y: float, flux: float) -> None:
        """Add a star of this flux at x, y (pixels from 0) to `image`; what falls outside is lost."""
        ny, nx = image.shape
        x0, x1 = max(0, int(x) - RADIUS), min(nx, int(x) + RADIUS + 2)
        y0, y1 = max(0, int(y) - RADIUS), min(ny, int(y) + RADIUS + 2)
        if x1 <= x0 or y1 <= y0:
            return
        places = np.meshgrid(np.arange(y0, y1) - y, np.arange(x0, x1) - x, indexing="ij")
        fine = [place * FINE + RADIUS * FINE for place in places]
        image[y0:y1, x0:x1] += flux * ndimage.map_coordinates(
            self._spline, fine, order=3, mode="constant", prefilter=False
        )

    @cached_property
    def sharpness(self) -> float:
        """Return the sum of the squared image, averaged over where in a pixel the star falls."""
        return float(np.mean([np.sum(self.pixelated[i::FINE, i::FINE] ** 2) for i in range(FINE)]))

    def encircled(self, radius: np.ndarray) -> np.ndarray:
        """Return the energy within `radius` pixels that aperture photometry of a mosaic finds.

        A mosaic drizzled with pixels of the same size blurs by the overlap of two pixels, and an aperture that
        weighs pixels by their overlap blurs its own edge by one.
        """
        return np.interp(radius, *self._growth)

    @cached_property
    def _growth(self) -> tuple[np.ndarray, np.ndarray]:
        """Return radii and the energy within them, integrated over rings: counting samples would be too rough."""
        image = self.pixelated
        for _ in range(3):
            image = ndimage.uniform_filter(image, FINE, mode="constant")
        edges = np.linspace(0, RADIUS, 50 * RADIUS + 1)
        angle = np.arange(96) * 2 * np.pi / 96
        ring = (edges[1:] + edges[:-1])[:, None] / 2 * FINE
        places = np.array([ring * np.sin(angle), ring * np.cos(angle)]) + RADIUS * FINE
        mean = ndimage.map_coordinates(image, places, order=3).mean(axis=1)
        return edges, np.concatenate([[0.0], np.cumsum(mean * np.pi * np.diff(edges**2))])

    def correction(self, radius: float, annulus: tuple[float, float]) -> float:
        """Return total over measured flux for an aperture whose background is taken in `annulus` (radii, pixels)."""
        inner, outer = self.encircled(np.array(annulus))
        background = (outer - inner) / (annulus[1] ** 2 - annulus[0] ** 2) * radius**2
        return float(1 / (self.encircled(np.array(radius)) - background))

    def radius_of(self, energy: float) -> float:
        """Return the radius, pixels, that encircles this share of the energy."""
        return float(optimize.brentq(lambda r: float(self.encircled(np.array(r))) - energy, 0.1, RADIUS))

    def blur(self, image: np.ndarray, fine: int) -> np.ndarray:
        """Convolve `image`, which has `fine` samples a pixel, with the image of a star."""
        return np.asarray(signal.fftconvolve(image, self.profile(fine, 20), mode="same"))


def _gaussian(r: np.ndarray, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * (r / sigma) ** 2) / (2 * np.pi * sigma**2)


def _halo(r: np.ndarray, core: float) -> np.ndarray:
    """Moffat profile of exponent 1.8, with integral 1 over the plane."""
    return 0.8 / (np.pi * core**2) * (1 + (r / core) ** 2) ** -1.8
