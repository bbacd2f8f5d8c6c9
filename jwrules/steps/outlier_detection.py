"""Flag the pixels that the other exposures of the same sky do not confirm: cosmic rays above all.

Every exposure is resampled to one grid; pixels of little weight are left out and the median of all exposures is taken.
It is blotted back to each image, and a pixel is flagged OUTLIER and DO_NOT_USE, and becomes NaN, where it differs from
it by more than `snr` times its noise plus `scale` times the steepness of the blotted median; so are its neighbours
beyond the second pair of thresholds. Without `resample_data` the images are compared pixel by pixel.

Two parameters are ours, each with a value that gives the results of the official pipeline. Resampling smears the
cores of stars that the detector samples too coarsely, so that these look like outliers. What one more resampling takes
out of the blotted median tells how much was smeared: it is put back, and `blur` times it is allowed besides (official:
0). A cosmic ray raises the Poisson noise of its own pixel and hides behind it; `noise: expected` takes the noise of
what the pixel ought to show (official: own).
Source: JWST documentation, outlier detection step, imaging data.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun, RecipeFault
from jwrules.kernels import drizzling, outliers
from jwrules.kernels.drizzling import Drizzled, Layer
from jwrules.kernels.outliers import Cutout
from jwrules.products import exposures
from jwrules.products.flags import DQ
from jwrules.products.kinds import Image, Images
from jwrules.products.pixels import agreed
from jwrules.steps import resample as resampling
from jwrules.steps.declare import Skip, par, step
from jwrules.wcs import grid
from jwrules.wcs.grid import Grid

log = logging.getLogger("jwrules")

_FLAGGED = np.uint32(DQ.OUTLIER | DQ.DO_NOT_USE)


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the exposures are resampled and compared."""

    weight_type: str = par("ivm", "weights of the pixels", choices=("ivm", "exptime"))
    pixfrac: float = par(1.0, "side of the drop that a pixel shrinks to, in pixels", ge=0, le=1)
    kernel: str = par("square", "shape of the drop", choices=("square", "point", "turbo"))
    fillval: float | str = par("NAN", "value of pixels on which nothing falls: a number or NAN")
    maskpt: float = par(0.7, "pixels with less than this share of the mean weight are left out of the median", ge=0)
    snr: str = par("5.0 4.0", "thresholds for an outlier and for its neighbours", unit="sigma")
    scale: str = par("1.2 0.7", "how much of the steepness of the median is added to each of the thresholds")
    backg: float = par(0.0, "sky of the images over that of the median, unless BKGLEVEL tells", unit="of the image")
    resample_data: bool = par(True, "compare on the sky; else pixel by pixel, for exposures without dither")
    good_bits: str | None = par("~DO_NOT_USE", "DQ flags that do no harm, or after ~ those that do")
    pixmap_stepsize: float = par(1.0, "evaluate the WCS every so many pixels and interpolate", unit="pixel", ge=1)
    pixmap_order: int = par(1, "order of that interpolation", choices=(1, 3))
    blur: float = par(2.0, "allow so many times the light that resampling smears out of stars; 0: do not mend it", ge=0)
    noise: str = par(
        "expected", "noise of a pixel: its own, or that of what it ought to show", choices=("expected", "own")
    )


@step(status="S_OUTLIR")
def outlier_detection(images: Images, params: Params) -> Images:
    """Return the images with their outliers flagged; Skip where there is one exposure only."""
    groups = list(exposures.groups(images).values())
    if len(groups) < 2:
        raise Skip("there is one exposure only, nothing to compare it with")
    _pair("snr", params.snr)
    _pair("scale", params.scale)
    return _on_the_sky(images, groups, params) if params.resample_data else _pixel_by_pixel(images, params)


def _pair(name: str, text: str) -> tuple[float, float]:
    try:
        first, second = (float(word) for word in str(text).split())
    except ValueError as reason:
        raise RecipeFault(f"outlier_detection: {name} is '{text}'; it must be two numbers, as '5.0 4.0'") from reason
    return first, second


def _how(params: Params) -> resampling.Params:
    """The parameters of the step resample for this purpose."""
    return resampling.Params(
        weight_type=params.weight_type,
        pixfrac=params.pixfrac,
        kernel=params.kernel,
        fillval=params.fillval,
        good_bits=params.good_bits,
        pixmap_stepsize=params.pixmap_stepsize,
        pixmap_order=params.pixmap_order,
        enable_err=False,
    )


def _on_the_sky(images: Images, groups: Sequence[Sequence[int]], params: Params) -> Images:
    target = resampling.output_grid(images, _how(params))
    cutouts = [_resampled([images[index] for index in group], target, params) for group in groups]
    median = outliers.median([one for one in cutouts if one is not None], target.shape)
    return tuple(_compared(image, median, target, params) for image in images)


def _resampled(members: Sequence[Image], target: Grid, params: Params) -> Cutout | None:
    """One exposure on the part of the grid that it covers; None where it misses the grid."""
    layers = [resampling.layer(image, target, _how(params)) for image in members]
    window = outliers.window([layer.pixmap for layer in layers], target.shape, target.pixel_scale_ratio)
    if window is None:
        return None
    drizzled = _drizzled(layers, window, target, params)
    lowest = outliers.lowest_weight(drizzled.weight, params.maskpt)
    data = np.where(drizzled.weight < lowest, np.float32(np.nan), drizzled.data)
    return Cutout(data=data, rows=window[0], columns=window[1])


def _drizzled(layers: Sequence[Layer], window: tuple[slice, slice], target: Grid, params: Params) -> Drizzled:
    rows, columns = window
    return drizzling.drizzle(
        [replace(layer, pixmap=layer.pixmap - (columns.start, rows.start)) for layer in layers],
        (rows.stop - rows.start, columns.stop - columns.start),
        pixfrac=params.pixfrac,
        kernel=params.kernel,
        fillval=resampling.fill_value(params.fillval),
        pixel_scale_ratio=target.pixel_scale_ratio,
        enable_ctx=False,
    )


def _compared(image: Image, median: np.ndarray, target: Grid, params: Params) -> Image:
    pixmap = grid.pixmap(
        image.wcs, target.wcs, image.data.shape, stepsize=params.pixmap_stepsize, order=params.pixmap_order
    )
    expected = outliers.blot(median, pixmap)
    smeared = _smeared(expected, pixmap, target, params) if params.blur else np.zeros_like(expected)
    data = image.data - np.float32(_background(image, params))
    found = outliers.outstanding(
        data,
        _noise(image, data, expected + smeared, params),
        expected + smeared,
        sigmas=_pair("snr", params.snr),
        slopes=_pair("scale", params.scale),
        steep=outliers.steepness(expected),
        allowance=params.blur * np.abs(smeared),
    )
    return _flagged(image, found)


def _background(image: Image, params: Params) -> float:
    """The sky that stands in the image and not in the median."""
    level = image.meta.get("BKGLEVEL")
    return params.backg if level is None or image.meta.get("BKGSUB") else float(level)


def _smeared(expected: np.ndarray, pixmap: np.ndarray, target: Grid, params: Params) -> np.ndarray:
    """What resampling and blotting take out of each pixel of the expected image (ny, nx)."""
    window = outliers.window([pixmap], target.shape, target.pixel_scale_ratio)
    if window is None:
        return np.zeros_like(expected)
    layer = Layer(data=expected, weight=np.isfinite(expected).astype(np.float32), pixmap=pixmap)
    again = _drizzled([layer], window, target, params).data
    rows, columns = window
    return np.nan_to_num(expected - outliers.blot(again, pixmap - (columns.start, rows.start)))


def _noise(image: Image, data: np.ndarray, expected: np.ndarray, params: Params) -> np.ndarray:
    if params.noise == "own":
        return image.err
    return outliers.noise_of(data, image.err, image.var_poisson, expected)


def _flagged(image: Image, found: np.ndarray) -> Image:
    found &= (image.dq & DQ.DO_NOT_USE) == 0
    log.info("outlier_detection: %s: %d outliers", image.meta.source, np.count_nonzero(found))
    return agreed(replace(image, dq=image.dq | found * _FLAGGED))


def _pixel_by_pixel(images: Images, params: Params) -> Images:
    shapes = {image.data.shape for image in images}
    if len(shapes) > 1:
        raise CannotRun(f"images of shapes {', '.join(map(str, sorted(shapes)))} cannot be compared pixel by pixel")
    (shape,) = shapes
    everywhere = {"rows": slice(0, shape[0]), "columns": slice(0, shape[1])}
    median = outliers.median([Cutout(data=_weighty(image, params), **everywhere) for image in images], shape)
    threshold, _ = _pair("snr", params.snr)
    flagged = []
    for image in images:
        noise = np.nan_to_num(_noise(image, image.data, median, params))
        flagged.append(_flagged(image, np.abs(image.data - median) > threshold * noise))
    return tuple(flagged)


def _weighty(image: Image, params: Params) -> np.ndarray:
    """The data of an image, NaN for pixels of little weight."""
    weight = resampling.weight(image, _how(params))
    return np.where(weight < outliers.lowest_weight(weight, params.maskpt), np.float32(np.nan), image.data)
