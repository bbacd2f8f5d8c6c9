"""Background, noise, and the sources that stand out of them; a thin layer over the library photutils."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from photutils import use_future_column_names
from photutils.background import Background2D, MedianBackground
from photutils.detection import DAOStarFinder, IRAFStarFinder
from photutils.segmentation import SegmentationImage, SourceCatalog, SourceFinder
from photutils.utils.exceptions import NoDetectionsWarning

_FINDERS = {"iraf": IRAFStarFinder, "dao": DAOStarFinder}


@dataclass(frozen=True, kw_only=True)
class Finder:
    """How sources are found: `point` and `segment` are the options of photutils' star finders and SourceFinder.

    `kind` is iraf, dao or segmentation; `fwhm`, pixels, is the width of the kernel, or of the smoothing.
    """

    kind: str
    fwhm: float
    point: Mapping[str, Any] = field(default_factory=dict)
    segment: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Any) -> Finder:
        """Take the options from the parameters of a step, which have the names of the JWST documentation."""
        point = {
            "sigma_radius": params.sigma_radius,
            "min_separation": max(2, int(params.minsep_fwhm * params.kernel_fwhm + 0.5)),
            "sharpness_range": (params.sharplo, params.sharphi),
            "roundness_range": (params.roundlo, params.roundhi),
            "peak_max": params.peakmax,
            "n_brightest": params.brightest,
        }
        segment = {
            "n_pixels": params.npixels,
            "connectivity": params.connectivity,
            "deblend": params.deblend,
            "n_levels": params.nlevels,
            "contrast": params.contrast,
            "mode": params.multithresh_mode,
        }
        return cls(kind=params.starfinder, fwhm=params.kernel_fwhm, point=point, segment=segment)

    def stars(self, data: np.ndarray, unusable: np.ndarray, threshold: np.ndarray) -> QTable:
        """Return the point sources of a background-subtracted image with a peak above the median of `threshold`.

        The table has x_centroid, y_centroid, flux and what else the finder measures; it may be empty.
        """
        find = _FINDERS[self.kind](float(np.median(threshold)), self.fwhm, **self.point)
        unusable = unusable | ~np.isfinite(data)
        with _quiet(), use_future_column_names():
            return find(np.where(unusable, 0.0, data), mask=unusable) or _none()

    def segments(
        self, data: np.ndarray, unusable: np.ndarray, threshold: np.ndarray
    ) -> tuple[np.ndarray, SegmentationImage | None]:
        """Return the smoothed image, and the sources above `threshold` (ny, nx) in it, or None."""
        with _quiet():
            smooth = data
            if self.fwhm > 0:
                smooth = convolve(data, Gaussian2DKernel(self.fwhm * gaussian_fwhm_to_sigma), mask=unusable)
            return smooth, SourceFinder(progress_bar=False, **self.segment)(smooth, threshold, mask=unusable)


def background(data: np.ndarray, outside: np.ndarray, box: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the level and the rms of the background (ny, nx), from clipped medians in boxes of `box` pixels.

    Pixels `outside` (ny, nx of bool) and NaN do not count. Where no box of that size has enough usable pixels, the
    whole image is one box. Raises ValueError for an image without usable pixels.
    """
    options = {"coverage_mask": outside | ~np.isfinite(data), "bkg_estimator": MedianBackground()}
    options |= {"sigma_clip": SigmaClip(sigma=3.0), "filter_size": (3, 3)}
    with _quiet():
        try:
            mesh = Background2D(data, box, **options)
        except ValueError:
            mesh = Background2D(data, data.shape, exclude_percentile=100.0, **options)
        return mesh.background, mesh.background_rms


def positions(
    finder: Finder, data: np.ndarray, unusable: np.ndarray, threshold: np.ndarray, local_bkg_width: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y (n,) of what `finder` finds above `threshold` (ny, nx)."""
    if finder.kind != "segmentation":
        table = finder.stars(data, unusable, threshold)
    else:
        smooth, found = finder.segments(data, unusable, threshold)
        if found is None:
            return np.empty(0), np.empty(0)
        options = {"mask": unusable, "convolved_data": smooth, "local_bkg_width": local_bkg_width}
        table = measured(data, found, ["x_centroid", "y_centroid"], **options)
    x, y = (np.asarray(table[name], float) for name in ("x_centroid", "y_centroid"))
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def measured(data: np.ndarray, found: SegmentationImage, columns: list[str], **options: Any) -> QTable:
    """Return `columns` of photutils' SourceCatalog for the sources `found`; `options` are those of that class."""
    with _quiet(), use_future_column_names():
        return SourceCatalog(data, found, **options).to_table(columns=columns)


def _none() -> QTable:
    return QTable(names=["id", "x_centroid", "y_centroid", "flux"], dtype=[int, float, float, float])


@contextmanager
def _quiet() -> Iterator[None]:
    """NaN and empty images are ordinary here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        warnings.simplefilter("ignore", NoDetectionsWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
