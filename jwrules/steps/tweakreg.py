"""Align the images of an association with each other, and with an astrometric catalogue where one is given.

Stars are found in every image, matched between exposures, and each exposure is shifted and turned in its tangent plane
until they agree: the frame `v2v3corr` of its WCS, S_REGION and the SIP keywords. Detectors of one exposure move
together. With `abs_refcat` (a table with RA and DEC, or GAIADR3, GAIADR2, GAIADR1, GAIAREFCAT from the network) the
aligned exposures are then moved as one onto that catalogue.

An exposure that cannot be aligned, for too few matches or because it would move absurdly far, is left where it is, the
log says why, and its stars are not used for the others; with `abs_refcat` it is tried by itself.

The positions of the star finders are pulled towards pixel centres by a few hundredths of a pixel; `centroid: fit` fits
a pixel-integrated Gaussian instead, `centroid: finder` is what the official pipeline does.
Source: JWST documentation, TweakReg step.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from astropy.time import Time

from jwrules.errors import CannotRun, RecipeFault
from jwrules.kernels import centroids, starfind
from jwrules.products import bits, catalog, exposures
from jwrules.products.kinds import Image, Images
from jwrules.steps import assign_wcs as world
from jwrules.steps.declare import Skip, par, step
from jwrules.wcs import footprint
from jwrules.wcs.align import Field, Rules, Solution, absolute, relative
from jwrules.wcs.pointing import Pointing

log = logging.getLogger("jwrules")

_GAIA = ("GAIAREFCAT", "GAIADR3", "GAIADR2", "GAIADR1")
_GEOMETRIES = ("shift", "rshift", "rscale", "general")


@dataclass(frozen=True, kw_only=True)
class Params(world.Params):
    """How stars are found, matched with each other and with a catalogue, and what is fitted to the matches."""

    starfinder: str = par("iraf", "how stars are found", choices=("iraf", "dao", "segmentation"))
    centroid: str = par("fit", "star positions: Gaussian fitted to the pixels, or as found", choices=("fit", "finder"))
    snr_threshold: float = par(10.0, "lowest peak above the background", unit="sigma", gt=0)
    kernel_fwhm: float = par(2.5, "width of the stars", unit="pixel", gt=0)
    bkg_boxsize: int = par(400, "size of the background mesh", unit="pixel", ge=1)
    minsep_fwhm: float = par(0.0, "iraf, dao: least distance of two stars", unit="kernel_fwhm", ge=0)
    sigma_radius: float = par(1.5, "iraf, dao: radius of the kernel", unit="sigma", gt=0)
    sharplo: float = par(0.5, "iraf, dao: least sharpness")
    sharphi: float = par(2.0, "iraf, dao: largest sharpness")
    roundlo: float = par(0.0, "iraf, dao: least roundness")
    roundhi: float = par(0.2, "iraf, dao: largest roundness")
    brightest: int | None = par(200, "iraf, dao: only so many brightest stars", ge=1)
    peakmax: float | None = par(None, "iraf, dao: leave out stars with a brighter pixel", unit="of the image")
    npixels: int = par(10, "segmentation: least number of connected pixels", ge=1)
    connectivity: int = par(8, "segmentation: neighbours that connect", choices=(4, 8))
    nlevels: int = par(32, "segmentation: levels of deblending", ge=1)
    contrast: float = par(0.001, "segmentation: least share of the flux of a deblended source", ge=0, le=1)
    multithresh_mode: str = par(
        "exponential", "segmentation: spacing of the levels", choices=("exponential", "linear", "sinh")
    )
    localbkg_width: int = par(0, "segmentation: width of the local background annulus", unit="pixel", ge=0)
    deblend: bool = par(True, "segmentation: deblend sources")
    enforce_user_order: bool = par(False, "align in the order of the association, the first one stays in place")
    expand_refcat: bool = par(False, "add the stars of each aligned exposure to the reference catalogue")
    minobj: int = par(15, "least number of matched stars", ge=1)
    fitgeometry: str = par("rshift", "what is fitted: shift, and rotation, and scale, and skew", choices=_GEOMETRIES)
    nclip: int = par(3, "clippings in the fit", ge=0)
    sigma: float = par(3.0, "clipping limit", unit="rms", ge=0)
    clip: str = par(
        "robust", "how false matches are left out: by medians first, or as officially", choices=("robust", "rms")
    )
    searchrad: float = par(2.0, "search radius of the histogram of offsets", unit="arcsec", gt=0)
    use2dhist: bool = par(True, "find the first offset from a histogram")
    separation: float = par(1.0, "least distance of stars that are matched", unit="arcsec", gt=0)
    tolerance: float = par(0.7, "largest distance of a match", unit="arcsec", gt=0)
    xoffset: float = par(0.0, "first offset in x, without histogram", unit="arcsec")
    yoffset: float = par(0.0, "first offset in y, without histogram", unit="arcsec")
    abs_refcat: str | None = par(
        None, f"astrometric catalogue: a file with RA and DEC, or {', '.join(_GAIA)}", file=True
    )
    abs_minobj: int = par(15, "least number of stars matched with the catalogue", ge=1)
    abs_fitgeometry: str = par("rshift", "what is fitted to the catalogue", choices=_GEOMETRIES)
    abs_nclip: int = par(3, "clippings in the fit to the catalogue", ge=0)
    abs_sigma: float = par(3.0, "clipping limit in the fit to the catalogue", unit="rms", ge=0)
    abs_searchrad: float = par(6.0, "search radius around the catalogue", unit="arcsec", gt=0)
    abs_use2dhist: bool = par(True, "find the first offset from the catalogue from a histogram")
    abs_separation: float = par(1.0, "least distance of stars matched with the catalogue", unit="arcsec", gt=0)
    abs_tolerance: float = par(0.7, "largest distance of a match with the catalogue", unit="arcsec", gt=0)


@step(status="S_TWKREG")
def tweakreg(images: Images, params: Params) -> Images:
    """Return the images with corrected WCS; Skip where there is nothing to align, or nothing could be."""
    to_catalogue = bool((params.abs_refcat or "").strip())
    rules, abs_rules = _rules(params, to_catalogue), _rules(params, to_catalogue, prefix="abs_")
    if len(exposures.groups(images)) == 1 and not to_catalogue:
        raise Skip("there is one exposure only and no abs_refcat, nothing to align it with")
    fields = [_field(image, params) for image in images]
    solutions = _with_each_other(fields, params, rules, to_catalogue)
    if to_catalogue:
        solutions = _with_catalogue(fields, solutions, _catalogue(images, params), abs_rules)
    return tuple(_moved(image, one, params) for image, one in zip(images, solutions, strict=True))


def _rules(params: Params, to_catalogue: bool, prefix: str = "") -> Rules:
    names = ["searchrad", "separation", "tolerance", "use2dhist", "minobj", "fitgeometry", "nclip", "sigma"]
    values: dict[str, Any] = {name: getattr(params, prefix + name) for name in names}
    offsets: dict[str, Any] = {} if prefix else {"xoffset": params.xoffset, "yoffset": params.yoffset}
    if values["separation"] <= sqrt(2) * values["tolerance"] and (to_catalogue or not prefix):
        raise RecipeFault(
            f"tweakreg: {prefix}separation is {values['separation']} and {prefix}tolerance {values['tolerance']}: the "
            "separation must be more than √2 times the tolerance, else stars are confused"
        )
    return Rules(**values, **offsets, clip=params.clip)


def _field(image: Image, params: Params) -> Field:
    """Find the stars of an image."""
    x, y = _stars(image, params)
    (x0, x1), (y0, y1) = footprint.limits(image.wcs, image.data.shape)
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    log.info("tweakreg: %s: %d stars", image.meta.source, inside.sum())
    group = exposures.group_id(image.meta) or str(id(image))
    where = Pointing.of(image.meta)
    return Field(name=image.meta.source, group=group, wcs=image.wcs, pointing=where, x=x[inside], y=y[inside])


def _stars(image: Image, params: Params) -> tuple[np.ndarray, np.ndarray]:
    usable = bits.good(image.dq, "~DO_NOT_USE+NON_SCIENCE") & np.isfinite(image.data)
    if not usable.any():
        return np.empty(0), np.empty(0)
    level, noise = starfind.background(image.data, ~usable, params.bkg_boxsize)
    data = image.data - level
    finder, threshold = starfind.Finder.of(params), params.snr_threshold * noise
    x, y = starfind.positions(finder, data, ~usable, threshold, params.localbkg_width)
    if params.centroid == "fit" and len(x):
        x, y = centroids.fit(data, usable, x, y, params.kernel_fwhm)
    return x, y


def _with_each_other(fields: Sequence[Field], params: Params, rules: Rules, to_catalogue: bool) -> list[Solution]:
    if len({field.group for field in fields if len(field.x)}) < 2:
        if not to_catalogue:
            raise Skip(f"fewer than two exposures have stars brighter than {params.snr_threshold} sigma")
        return [Solution(wcs=field.wcs, aligned=False, reason="it has no partner with stars") for field in fields]
    expand = params.expand_refcat or to_catalogue
    solutions = relative(fields, rules, expand=expand, keep_order=params.enforce_user_order)
    if not to_catalogue and not any(one.matches for one in solutions if one.aligned):
        raise Skip("; ".join(f"{f.name}: {one.reason}" for f, one in zip(fields, solutions, strict=True)))
    return solutions


def _with_catalogue(
    fields: Sequence[Field], solutions: Sequence[Solution], radec: np.ndarray, rules: Rules
) -> list[Solution]:
    """Move the exposures that agree with each other as one; try each of the others by itself."""
    tied = "aligned exposures"
    moved = [
        replace(field, wcs=one.wcs, group=tied if one.aligned else field.group)
        for field, one in zip(fields, solutions, strict=True)
    ]
    final = absolute(moved, radec, rules)
    for field, one in zip(moved, final, strict=True):
        if field.group == tied and not one.aligned:
            raise CannotRun(
                f"the aligned exposures do not fit the catalogue abs_refcat ({len(radec)} stars): {one.reason}"
            )
    return final


def _catalogue(images: Images, params: Params) -> np.ndarray:
    name = (params.abs_refcat or "").strip()
    if name.upper() not in _GAIA:
        return catalog.positions(name)
    corners = [footprint.corners(image.wcs) for image in images]
    center = footprint.center(corners)
    around, middle = footprint.unit_vectors(np.concatenate(corners)), footprint.unit_vectors(np.array([center]))
    radius = float(np.rad2deg(np.arccos(np.clip(around @ middle.T, -1, 1))).max())
    return catalog.gaia(name.upper(), center, radius, Time(images[0].meta["DATE-OBS"]).decimalyear)


def _moved(image: Image, one: Solution, params: Params) -> Image:
    if not one.aligned:
        log.warning("tweakreg: %s was NOT aligned and keeps its WCS: %s", image.meta.source, one.reason)
        return exposures.declined(image, "tweakreg", one.reason)
    if one.wcs is image.wcs:
        log.info("tweakreg: %s stays in place: %s", image.meta.source, one.reason)
        return image
    log.info(
        "tweakreg: %s moved by %.1f mas; %d stars, rms %.1f mas",
        *(image.meta.source, 1e3 * one.moved, one.matches, 1e3 * one.rms),
    )
    if params.abs_refcat:
        one.wcs.name = f"FIT-LVL3-{Path(params.abs_refcat).name}"
    return replace(image, wcs=one.wcs, meta=world.with_keywords(image.meta, one.wcs, params))
