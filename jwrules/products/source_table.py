"""The columns of a source catalogue (`_cat.ecsv`): names, order, descriptions, formats.

Source: JWST documentation, Source Catalog step, output products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from astropy.table import QTable

_PLACE = {
    "label": "Unique number of the source, as in the segmentation map",
    "xcentroid": "X pixel value of the source centroid (0 indexed)",
    "ycentroid": "Y pixel value of the source centroid (0 indexed)",
    "sky_centroid": "ICRS sky coordinate of the source centroid",
}
_BACKGROUND = {
    "aper_bkg_flux": "Local background per pixel: clipped median in the background annulus",
    "aper_bkg_flux_err": "Standard error of the local background",
}
_POINT = {
    "is_extended": "Whether both concentration indices exceed those of a star",
    "sharpness": "DAOFIND sharpness of the source",
    "roundness": "DAOFIND roundness of the source",
    "nn_label": "Label of the nearest neighbour, -1 where there is none",
    "nn_dist": "Distance to the nearest neighbour in pixels",
}
_SEGMENT = {
    "isophotal_flux": "Flux inside the segment of the source",
    "isophotal_flux_err": "Error of the isophotal flux",
    "isophotal_abmag": "Isophotal AB magnitude",
    "isophotal_abmag_err": "Error of the isophotal AB magnitude",
    "isophotal_vegamag": "Isophotal Vega magnitude",
    "isophotal_vegamag_err": "Error of the isophotal Vega magnitude",
    "isophotal_area": "Area of the segment",
    "semimajor_sigma": "Standard deviation along the major axis of the Gaussian with the same second moments",
    "semiminor_sigma": "Standard deviation along the minor axis of the Gaussian with the same second moments",
    "ellipticity": "1 minus the ratio of the minor to the major axis",
    "orientation": "Angle of the major axis from the positive X axis, counterclockwise",
    "sky_orientation": "Position angle of the major axis, from north",
    "sky_bbox_ll": "Sky coordinate of the lower-left corner of the bounding box of the segment",
    "sky_bbox_ul": "Sky coordinate of the upper-left corner of the bounding box of the segment",
    "sky_bbox_lr": "Sky coordinate of the lower-right corner of the bounding box of the segment",
    "sky_bbox_ur": "Sky coordinate of the upper-right corner of the bounding box of the segment",
}
_BRIGHTNESS = {"flux": "flux", "abmag": "AB magnitude", "vegamag": "Vega magnitude"}


def columns(energies: Sequence[int]) -> dict[str, str]:
    """Return the description of each column by name, in order, for apertures of these encircled energies (percent)."""
    small, middle, large = energies
    pairs = ((middle, small), (large, middle), (large, small))
    indices = {f"CI_{a}_{b}": f"Concentration index, aper{a}_flux over aper{b}_flux" for a, b in pairs}
    return _PLACE | _BACKGROUND | _apertures(energies) | indices | _POINT | _SEGMENT


def _apertures(energies: Sequence[int]) -> dict[str, str]:
    described = {}
    for short, long in _BRIGHTNESS.items():
        for energy in energies:
            what = f"within the circle of {energy}% encircled energy"
            described[f"aper{energy}_{short}"] = f"{long[0].upper()}{long[1:]} {what}"
            described[f"aper{energy}_{short}_err"] = f"Error of the {long} {what}"
        what = f"total {long} from the {energies[-1]}% aperture and its correction; for unresolved sources only"
        described[f"aper_total_{short}"] = f"T{what[1:]}"
        described[f"aper_total_{short}_err"] = f"Error of the {what}"
    return described


def table(values: Mapping[str, Any], energies: Sequence[int]) -> QTable:
    """Return the catalogue of `values` by column name, described and formatted."""
    catalogue = QTable()
    for name, description in columns(energies).items():
        catalogue[name] = values[name]
        catalogue[name].info.description = description
        if (form := _format(name)) is not None:
            catalogue[name].info.format = form
    return catalogue


def _format(name: str) -> str | None:
    if name in ("xcentroid", "ycentroid") or name.startswith("CI_"):
        return ".4f"
    if "flux" in name:
        return ".6e"
    plain = ("mag", "sigma", "nn_dist", "sharpness", "roundness", "ellipticity", "orientation")
    return ".6f" if any(word in name for word in plain) else None
