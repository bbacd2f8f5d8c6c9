"""Take off the picture frame: the borders of the detectors of NIRSpec that glow as their temperature drifts.

Draft rates of the exposure show which pixels are background (below `n_sigma`; `mask_science_regions` leaves out where
light is known to fall, see clean_flicker_noise). In each group, less the first one, the medians of those in the
centre and at the borders scale and shift the shape that the reference file gives. Full frames only; with one group
there is nothing to do. `save_mask` writes which pixels were taken for background, `_pctfrm_mask` (1 there, else 0), and
`save_correction` what the step adds to each group, `_pctfrm_correction` (after less before, DN). Source: JWST
documentation, CALWEBB_DETECTOR1, picture frame correction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import flicker_background
from jwrules.kernels import picture_frame as kernel
from jwrules.products.illumination import light_falls
from jwrules.products.kinds import (
    Gain,
    Meta,
    PictureFrame,
    PictureFrameCorrection,
    Product,
    Ramp,
    Readnoise,
    ShownBackground,
)
from jwrules.steps.declare import Part, Skip, par, step
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

FRAME, CENTRE = (4, 2043), (76, 1984)
"""Rows and columns (first, and one after the last) within the reference pixels, and of the centre."""
INNER_EDGE = (75, 1985)
"""Where the lower border ends and the upper one begins."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which pixels are background."""

    mask_science_regions: bool = par(True, "leave out where light is known to fall")
    n_sigma: float = par(2.0, "brightness from which on a pixel is light; 0: none is", unit="sigma", ge=0)
    save_mask: bool = par(False, "write where there is background as _pctfrm_mask")
    save_correction: bool = par(False, "write what is added to the groups as _pctfrm_correction")
    weighting: str = par("unbiased", "weights of the draft rates, as in ramp_fit", choices=("unbiased", "official"))


def draft(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Note the rates in which light is looked for."""
    _require(ramp.meta, ramp.data.shape[1])
    slopes = ramp_fit(ramp, RampFit(weighting=params.weighting), gain=gain, readnoise=readnoise)
    return ramp.noting("rate", slopes.rate.data, "yx")


def _require(meta: Meta, ngroups: int) -> None:
    if meta.get("INSTRUME") != "NIRSPEC" or meta.get("SUBARRAY") != "FULL":
        raise Skip("there is a picture frame in full frames of NIRSpec only")
    if ngroups < 2:
        raise Skip("there is one group: the picture frame shows in what comes after it")


@step(
    status="S_PCTFRM",
    along="frames",
    before=(Part(draft, along="ramps", awaited=True),),
    beside=lambda params: np.dtype(np.float32).itemsize * params.save_correction,
)
def picture_frame(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise, pictureframe: PictureFrame) -> Ramp:
    """Return the ramp without its picture frame, and what is to be written of it."""
    lit = light_falls(ramp) if params.mask_science_regions else np.zeros(ramp.pixeldq.shape, bool)
    background = flicker_background.backdrop(ramp.notes["rate"].array, ~lit, params.n_sigma)
    regions = np.array([region & background for region in _regions(background.shape)])
    if not regions.any(axis=(1, 2)).all():
        raise Skip("the centre or the border has no background")
    centre, border = (float(np.nanmedian(pictureframe.data[region])) for region in regions)
    if not abs(centre - border) > 0:
        raise CannotRun(f"{pictureframe.meta.source} has the level {centre} in the centre, and {border} at the borders")
    levels = kernel.levels(ramp.data, regions)
    scales = (levels[..., 0] - levels[..., 1]) / (centre - border)
    before = ramp.data.copy() if params.save_correction else ramp.data
    kernel.subtract(ramp.data, pictureframe.data - np.float32(border), scales, levels[..., 1])
    return replace(ramp, beside=_beside(ramp, params, background, before))


def _beside(ramp: Ramp, params: Params, background: np.ndarray, before: np.ndarray) -> dict[str, Product]:
    """Return what is to be written, by suffix; what `before` holds is written over."""
    found: dict[str, Product] = {}
    if params.save_mask:
        meta = ramp.meta.without_sci("BUNIT")
        found["pctfrm_mask"] = ShownBackground(data=background.astype(np.float32), meta=meta)
    if params.save_correction:
        change = np.subtract(ramp.data, before, out=before)
        found["pctfrm_correction"] = PictureFrameCorrection(data=change, meta=ramp.meta)
    return found


def _regions(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return which pixels (ny, nx) belong to the centre and to the border."""
    y, x = np.indices(shape, sparse=True)
    inside = _within(y, *FRAME) & _within(x, *FRAME)
    beyond = [(axis < INNER_EDGE[0]) | (axis >= INNER_EDGE[1]) for axis in (y, x)]
    return _within(y, *CENTRE) & _within(x, *CENTRE), inside & (beyond[0] | beyond[1])


def _within(axis: np.ndarray, first: int, end: int) -> np.ndarray:
    return (axis >= first) & (axis < end)
