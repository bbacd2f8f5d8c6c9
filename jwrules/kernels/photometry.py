"""Photometry of sources: apertures, local background, magnitudes, shapes of peaks, neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.convolution import Gaussian2DKernel
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma
from photutils.aperture import ApertureMask, CircularAnnulus, CircularAperture, aperture_photometry
from scipy import ndimage
from scipy.spatial import KDTree

_NOWHERE = -1000.0


def local_background(
    data: np.ndarray, x: np.ndarray, y: np.ndarray, inner: float, outer: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return median and its standard error (n,) of the pixels between two radii around each source, clipped at 3 sigma.

    A pixel belongs to the annulus where its centre does; NaN do not count. Without any pixel both are NaN.
    """
    masks = CircularAnnulus(_placed(x, y), inner, outer).to_mask(method="center")
    found = [_median(mask, data) for mask in masks]
    return np.array([median for median, _ in found]), np.array([error for _, error in found])


def _median(mask: ApertureMask, data: np.ndarray) -> tuple[float, float]:
    values = mask.get_values(data)
    values = values[np.isfinite(values)]
    if not values.size:
        return np.nan, np.nan
    values = SigmaClip(sigma=3.0)(values, masked=False)
    return float(np.median(values)), float(np.sqrt(np.pi / (2 * values.size)) * np.std(values))


def apertures(
    data: np.ndarray, err: np.ndarray, x: np.ndarray, y: np.ndarray, radii: Sequence[float], background: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return flux and error (radii, n) in circles, a `background` per pixel (n,) taken off.

    A pixel counts by the share of it inside the circle. A NaN pixel, or a circle that misses the image, gives NaN.
    """
    circles = [CircularAperture(_placed(x, y), radius) for radius in radii]
    table = aperture_photometry(data, circles, error=err)
    flux = np.array([table[f"aperture_sum_{k}"] - background * circle.area for k, circle in enumerate(circles)])
    return flux, np.array([table[f"aperture_sum_err_{k}"] for k in range(len(circles))])


def ab_magnitude(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return AB magnitude and its error of a flux in Jy; NaN for a flux that is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        positive = flux > 0
        magnitude = np.where(positive, 8.9 - 2.5 * np.log10(flux), np.nan)
        return magnitude, np.where(positive, 2.5 * np.log10(1 + error / flux), np.nan)


def ratios(fluxes: np.ndarray) -> np.ndarray:
    """Return the concentration indices (3, n): second over first, third over second, third over first flux (3, n)."""
    small, middle, large = fluxes
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([middle / small, large / middle, large / small])


def peak_shape(data: np.ndarray, x: np.ndarray, y: np.ndarray, fwhm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return sharpness and roundness (n,) of sources, as DAOFIND defines them, for a Gaussian of `fwhm` pixels.

    Sharpness: the central pixel above the mean of those around it, over the height of the best-fitting Gaussian.
    Roundness: by how much the four quadrants around the peak of the smoothed image differ, two by two, over their sum.
    Source: Stetson 1987, PASP 99, 191.
    """
    kernel, inside = _zero_sum_gaussian(fwhm * gaussian_fwhm_to_sigma)
    half = len(kernel) // 2
    smooth = ndimage.convolve(data, kernel, mode="constant", cval=0.0)
    peaks, smoothed = (_cutouts(image, x, y, half) for image in (data, smooth))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _sharpness(peaks, smoothed, inside, half), _roundness(smoothed, half)


def _zero_sum_gaussian(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian inside a circle, made so that its sum is 0 and its product with that Gaussian 1; and the circle."""
    radius = max(2.0, 1.5 * sigma)
    half = int(radius)
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    inside = np.hypot(dx, dy) <= radius
    gaussian = Gaussian2DKernel(sigma, x_size=2 * half + 1, y_size=2 * half + 1).array * inside
    gaussian /= gaussian.max()
    mean = gaussian.sum() / inside.sum()
    return (gaussian - mean) * inside / ((gaussian**2).sum() - gaussian.sum() * mean), inside


def _cutouts(image: np.ndarray, x: np.ndarray, y: np.ndarray, half: int) -> np.ndarray:
    """Boxes (n, 2 half + 1, 2 half + 1) around the sources; 0 beyond the edge."""
    padded = np.pad(image, half)
    known = np.isfinite(x) & np.isfinite(y)
    columns, rows = (np.floor(np.where(known, v, _NOWHERE) + 0.5).astype(int) for v in (x, y))
    ny, nx = image.shape
    within = (columns >= 0) & (columns < nx) & (rows >= 0) & (rows < ny)
    around = np.arange(2 * half + 1)
    rows, columns = (np.where(within, v, 0)[:, None] + around for v in (rows, columns))
    return padded[rows[:, :, None], columns[:, None, :]] * within[:, None, None]


def _sharpness(peaks: np.ndarray, smoothed: np.ndarray, inside: np.ndarray, half: int) -> np.ndarray:
    center = peaks[:, half, half]
    around = ((peaks * inside).sum(axis=(1, 2)) - center) / (inside.sum() - 1)
    return (center - around) / smoothed[:, half, half]


def _roundness(smoothed: np.ndarray, half: int) -> np.ndarray:
    boxes = smoothed.copy()
    boxes[:, half, half] = 0.0
    quadrants = (
        boxes[:, : half + 1, half + 1 :],
        boxes[:, :half, : half + 1],
        boxes[:, half:, :half],
        boxes[:, half + 1 :, half:],
    )
    first, second, third, fourth = (quadrant.sum(axis=(1, 2)) for quadrant in quadrants)
    return 2 * (second + fourth - first - third) / np.abs(boxes).sum(axis=(1, 2))


def nearest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return index of and distance in pixels to the nearest other source; -1 and NaN where there is none."""
    index, distance = np.full(len(x), -1), np.full(len(x), np.nan)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(known) > 1:
        places = np.column_stack([x, y])[known]
        apart, other = KDTree(places).query(places, k=2)
        index[known], distance[known] = known[other[:, 1]], apart[:, 1]
    return index, distance


def _placed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Positions (n, 2) with unknown ones far outside of the image."""
    places = np.column_stack([x, y]).astype(float)
    places[~np.isfinite(places).all(axis=1)] = _NOWHERE
    return places
