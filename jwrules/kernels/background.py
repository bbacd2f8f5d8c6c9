"""The mean of several exposures of empty sky, without what moved or flared in one of them."""

from __future__ import annotations

import warnings

import numpy as np
from astropy.stats import sigma_clip
from astropy.utils.exceptions import AstropyUserWarning


def kept(stack: np.ndarray, sigma: float, maxiters: int | None) -> np.ndarray:
    """Return which values of `stack` (exposures, ny, nx) survive clipping at `sigma` about the median of their pixel.

    NaN never survives. Without `maxiters` clipping goes on until nothing more is rejected.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*automatically clipped.*", AstropyUserWarning)
        clipped = sigma_clip(stack, sigma=sigma, maxiters=maxiters, axis=0)
    return ~np.ma.getmaskarray(clipped)


def mean(stack: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return the mean (ny, nx) of the values of `stack` (exposures, ny, nx) that are kept; NaN where none is."""
    return _over(np.where(keep, stack, 0).sum(axis=0, dtype=np.float64), keep.sum(axis=0))


def variance_of_mean(variances: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return the variance (ny, nx) of that mean, Σ σ² / n², from those of the values (exposures, ny, nx)."""
    return _over(np.where(keep, variances, 0).sum(axis=0, dtype=np.float64), keep.sum(axis=0) ** 2)


def _over(numerator: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(numerator, count, out=np.full(numerator.shape, np.nan), where=count > 0)
