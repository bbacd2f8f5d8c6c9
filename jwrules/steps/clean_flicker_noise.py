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
(MIRI), the spectra of NIRISS SOSS, and for NIRSpec shutters that are stuck open (as the mask file flags them) and the
rows of the fixed slits; slits and slices themselves are known by their light only. A mask of one's own takes the place
of all this: `--reference user_mask=FILE`, or a file with REFTYPE USER_MASK among the reference files, whose extension
SCI is not 0 where there is nothing but background; one plane for each integration, or one for all. Files of mask, noise
and background are not written; `--save` writes the ramp before and after the step.

Different from the official step in any case: a group without usable pixels keeps the correction of the one before, a
group without value does not spoil those after it, and the light of an integration is the flux of what stands out in the
median image, not that of spectra or of an aperture. Draft rates have the weights of `ramp_fit`. Waves are damped where
no pixels tell them, weights and noise lie where they belong, and lines are followed in the order of readout (NRS2);
`weighting: official` undoes both. Source: JWST documentation, CALWEBB_DETECTOR1, clean flicker noise; Rauscher 2024,
PASP 136, 015001.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import flicker as kernel
from jwrules.kernels import flicker_background, flicker_choice, flicker_fourier, flicker_ramps, typical_ramp
from jwrules.products.flags import DQ
from jwrules.products.illumination import Sky, light_falls
from jwrules.products.kinds import BackgroundMask, Flat, Gain, Meta, Pastasoss, Ramp, Readnoise
from jwrules.steps.declare import Part, Skip, par, step
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

UNUSABLE = int(DQ.DO_NOT_USE | DQ.JUMP_DET)
DETECTOR, AMPLIFIERS = 2048, 4
WAVES_OF = ("NRS_MSASPEC", "NRS_IFU", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")
CUTOFF, CUTOFF_ALLSLITS = (1061, 1211, 49943, 49957), (150, 200, 49943, 49957)
"""Frequencies (Hz) between which waves fade and rise again, in subarrays."""
FITS = {"unbiased": flicker_fourier.Fit(1e-2, 0), "official": flicker_fourier.Fit(1e-10, 1)}
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
        ramp = ramp.noting("typical", typical_ramp.median(ramp.data), "gyx")
        ramp = ramp.noting("typical rate", typical_ramp.median(slopes.rateints.data[:, np.newaxis])[0], "yx")
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
)
def clean_flicker_noise(
    ramp: Ramp,
    params: Params,
    *,
    flat: Flat | None = None,
    pastasoss: Pastasoss | None = None,
    user_mask: BackgroundMask | None = None,
) -> Ramp:
    """Return the ramp without flicker noise."""
    params = _chosen(ramp, params, flat)
    response = _response(flat) if params.apply_flat_field else np.empty((0, 0), np.float32)
    lit = light_falls(ramp, flat, pastasoss) if params.mask_science_regions else np.zeros(ramp.pixeldq.shape, bool)
    sky = Sky(~lit[np.newaxis], params.n_sigma) if user_mask is None else Sky.said(user_mask, ramp)
    lines = _lines(ramp.meta, ramp.data.shape, params.fit_by_channel)
    method = kernel.Method(str(params.background_method).lower(), params.background_box_size, params.n_sigma)
    if params.against == "draft" and params.fit_method == "median" and params.background_method != "median_image":
        return _against_draft(ramp, sky, response, lines, method, params)
    background = np.array([_backdrop(rate, one, response, sky.n_sigma, params) for rate, one in sky.of(_rates(ramp))])
    if params.background_method == "median_image":
        light = ~_backdrop(ramp.notes["typical rate"].array, sky.planes[0], response, sky.n_sigma, params)
        scales = typical_ramp.scales(_rates(ramp), ramp.notes["typical rate"].array, light)
        excess = kernel.excess_beyond(ramp.data, ramp.notes["typical"].array, scales, background, response, lines)
        kernel.subtract(ramp.data, excess, response, lines)
        return ramp
    measured = ramp.data, ramp.groupdq, background, response
    if params.fit_method == "fft":
        kernel.clean(*measured, method, UNUSABLE, lambda image, usable: _waves(image, usable, ramp.meta, params))
    else:
        kernel.subtract(ramp.data, kernel.excess(*measured, lines, method, UNUSABLE), response, lines)
    return ramp


def _against_draft(
    ramp: Ramp, sky: Sky, response: np.ndarray, lines: kernel.Lines, method: kernel.Method, params: Params
) -> Ramp:
    rates = _rates(ramp) / response if response.size else _rates(ramp)
    method = method._replace(n_sigma=sky.n_sigma)
    found = [
        flicker_ramps.scene(rate, one, lines, method, histogram=params.fit_histogram) for rate, one in sky.of(rates)
    ]
    scene, background = (np.array(one) for one in zip(*found, strict=True))
    scene = scene * response if response.size else scene
    seconds, unusable = float(ramp.meta["TGROUP"]), UNUSABLE | int(DQ.SATURATED)
    flicker_ramps.subtract(ramp.data, ramp.groupdq, scene, background, response, lines, seconds, unusable)
    return ramp


def _chosen(ramp: Ramp, params: Params, flat: Flat | None) -> Params:
    limits = CHOICES.get(str(ramp.meta.get("EXP_TYPE")))
    if not params.autoparam or limits is None:
        return params
    response = np.empty((0, 0), np.float32) if flat is None else _response(flat)
    look = flicker_choice.look(ramp.notes["rate"].array, response, _lines(ramp.meta, ramp.data.shape, False))
    background, by_channel = flicker_choice.choose(look, limits)
    return replace(params, background_method=background, fit_by_channel=by_channel, apply_flat_field=flat is not None)


def _response(flat: Flat | None) -> np.ndarray:
    if flat is None:
        raise CannotRun("apply_flat_field is set and there is no flat field; give a reference file of type 'flat'")
    return flicker_background.without_holes(flat.data)


def _rates(ramp: Ramp) -> np.ndarray:
    note = ramp.notes["rates" if "rates" in ramp.notes else "rate"]
    return note.array.reshape(-1, *ramp.data.shape[2:])


def _backdrop(rate: np.ndarray, dark: np.ndarray, response: np.ndarray, n_sigma: float, params: Params) -> np.ndarray:
    rate = rate / response if response.size else rate
    return flicker_background.backdrop(rate, dark, n_sigma, histogram=params.fit_histogram)


def _lines(meta: Meta, shape: tuple[int, ...], by_channel: bool) -> kernel.Lines:
    """Lines run along the fast direction; those of MIRI, whose noise is of another kind, along columns."""
    if meta.get("INSTRUME") == "MIRI":
        return kernel.Lines(rows=False, parts=1)
    rows = abs(int(meta["SLOWAXIS"])) == 2
    whole = meta.get("SUBARRAY") == "FULL" and shape[3 if rows else 2] == DETECTOR
    return kernel.Lines(rows, AMPLIFIERS if by_channel and whole else 1)


def _waves(image: np.ndarray, usable: np.ndarray, meta: Meta, params: Params) -> np.ndarray:
    """Return the noise that waves along the readout make."""
    fast, slow = int(meta["FASTAXIS"]), int(meta["SLOWAXIS"])
    along = -1 if fast < 0 and params.weighting != "official" else 1
    across = -1 if slow < 0 else 1
    noise = np.empty(image.shape, np.float32)
    read, good, result = ((a.T if abs(fast) == 2 else a)[::across, ::along] for a in (image, usable, noise))
    if image.shape == (DETECTOR, DETECTOR):
        result[...] = flicker_fourier.whole_frame(read, good, FITS[params.weighting])
    else:
        cutoff = CUTOFF_ALLSLITS if meta.get("SUBARRAY") == "ALLSLITS" else CUTOFF
        result[...] = flicker_fourier.subarray(read, good, cutoff, FITS[params.weighting])
    return noise
