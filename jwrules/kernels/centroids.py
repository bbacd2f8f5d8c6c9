"""Positions of stars to a hundredth of a pixel, also where the point-spread function is undersampled.

Moments inside an aperture, as the star finders take them, are pulled towards pixel centres by a few hundredths of a
pixel. A Gaussian that is integrated over each pixel, as the detector does, is not.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf

_ROUNDS = 25
_STEP = np.array([0.5, 0.5, 0.3])  # longest step in x, y (pixels) and in log sigma
_SMALL = 1e-5
_BLOCK = 4096  # stars at once, to bound the memory


def fit(
    data: np.ndarray, usable: np.ndarray, x: np.ndarray, y: np.ndarray, fwhm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y (n,) of the stars near the given ones, by fitting a round pixel-integrated Gaussian to each.

    data (ny, nx), usable (ny, nx) of bool; `fwhm` in pixels sets the size of the fitted box and the first width; free
    are position, width, flux and a constant background. A star whose fit does not settle within one `fwhm` of where
    it started, or has fewer than 6 usable pixels, keeps its position; so does one at NaN.
    """
    result = np.array([x, y], dtype=float)
    known = np.flatnonzero(np.isfinite(result).all(axis=0))
    for start in range(0, len(known), _BLOCK):
        block = known[start : start + _BLOCK]
        result[:, block] = _fit(data, usable, result[0, block], result[1, block], fwhm)
    return result[0], result[1]


def _fit(data: np.ndarray, usable: np.ndarray, x: np.ndarray, y: np.ndarray, fwhm: float) -> np.ndarray:
    half = max(2, int(np.ceil(1.25 * fwhm)))
    values, weights, columns, rows = _boxes(data, usable, x, y, half)
    shape = np.column_stack([x, y, np.full(len(x), np.log(fwhm / 2.3548))])
    settled = np.zeros(len(x), dtype=bool)
    for _ in range(_ROUNDS):
        step = _step(values, weights, columns, rows, shape)
        settled = np.all(np.abs(step) < _SMALL, axis=1)
        shape = shape + np.where(settled[:, None], 0.0, np.clip(step, -_STEP, _STEP))
    near = np.hypot(shape[:, 0] - x, shape[:, 1] - y) < fwhm
    good = settled & near & (weights.sum(axis=(1, 2)) >= 6)
    return np.where(good, shape[:, :2].T, [x, y])


def _boxes(
    data: np.ndarray, usable: np.ndarray, x: np.ndarray, y: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut (n, 2 half + 1, 2 half + 1) boxes, scaled to 1; weights are 0 for unusable pixels and beyond the edge."""
    around = np.arange(-half, half + 1)
    columns = np.rint(x).astype(int)[:, None] + around
    rows = np.rint(y).astype(int)[:, None] + around
    ny, nx = data.shape
    within = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[:, None, :]
    where = np.clip(rows, 0, ny - 1)[:, :, None], np.clip(columns, 0, nx - 1)[:, None, :]
    weights = (within & usable[where]).astype(float)
    values = np.where(weights > 0, data[where], 0.0)
    scale = np.abs(values).max(axis=(1, 2), initial=0.0, keepdims=True)
    return values / np.where(scale > 0, scale, 1.0), weights, columns, rows


def _step(
    values: np.ndarray, weights: np.ndarray, columns: np.ndarray, rows: np.ndarray, shape: np.ndarray
) -> np.ndarray:
    """One Gauss-Newton step (n, 3) in x, y, log sigma; flux and background are solved for at each shape."""
    sigma = np.exp(shape[:, 2])
    across, d_across, w_across = _profile(columns, shape[:, 0], sigma)
    up, d_up, w_up = _profile(rows, shape[:, 1], sigma)
    star = up[:, :, None] * across[:, None, :]
    flux = _flux(values, weights, star)[:, None, None]
    slopes = [
        flux * up[:, :, None] * d_across[:, None, :],
        flux * d_up[:, :, None] * across[:, None, :],
        flux * (w_up[:, :, None] * across[:, None, :] + up[:, :, None] * w_across[:, None, :]),
        star,
        np.ones_like(star),
    ]
    design = np.stack([slope.reshape(len(shape), -1) for slope in slopes], axis=-1)
    weighted = design * weights.reshape(len(shape), -1, 1)
    normal = np.einsum("nki,nkj->nij", weighted, design)
    residual = (values - flux * star).reshape(len(shape), -1)
    right = np.einsum("nki,nk->ni", weighted, residual)
    return np.einsum("nij,nj->ni", np.linalg.pinv(normal, rcond=1e-12, hermitian=True), right)[:, :3]


def _profile(pixels: np.ndarray, center: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A unit Gaussian integrated over each pixel (n, k), and its slopes in centre and in log sigma."""
    low, high = ((pixels + edge - center[:, None]) / sigma[:, None] for edge in (-0.5, 0.5))
    profile = 0.5 * (erf(high / np.sqrt(2)) - erf(low / np.sqrt(2)))
    g_low, g_high = (np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi) for t in (low, high))
    return profile, (g_low - g_high) / sigma[:, None], low * g_low - high * g_high


def _flux(values: np.ndarray, weights: np.ndarray, star: np.ndarray) -> np.ndarray:
    """The flux (n,) that fits best together with a constant background."""
    total = np.maximum(weights.sum(axis=(1, 2)), 1.0)
    mean = (weights * star).sum(axis=(1, 2)) / total
    contrast = weights * (star - mean[:, None, None])
    scatter = (contrast * star).sum(axis=(1, 2))
    product = (contrast * values).sum(axis=(1, 2))
    return np.divide(product, scatter, out=np.zeros_like(product), where=scatter > 0)
