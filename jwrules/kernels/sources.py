"""The sources of an image, and what their pixels tell: places, extents, shapes, fluxes."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from jwrules.kernels.starfind import Finder, background, measured

_COLUMNS = {
    "label": "label",
    "xcentroid": "x_centroid",
    "ycentroid": "y_centroid",
    "isophotal_flux": "segment_flux",
    "isophotal_flux_err": "segment_flux_err",
    "isophotal_area": "area",
    "semimajor_sigma": "semimajor_axis",
    "semiminor_sigma": "semiminor_axis",
    "ellipticity": "ellipticity",
    "orientation": "orientation",
    "xmin": "bbox_xmin",
    "xmax": "bbox_xmax",
    "ymin": "bbox_ymin",
    "ymax": "bbox_ymax",
}
_OF_FINDER = {"label": "id", "isophotal_flux": "flux", "isophotal_area": "n_pixels"}


def find(
    finder: Finder,
    data: np.ndarray,
    err: np.ndarray,
    outside: np.ndarray,
    sigmas: float,
    box: int,
    local_bkg_width: int = 0,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what is known of each source, arrays (n,) by name, and the label of each pixel (ny, nx), 0 without source.

    A source stands `sigmas` times the noise above a background of clipped medians in boxes of `box` pixels. Pixels
    `outside` and NaN belong to none. The names are label, xcentroid, ycentroid, xmin, xmax, ymin, ymax (pixels from 0,
    inclusive), isophotal_flux and isophotal_flux_err (as `data`), isophotal_area, semimajor_sigma, semiminor_sigma,
    ellipticity, orientation (degrees); NaN is what the finders of point sources do not tell.
    """
    labels, table = np.zeros(data.shape, np.uint32), QTable()
    if not (outside | np.isnan(data)).all():
        level, noise = background(data, outside, box)
        if finder.kind == "segmentation":
            table, labels = _segmented(finder, data - level, err, outside, sigmas * noise, local_bkg_width)
        else:
            table = finder.stars(data - level, outside, sigmas * noise)
    return _by_name(table, _COLUMNS if finder.kind == "segmentation" else _COLUMNS | _OF_FINDER), labels


def _segmented(
    finder: Finder,
    data: np.ndarray,
    err: np.ndarray,
    outside: np.ndarray,
    threshold: np.ndarray,
    local_bkg_width: int,
) -> tuple[QTable, np.ndarray]:
    smooth, segments = finder.segments(data, outside, threshold)
    if segments is None:
        return QTable(), np.zeros(data.shape, np.uint32)
    options = {"convolved_data": smooth, "error": err, "mask": outside, "local_bkg_width": local_bkg_width}
    return measured(data, segments, list(_COLUMNS.values()), **options), segments.data.astype(np.uint32)


def _by_name(table: QTable, names: dict[str, str]) -> dict[str, np.ndarray]:
    """Columns without units by our names; NaN for what the finder does not measure."""
    values = {}
    for ours, theirs in names.items():
        column = table[theirs] if theirs in table.colnames else np.full(len(table), np.nan)
        values[ours] = np.asarray(getattr(column, "value", column), int if ours == "label" else float)
    return values
