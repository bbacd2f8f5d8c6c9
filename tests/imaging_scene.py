"""Small images with a world coordinate system like that of a JWST detector, and stars where we want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gwcs
import numpy as np
from astropy.io import fits
from astropy.modeling import models
from scipy.special import erf

from jwrules.products.kinds import Image, Meta, Mosaic
from jwrules.wcs import imaging

SCALE = 0.063  # arcsec per pixel
INSTRUMENT = {
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
    "FILTER": "F356W",
    "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE",
}
VISIT = {"PROGRAM": "00001", "OBSERVTN": "001", "VISIT": "001", "VISITGRP": "02", "SEQ_ID": "1", "ACT_ID": "01"}
POINTING = {"RA_REF": 80.0, "DEC_REF": -69.5, "ROLL_REF": 30.0, "V2_REF": 85.0, "V3_REF": -490.0}


def detector_wcs(shape: tuple[int, int], *, pointing: dict[str, float] | None = None) -> gwcs.WCS:
    """Square pixels; the middle of the array looks at the reference point."""
    keywords = {**POINTING, **(pointing or {}), "INSTRUME": "NIRCAM"}
    ny, nx = shape
    to_center = models.Shift(-(nx - 1) / 2) & models.Shift(-(ny - 1) / 2) | models.Scale(SCALE) & models.Scale(SCALE)
    distortion = to_center | models.Shift(keywords["V2_REF"]) & models.Shift(keywords["V3_REF"])
    return imaging.build(keywords, shape, distortion)


def offset(east: float, north: float) -> dict[str, float]:
    """The pointing moved by so many arcsec on the sky."""
    dec = POINTING["DEC_REF"] + north / 3600
    return {"RA_REF": POINTING["RA_REF"] + east / 3600 / np.cos(np.deg2rad(dec)), "DEC_REF": dec}


def stars(shape: tuple[int, int], x: Any, y: Any, flux: Any, fwhm: float) -> np.ndarray:
    """Round Gaussian stars, integrated over the pixels."""
    sigma = fwhm / 2.3548 * np.sqrt(2)
    image = np.zeros(shape)
    rows, columns = np.arange(shape[0]), np.arange(shape[1])
    for x0, y0, total in np.broadcast(x, y, flux):
        across = 0.5 * (erf((columns + 0.5 - x0) / sigma) - erf((columns - 0.5 - x0) / sigma))
        up = 0.5 * (erf((rows + 0.5 - y0) / sigma) - erf((rows - 0.5 - y0) / sigma))
        image += total * np.outer(up, across)
    return image


def random_stars(count: int, half_width: float, seed: int, faintest: float = 50.0) -> tuple[np.ndarray, np.ndarray]:
    """Positions (count, 2) in degrees within `half_width` arcsec of the pointing, and fluxes."""
    rng = np.random.default_rng(seed)
    east, north = rng.uniform(-half_width, half_width, (2, count))
    where = [offset(e, n) for e, n in zip(east, north, strict=True)]
    return np.array([[w["RA_REF"], w["DEC_REF"]] for w in where]), faintest * rng.uniform(1, 5, count)


def exposure(
    data: np.ndarray, number: int = 1, *, pointing: dict[str, float] | None = None, noise: float = 0.1, seed: int = 0
) -> Image:
    """A calibrated image of `data` with Gaussian noise, exposure `number` of one visit."""
    shape = data.shape
    rng = np.random.default_rng([seed, number])
    data = (data + rng.normal(0, noise, shape)).astype(np.float32)
    variance = np.full(shape, noise**2, np.float32)
    primary = fits.Header({**INSTRUMENT, **VISIT, "EXPOSURE": f"{number:05d}", "DATE-OBS": "2026-01-01"})
    sci = fits.Header({"BUNIT": "MJy/sr", **POINTING, **(pointing or {}), "VPARITY": -1, "V3I_YANG": 0.0})
    return Image(
        meta=Meta(primary=primary, sci=sci, source=f"jw00001001001_02101_{number:05d}_nrcalong_cal.fits"),
        data=data,
        err=np.sqrt(variance),
        dq=np.zeros(shape, np.uint32),
        var_poisson=np.zeros(shape, np.float32),
        var_rnoise=variance,
        wcs=detector_wcs(shape, pointing=pointing),
    )


def observed(
    sky: np.ndarray,
    flux: np.ndarray,
    number: int,
    *,
    shape: tuple[int, int] = (200, 200),
    dither: tuple[float, float] = (0.0, 0.0),
    error: tuple[float, float] = (0.0, 0.0),
    fwhm: float = 2.3,
    noise: float = 0.1,
) -> Image:
    """An exposure of stars at `sky`, pointed at `dither` arcsec but for an `error` that its header does not know."""
    true = detector_wcs(shape, pointing=offset(dither[0] + error[0], dither[1] + error[1]))
    x, y = true.invert(*sky.T, with_bounding_box=False)
    return exposure(stars(shape, x, y, flux, fwhm), number, pointing=offset(*dither), noise=noise)


def flat(level: float, number: int, **options: Any) -> Image:
    """An exposure of empty sky, 60 by 60 pixels."""
    return exposure(np.full((60, 60), level), number, **options)


def without(image: Image, row: int, column: int, value: float) -> Image:
    """The image with one pixel set to `value` and flagged DO_NOT_USE."""
    data, dq = image.data.copy(), image.dq.copy()
    data[row, column], dq[row, column] = value, 1
    return replace(image, data=data, dq=dq)


def mosaic(data: np.ndarray, *, noise: float, seed: int = 0, **keywords: Any) -> Mosaic:
    """A mosaic in MJy/sr of uniform weight."""
    rng = np.random.default_rng(seed)
    shape = data.shape
    sci = fits.Header({"BUNIT": "MJy/sr", "PIXAR_SR": (SCALE / 206264.806) ** 2, "CRPIX1": 1.0, "CRPIX2": 1.0})
    primary = fits.Header({"INSTRUME": "NIRCAM", "FILTER": "F356W", "PUPIL": "CLEAR", "PXSCLRT": 1.0})
    primary.update(keywords)
    return Mosaic(
        meta=Meta(primary=primary, sci=sci, source="jw00001-o001_t001_nircam_clear-f356w_i2d.fits"),
        data=(data + rng.normal(0, noise, shape)).astype(np.float32),
        err=np.full(shape, noise, np.float32),
        weight=np.ones(shape, np.float32),
        wcs=detector_wcs(shape),
    )


def column(images: Sequence[Image], keyword: str) -> list[Any]:
    """The value of a keyword in each image."""
    return [image.meta.get(keyword) for image in images]
