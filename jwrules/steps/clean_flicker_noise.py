"""Take off the flicker (1/f) noise that pixels read one after the other have in common.

A line is what is read along the fast direction of the readout before the slow one goes on; images of MIRI flicker along
columns, and its spectra are left alone. Draft rates of the exposure (`single_mask`) or of each integration are cleaned
first: light is what stands out by `n_sigma`, in means of 5 x 5 pixels; the background is subtracted; the median of what
is left in each line (`fit_by_channel`: of each of the four amplifiers of a full frame) is its noise. Then every group
is compared with what these rates let expect, and the medians of its lines are taken off, so that they are those of the
first group. `against: previous` is the official way: the noise of a group is measured in its difference to the one
before, where medians err more, and the errors add up along the ramp.

`fit_method: fft` fits waves to the differences instead (NIRSpec). With `background_method: median_image` the median
over integrations, scaled to the light of each, is subtracted from the groups themselves. `autoparam` chooses background
and amplifiers for images of NIRCam and NIRISS. `mask_science_regions` leaves out what is not illuminated by the sky
(MIRI), the spectra of NIRISS SOSS, and for NIRSpec shutters that are stuck open (as the mask file flags them) and
behind IFU and shutters the rows of the fixed slits. The official step also masks the slits and slices of NIRSpec, by
their coordinates, which stage 1 does not have here: their light is known by its brightness only, and a warning says so.

A mask of one's own takes the place of all this: `--reference user_mask=FILE`, or a file with REFTYPE USER_MASK among
the reference files, whose extension SCI is not 0 where there is nothing but background; one plane for each integration,
or one for all. `save_mask` writes such a file of what was taken for background, `_mask`. `save_noise` writes what the
step adds to each group (after less before), and `save_background` the background that it leaves there: of each group
less the one before, 0 for the first one; with `median_image`, the scaled median of each group (both DN).

Different from the official step in any case: a group without usable pixels keeps the correction of the one before, a
group without value does not spoil those after it, reference pixels do not stand for a background that they cannot see
(of a line that is all light they alone are left), and the light of an integration is the flux of what stands out in the
median image, not that of spectra or of an aperture. Draft rates have the weights of `ramp_fit`. Waves are damped where
no pixels tell them, weights and noise lie where they belong, and lines are followed in the order of readout (NRS2);
`weighting: official` undoes both. Source: JWST documentation, CALWEBB_DETECTOR1, clean flicker noise; Rauscher 2024,
PASP 136, 015001.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import flicker as kernel
from jwrules.kernels import flicker_background, flicker_choice, typical_ramp
from jwrules.products.flags import DQ
from jwrules.products.illumination import Sky, light_falls
from jwrules.products.kinds import BackgroundMask, Flat, Gain, Pastasoss, Ramp, Readnoise
from jwrules.steps.declare import Part, Skip, par, step
from jwrules.steps.parts import flicker_cleaning
from jwrules.steps.parts.flicker_readout import WAVES_OF, lines
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

log = logging.getLogger("jwrules")

CHOICES = {"NRC_IMAGE": flicker_choice.NIRCAM, "NIS_IMAGE": flicker_choice.NIRISS}


@dataclass(frozen=True, kw_only=True)
class Params:
    """How light is told from background, and noise from both."""

    autoparam: bool = par(False, "choose background, flat and amplifiers for the image (NIRCam, NIRISS)")
    fit_method: str = par("median", "what noise is: the median of a line, or waves", choices=("median", "fft"))
    fit_by_channel: bool = par(False, "measure each amplifier of a full frame apart (near infrared)")
    background_method: str | None = par(
        "median",
        "background: one level, a smooth model, the median over integrations, or none",
        choices=("median", "model", "median_image"),
    )
    background_box_size: tuple[int, int] | None = par(None, "boxes of the smooth model; none: up to 32", unit="pixel")
    mask_science_regions: bool = par(False, "leave out where light is known to fall")
    apply_flat_field: bool = par(False, "divide by the flat while background and noise are measured")
    n_sigma: float = par(2.0, "brightness from which on a pixel is light; 0: none is", unit="sigma", ge=0)
    fit_histogram: bool = par(False, "take sigma from a Gaussian fitted to the histogram of the draft rates")
    single_mask: bool = par(True, "find light in the exposure as a whole, not in each integration")
    save_mask: bool = par(False, "write where there is background as _mask")
    save_background: bool = par(False, "write how bright the background is as _flicker_bkg")
    save_noise: bool = par(False, "write what is added to the groups as _flicker_noise")
    against: str = par(
        "draft", "what groups are compared with: draft rates, or the group before", choices=("draft", "previous")
    )
    weighting: str = par("unbiased", "weights of draft rates and waves", choices=("unbiased", "official"))


def draft(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Note the rates in which light is looked for, and the median over integrations."""
    _require(ramp, params)
    slopes = ramp_fit(ramp, RampFit(weighting=params.weighting), gain=gain, readnoise=readnoise)
    if params.autoparam or (params.single_mask and params.background_method != "median_image"):
        ramp = ramp.noting("rate", slopes.rate.data, "yx")
    if params.background_method == "median_image":
        rates = slopes.rateints.data
        typical = np.where(
            np.isfinite(rates).all(axis=0), typical_ramp.median(rates[:, np.newaxis])[0], np.float32(np.nan)
        )
        ramp = ramp.noting("typical", typical_ramp.median(ramp.data), "gyx").noting("typical rate", typical, "yx")
    if params.background_method == "median_image" or not params.single_mask:
        ramp = ramp.noting("rates", slopes.rateints.data, "iyx")
    return ramp


def _require(ramp: Ramp, params: Params) -> None:
    exposure, (nints, ngroups) = str(ramp.meta.get("EXP_TYPE", "")), ramp.data.shape[:2]
    if exposure.startswith("MIR") and exposure != "MIR_IMAGE":
        raise Skip(f"{exposure} has no flicker noise that a line has in common")
    if params.fit_method == "fft" and exposure not in WAVES_OF:
        raise CannotRun(f"fit_method=fft serves {', '.join(WAVES_OF)}, and not {exposure}; take 'median'")
    if params.background_method == "median_image":
        if params.fit_method == "fft" or nints < 2:
            raise CannotRun(
                f"background_method=median_image needs fit_method=median, which is {params.fit_method}, and several "
                f"integrations, of which there are {nints}"
            )
    elif ngroups < 2:
        raise Skip("there is one group: the noise shows in differences")


@step(
    status="S_CLNFNS",
    along="frames",
    before=(Part(draft, along="ramps", awaited=True),),
    wants={
        "flat": [
            {"apply_flat_field": True},
            {"autoparam": True, "EXP_TYPE": [*CHOICES]},
            {"mask_science_regions": True, "EXP_TYPE": "MIR_IMAGE"},
        ],
        "pastasoss": {"mask_science_regions": True, "EXP_TYPE": "NIS_SOSS"},
    },
    beside=lambda params: np.dtype(np.float32).itemsize * (params.save_background + params.save_noise),
)
def clean_flicker_noise(
    ramp: Ramp,
    params: Params,
    *,
    flat: Flat | None = None,
    pastasoss: Pastasoss | None = None,
    user_mask: BackgroundMask | None = None,
) -> Ramp:
    """Return the ramp without flicker noise, and what is to be written of it."""
    params = _chosen(ramp, params, flat)
    response = _response(flat) if params.apply_flat_field else np.empty((0, 0), np.float32)
    lit = _blind(ramp, params)
    lit |= light_falls(ramp, flat, pastasoss) if params.mask_science_regions else False
    sky = Sky.beside(lit, params.n_sigma) if user_mask is None else Sky.said(user_mask, ramp)
    if params.mask_science_regions and user_mask is None:
        _warn(str(ramp.meta.get("EXP_TYPE")))
    method = kernel.Method(str(params.background_method).lower(), params.background_box_size, params.n_sigma)
    view = flicker_cleaning.View(sky, response, lines(ramp.meta, ramp.data.shape, params.fit_by_channel), method)
    before = ramp.data.copy() if params.save_noise else ramp.data
    levels = np.zeros(ramp.data.shape if params.save_background else 0, np.float32)
    if params.background_method == "median_image":
        background = flicker_cleaning.against_typical(ramp, view, params, levels)
    elif params.against == "draft" and params.fit_method == "median":
        background = flicker_cleaning.against_draft(ramp, view, params, levels)
    else:
        background = flicker_cleaning.against_previous(ramp, view, params, levels)
    shown = background if sky.each or "rates" in ramp.notes else background[0]
    return replace(ramp, beside=flicker_cleaning.beside(ramp, params, shown, levels, before))


def _blind(ramp: Ramp, params: Params) -> np.ndarray:
    """Return which pixels (ny, nx) see no sky where a level of it is taken off: reference pixels would be too low."""
    has_level = params.fit_method == "median" and params.background_method in ("median", "model")
    return (ramp.pixeldq & np.uint32(DQ.REFERENCE_PIXEL if has_level else 0)) != 0


def _warn(exposure: str) -> None:
    if exposure in WAVES_OF:
        log.warning(
            "clean_flicker_noise: mask_science_regions does not mask the slits and slices of %s, for stage 1 has no"
            " coordinates; light there is known by its brightness only: --reference user_mask=FILE says where it falls",
            exposure,
        )


def _chosen(ramp: Ramp, params: Params, flat: Flat | None) -> Params:
    limits = CHOICES.get(str(ramp.meta.get("EXP_TYPE")))
    if not params.autoparam or limits is None:
        return params
    response = np.empty((0, 0), np.float32) if flat is None else _response(flat)
    look = flicker_choice.look(ramp.notes["rate"].array, response, lines(ramp.meta, ramp.data.shape, False))
    background, by_channel = flicker_choice.choose(look, limits)
    return replace(params, background_method=background, fit_by_channel=by_channel, apply_flat_field=flat is not None)


def _response(flat: Flat | None) -> np.ndarray:
    if flat is None:
        raise CannotRun("apply_flat_field is set and there is no flat field; give a reference file of type 'flat'")
    return flicker_background.without_holes(flat.data)
