"""Find the sources of a mosaic and measure their positions, fluxes, magnitudes and shapes.

Sources are what stands `snr_threshold` times above the noise of the background (clipped medians in boxes) in the
image smoothed by a Gaussian; touching ones are deblended. Fluxes are those in circles of three encircled energies; the
reference file apcorr gives their radii and aperture corrections. The local background of a source is the clipped median
in an annulus. The total flux, corrected for the largest circle, is right for unresolved sources only; a source is
extended where both concentration indices exceed those of a star. Magnitudes are AB, and Vega where the reference file
abvegaoffset is given (NaN without). Positions come from a Gaussian that is fitted to the core of the source, and stay
those of its whole segment where that fails, or with `centroid: finder` as in the official pipeline. Errors come from
the ERR image. An empty mosaic gives a catalogue without rows.
Source: JWST documentation, Source Catalog step.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from jwrules.errors import CannotRun, RecipeFault
from jwrules.kernels import centroids, photometry, sources, starfind
from jwrules.products import apertures, source_table
from jwrules.products.apertures import Circles
from jwrules.products.kinds import AbVegaOffset, Apcorr, Mosaic, Segmentation, Sources
from jwrules.steps.declare import par, step
from jwrules.wcs import footprint

log = logging.getLogger("jwrules")

Values = dict[str, Any]

_UNITS = {"isophotal_flux": u.Jy, "isophotal_flux_err": u.Jy, "isophotal_area": u.pix**2, "orientation": u.deg}
_UNITS |= {"semimajor_sigma": u.pix, "semiminor_sigma": u.pix}


@dataclass(frozen=True, kw_only=True)
class Params:
    """How sources are found, and in which circles they are measured."""

    aperture_ee1: int = par(30, "encircled energy of the smallest circle", unit="percent", gt=0)
    aperture_ee2: int = par(50, "encircled energy of the middle circle", unit="percent", gt=0)
    aperture_ee3: int = par(70, "encircled energy of the largest circle", unit="percent", gt=0)
    ci1_star_threshold: float = par(2.0, "largest ratio of middle to smallest flux of a star")
    ci2_star_threshold: float = par(1.8, "largest ratio of largest to middle flux of a star")
    starfinder: str = par("segmentation", "how sources are found", choices=("iraf", "dao", "segmentation"))
    centroid: str = par("fit", "positions: Gaussian fitted to the core, or as found", choices=("fit", "finder"))
    snr_threshold: float = par(3.0, "lowest brightness above the background", unit="sigma", gt=0)
    bkg_boxsize: int = par(1000, "size of the background mesh", unit="pixel", ge=1)
    kernel_fwhm: float = par(2.0, "width of the Gaussian that smooths the image", unit="pixel", gt=0)
    minsep_fwhm: float = par(0.0, "iraf, dao: least distance of two stars", unit="kernel_fwhm", ge=0)
    sigma_radius: float = par(1.5, "iraf, dao: radius of the kernel", unit="sigma", gt=0)
    sharplo: float = par(0.5, "iraf, dao: least sharpness")
    sharphi: float = par(2.0, "iraf, dao: largest sharpness")
    roundlo: float = par(0.0, "iraf, dao: least roundness")
    roundhi: float = par(0.2, "iraf, dao: largest roundness")
    brightest: int | None = par(200, "iraf, dao: only so many brightest stars", ge=1)
    peakmax: float | None = par(None, "iraf, dao: leave out stars with a brighter pixel", unit="Jy")
    npixels: int = par(25, "segmentation: least number of connected pixels", ge=1)
    connectivity: int = par(8, "segmentation: neighbours that connect", choices=(4, 8))
    nlevels: int = par(32, "segmentation: levels of deblending", ge=1)
    contrast: float = par(0.001, "segmentation: least share of the flux of a deblended source", ge=0, le=1)
    multithresh_mode: str = par(
        "exponential", "segmentation: spacing of the levels", choices=("exponential", "linear", "sinh")
    )
    localbkg_width: int = par(
        0, "segmentation: width of the annulus whose background the isophotal flux loses", unit="pixel", ge=0
    )
    deblend: bool = par(True, "segmentation: deblend sources")


@step(status="S_SRCCAT")
def source_catalog(
    mosaic: Mosaic, params: Params, *, apcorr: Apcorr, abvegaoffset: AbVegaOffset | None = None
) -> Sources:
    """Return the catalogue and the segmentation map of `mosaic` (MJy/sr); CannotRun where no aperture fits it."""
    circles = apertures.circles(mosaic.meta, apcorr, _energies(params))
    offset = np.nan if abvegaoffset is None else apertures.vega_offset(mosaic.meta, abvegaoffset)
    data, err = _in_jansky(mosaic)
    finder, outside = starfind.Finder.of(params), np.isnan(err) | (mosaic.weight == 0)
    found, labels = sources.find(
        finder, data, err, outside, params.snr_threshold, params.bkg_boxsize, params.localbkg_width
    )
    if params.centroid == "fit":
        usable = np.isfinite(data) & ~outside
        found["xcentroid"], found["ycentroid"] = centroids.fit(
            data, usable, found["xcentroid"], found["ycentroid"], params.kernel_fwhm
        )
    found |= {name: found[name] << unit for name, unit in _UNITS.items()}
    values = found | _sky(found, mosaic) | _brightness(found, data, err, circles, offset)
    values |= _kind(values, data, circles, params)
    catalog = source_table.table(values, circles.energies)
    catalog.meta["aperture_params"], catalog.meta["abvega_offset"] = circles.described(), offset
    catalog.meta["versions"] = {name: version(name) for name in ("numpy", "scipy", "astropy", "photutils", "gwcs")}
    log.info("source_catalog: %d sources, %d of them extended", len(catalog), np.sum(catalog["is_extended"]))
    return Sources(catalog=catalog, segmentation=_map(mosaic, labels))


def _energies(params: Params) -> tuple[int, int, int]:
    energies = (params.aperture_ee1, params.aperture_ee2, params.aperture_ee3)
    if not energies[0] < energies[1] < energies[2] < 100:
        raise RecipeFault(f"source_catalog: aperture_ee1, 2, 3 are {energies}; they must increase and stay below 100")
    return energies


def _map(mosaic: Mosaic, labels: np.ndarray) -> Segmentation:
    meta = mosaic.meta.without_sci("BUNIT")
    return Segmentation(meta=meta, provenance=mosaic.provenance, data=labels, wcs=mosaic.wcs)


def _in_jansky(mosaic: Mosaic) -> tuple[np.ndarray, np.ndarray]:
    """Data and error in Jy per pixel."""
    if mosaic.err is None:
        raise CannotRun("the mosaic has no ERR image; set 'enable_err: true' in resample")
    if (unit := str(mosaic.meta.get("BUNIT", "")).strip()) != "MJy/sr":
        raise CannotRun(f"BUNIT is '{unit}', not MJy/sr: photom must have run on the exposures")
    factor = 1e6 * float(mosaic.meta["PIXAR_SR"])
    return mosaic.data * np.float64(factor), mosaic.err * np.float64(factor)


def _sky(found: Values, mosaic: Mosaic) -> Values:
    """Coordinates of centroids and bounding boxes, and position angles."""

    def coordinate(x: np.ndarray, y: np.ndarray) -> SkyCoord:
        return SkyCoord(*footprint.sky(mosaic.wcs, x, y).T, unit="deg", frame="icrs")

    left, right = found["xmin"] - 0.5, found["xmax"] + 0.5
    bottom, top = found["ymin"] - 0.5, found["ymax"] + 0.5
    return {
        "sky_centroid": coordinate(found["xcentroid"], found["ycentroid"]),
        "sky_bbox_ll": coordinate(left, bottom),
        "sky_bbox_ul": coordinate(left, top),
        "sky_bbox_lr": coordinate(right, bottom),
        "sky_bbox_ur": coordinate(right, top),
        "sky_orientation": (180 * u.deg - _north(mosaic) + found["orientation"]) % (360 * u.deg),
    }


def _north(mosaic: Mosaic) -> u.Quantity:
    """Direction of north at the reference pixel, counterclockwise from the X axis."""
    x, y = float(mosaic.meta.get("CRPIX1", 1.0)) - 1, float(mosaic.meta.get("CRPIX2", 1.0)) - 1
    ra, dec = footprint.sky(mosaic.wcs, np.array([x]), np.array([y]))[0]
    to_north = mosaic.wcs.invert(ra, dec + 1 / 3600, with_bounding_box=False)
    return np.rad2deg(np.arctan2(to_north[1] - y, to_north[0] - x)) * u.deg


def _brightness(found: Values, data: np.ndarray, err: np.ndarray, circles: Circles, offset: float) -> Values:
    """Fluxes, magnitudes and their errors: in the circles, corrected to infinity, and in the segments."""
    x, y = found["xcentroid"], found["ycentroid"]
    level, level_error = photometry.local_background(data, x, y, circles.inner, circles.outer)
    flux, error = photometry.apertures(data, err, x, y, circles.radii, level)
    measured = {f"aper{energy}": pair for energy, *pair in zip(circles.energies, flux, error, strict=True)}
    measured["aper_total"] = [circles.corrections[-1] * flux[-1], circles.corrections[-1] * error[-1]]
    measured["isophotal"] = [found["isophotal_flux"].value, found["isophotal_flux_err"].value]
    values: Values = {"aper_bkg_flux": level << u.Jy, "aper_bkg_flux_err": level_error << u.Jy}
    for name, (amount, uncertainty) in measured.items():
        magnitude, magnitude_error = photometry.ab_magnitude(amount, uncertainty)
        values |= {f"{name}_flux": amount << u.Jy, f"{name}_flux_err": uncertainty << u.Jy}
        values |= {f"{name}_abmag": magnitude, f"{name}_abmag_err": magnitude_error}
        values |= {f"{name}_vegamag": magnitude - offset, f"{name}_vegamag_err": magnitude_error}
    return values


def _kind(values: Values, data: np.ndarray, circles: Circles, params: Params) -> Values:
    """Concentration, shape of the peak, neighbours."""
    x, y = values["xcentroid"], values["ycentroid"]
    small, middle, large = circles.energies
    indices = photometry.ratios(np.array([values[f"aper{energy}_flux"].value for energy in circles.energies]))
    sharpness, roundness = photometry.peak_shape(data, x, y, params.kernel_fwhm)
    neighbour, distance = photometry.nearest(x, y)
    return {
        f"CI_{middle}_{small}": indices[0],
        f"CI_{large}_{middle}": indices[1],
        f"CI_{large}_{small}": indices[2],
        "is_extended": (indices[0] > params.ci1_star_threshold) & (indices[1] > params.ci2_star_threshold),
        "sharpness": sharpness,
        "roundness": roundness,
        "nn_label": np.where(neighbour < 0, -1, values["label"][neighbour]) if len(neighbour) else neighbour,
        "nn_dist": distance << u.pix,
    }
