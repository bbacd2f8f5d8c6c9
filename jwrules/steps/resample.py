"""Resample images to one grid free of distortion, and add them up: drizzle.

The grid is a tangent plane around all images; unless told otherwise it has the orientation and the pixel scale of the
first one. Every image has the weight 1 / VAR_RNOISE (`ivm`) or its exposure time (`exptime`), 0 where DQ has one of the
flags of `good_bits`. Values are surface brightness, so that a larger pixel does not change them. The sky level of
skymatch is subtracted where it still stands in the image. The variances are combined with the squares of the weights
and ERR is the root of their sum. To give several filters one grid, set `crval`, `crpix`, `rotation`, `pixel_scale` and
`output_shape`. The kernels gaussian, lanczos2 and lanczos3 do not conserve flux. Source: JWST documentation, resample
step; Fruchter & Hook 2002, PASP 114, 144.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun, RecipeFault
from jwrules.kernels.drizzling import Drizzled, Layer, drizzle
from jwrules.products import bits, blending, exposures
from jwrules.products.kinds import Image, Images, Meta, Mosaic
from jwrules.products.pixels import agreed, arrays
from jwrules.steps.declare import par, step
from jwrules.wcs import grid, sip
from jwrules.wcs.grid import Grid
from jwrules.wcs.pointing import Pointing

log = logging.getLogger("jwrules")

_KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
_VARIANCES = ("var_poisson", "var_rnoise", "var_flat")
# Where the aperture of one detector pointed, and the sky in one image, say nothing about a mosaic.
_OF_ONE_IMAGE = ("V2_REF", "V3_REF", "RA_REF", "DEC_REF", "ROLL_REF", "V3I_YANG", "VPARITY", "BKGLEVEL", "BKGSUB")


@dataclass(frozen=True, kw_only=True)
class Params:
    """The grid, the drizzling, and what of it goes into the product."""

    pixfrac: float = par(1.0, "side of the drop that a pixel shrinks to, in pixels", ge=0, le=1)
    kernel: str = par("square", "shape of the drop", choices=_KERNELS)
    fillval: float | str = par("NAN", "value of pixels on which nothing falls: a number or NAN")
    weight_type: str | None = par("ivm", "weights of the images; none: all alike", choices=("ivm", "exptime"))
    good_bits: str | None = par("~DO_NOT_USE+NON_SCIENCE", "DQ flags that do no harm, or after ~ those that do")
    output_shape: tuple[int, int] | None = par(None, "columns and rows of the mosaic", unit="pixel", ge=2)
    crpix: tuple[float, float] | None = par(None, "x, y of the reference point, counted from 0", unit="pixel")
    crval: tuple[float, float] | None = par(None, "right ascension and declination of the reference point", unit="deg")
    rotation: float | None = par(None, "position angle of the Y axis; 0 is north up", unit="deg")
    pixel_scale_ratio: float = par(1.0, "pixel scale of the mosaic over that of the first image", gt=0)
    pixel_scale: float | None = par(None, "pixel scale of the mosaic; wins over the ratio", unit="arcsec", gt=0)
    blendheaders: bool = par(True, "blend the keywords of all images, and list them in the table HDRTAB")
    enable_ctx: bool = par(True, "make the context image: which images fell on which pixel")
    enable_err: bool = par(True, "make the error image")
    report_var: bool = par(True, "keep the variance images")
    pixmap_stepsize: float = par(1.0, "evaluate the WCS every so many pixels and interpolate", unit="pixel", ge=1)
    pixmap_order: int = par(1, "order of that interpolation", choices=(1, 3))


@step(status="S_RESAMP")
def resample(images: Images, params: Params) -> Mosaic:
    """Return the mosaic of `images`, in their order; one image is resampled alone."""
    for image in images:
        if image.wcs is None:
            raise CannotRun(f"{image.meta.source or 'an image'} has no WCS; assign_wcs must come before")
    target = output_grid(images, params)
    ny, nx = target.shape
    log.info("resample: %d images to %d x %d pixels of %.4f arcsec", len(images), nx, ny, target.pixel_scale)
    drizzled = drizzle(
        (layer(image, target, params) for image in images),
        (ny, nx),
        pixfrac=params.pixfrac,
        kernel=params.kernel,
        fillval=fill_value(params.fillval),
        pixel_scale_ratio=target.pixel_scale_ratio,
        enable_ctx=params.enable_ctx,
        count=len(images),
        weight_from="var_rnoise" if params.weight_type == "ivm" else None,
    )
    return _mosaic(images, target, drizzled, params)


def output_grid(images: Images, params: Params) -> Grid:
    """Return the grid of the mosaic of `images`; CannotRun where it would have no pixels."""
    try:
        return grid.output(
            [image.wcs for image in images],
            Pointing.of(images[0].meta),
            rotation=params.rotation,
            pixel_scale=params.pixel_scale,
            pixel_scale_ratio=params.pixel_scale_ratio,
            crpix=params.crpix,
            crval=params.crval,
            output_shape=params.output_shape,
            input_shape=images[0].data.shape,
        )
    except ValueError as reason:
        raise CannotRun(f"{reason}; change pixel_scale, pixel_scale_ratio or output_shape") from reason


def fill_value(fillval: float | str) -> float:
    """Return the parameter `fillval` as a number; RecipeFault where it is none."""
    try:
        return float(fillval)
    except ValueError as reason:
        raise RecipeFault(f"fillval is '{fillval}'; it must be a number or NAN") from reason


def layer(image: Image, target: Grid, params: Params) -> Layer:
    """Return what of an image falls where on the grid, with which weight; its sky level is taken off."""
    image = agreed(image)
    pixmap = grid.pixmap(
        image.wcs, target.wcs, image.data.shape, stepsize=params.pixmap_stepsize, order=params.pixmap_order
    )
    return Layer(
        data=image.data - _sky(image.meta),
        weight=weight(image, params),
        pixmap=pixmap,
        variances=arrays(image, _VARIANCES) if params.enable_err else {},
        importance=_time(image.meta) if params.weight_type == "exptime" else 1.0,
    )


def _sky(meta: Meta) -> float:
    return 0.0 if meta.get("BKGSUB") else float(meta.get("BKGLEVEL", 0.0))


def weight(image: Image, params: Params) -> np.ndarray:
    """Return the weight of each pixel of an image, 0 where it is not to be used."""
    usable = bits.good(image.dq, params.good_bits) & np.isfinite(image.data)
    if params.weight_type == "exptime":
        return usable * np.float32(_time(image.meta))
    if params.weight_type == "ivm":
        usable &= image.var_rnoise > 0
        return np.divide(1.0, image.var_rnoise, out=np.zeros_like(image.var_rnoise), where=usable)
    return usable.astype(np.float32)


def _time(meta: Meta) -> float:
    return float(meta.get("TMEASURE") or meta["XPOSURE"])


def _mosaic(images: Images, target: Grid, drizzled: Drizzled, params: Params) -> Mosaic:
    variances: Mapping[str, np.ndarray] = drizzled.variances if params.report_var else {}
    blend = params.blendheaders and len(images) > 1
    return Mosaic(
        meta=_keywords(images, target, params, blend),
        provenance=images[0].provenance,
        data=drizzled.data,
        err=_error(drizzled.variances) if params.enable_err else None,
        context=drizzled.context,
        weight=drizzled.weight,
        headers=blending.tabulated([image.meta for image in images]) if blend else None,
        wcs=target.wcs,
        var_poisson=variances.get("var_poisson"),
        var_rnoise=variances.get("var_rnoise"),
        var_flat=variances.get("var_flat"),
    )


def _error(variances: Mapping[str, np.ndarray]) -> np.ndarray:
    known = np.stack(list(variances.values()))
    total = np.nansum(known, axis=0)
    return np.sqrt(np.where(np.isnan(known).all(axis=0), np.float32(np.nan), total))


def _keywords(images: Images, target: Grid, params: Params, blend: bool) -> Meta:
    metas = [image.meta for image in images]
    meta = blending.blended(metas) if blend else metas[0]
    one_each = [metas[members[0]] for members in exposures.groups(images).values()]
    meta = meta.without(*_OF_ONE_IMAGE).without_sci(*_OF_ONE_IMAGE)
    meta = replace(meta, sci=sip.replaced(meta.sci, target.keywords()))
    meta = meta.updated(
        NDRIZ=(len(one_each), "Number of exposures resampled"),
        RESWHT=(params.weight_type or "none", "Type of drizzle weighting"),
        PIXFRAC=(params.pixfrac, "Drizzle parameter describing pixel shrinking"),
        PXSCLRT=(target.pixel_scale_ratio, "Pixel scale over that of the first image"),
    )
    area = target.pixel_scale**2
    meta = meta.updated_sci(
        PIXAR_SR=(area * np.deg2rad(1 / 3600) ** 2, "Nominal pixel area in steradians"),
        PIXAR_A2=(area, "Nominal pixel area in arcsec^2"),
        S_REGION=(target.covered_by([image.wcs for image in images]), "spatial extent of the observation"),
    )
    return blending.with_summed_times(meta, one_each)
