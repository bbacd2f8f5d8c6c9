"""Take off the flicker (1/f) noise that pixels read one after the other have in common.

Light is told from background in draft rates of the exposure: pixels above `n_sigma` are left out (`single_mask`: in one
image for all integrations). In every difference of groups the background is subtracted, and the median of what is left
in each line along the fast direction of the readout (`fit_by_channel`: of each of the four amplifiers of a full frame)
is its noise; `fit_method: fft` fits waves to it instead (NIRSpec). The noise of the differences is added up and taken
off the groups. Images of MIRI flicker along columns; its spectra are left alone.

Draft rates are weighted as those of `ramp_fit`; `weighting: official` repeats the official ones, which are slower to
make and as good. A group without usable pixels keeps the correction of the group before it (the official step begins
anew), and a group without value does not spoil those after it. `mask_science_regions` leaves out what is not
illuminated by the sky (MIRI), the spectra of NIRISS SOSS, and for NIRSpec shutters that are stuck open (as the mask
file flags them) and the rows of the fixed slits; slits and slices themselves are known by their light only. Masks of
one's own (`user_mask`) and files of mask, noise and background are not supported. Source: JWST documentation,
CALWEBB_DETECTOR1, clean flicker noise; Rauscher 2024, PASP 136, 015001.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import flicker as kernel
from jwrules.kernels import flicker_background, soss_traces
from jwrules.products.flags import DQ
from jwrules.products.kinds import Flat, Gain, Meta, Pastasoss, Ramp, Readnoise
from jwrules.steps.declare import Part, Skip, par, step
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

UNUSABLE = int(DQ.DO_NOT_USE | DQ.JUMP_DET)
DETECTOR, AMPLIFIERS = 2048, 4
FIXED_SLITS = slice(922, 1116)
"""Rows of a full frame of NIRSpec that the fixed slits illuminate."""
SOSS_HALF_WIDTH, SOSS_CORNER = 16, (1793, 1)
"""Half the width of a spectrum; SUBSTRT2 and SUBSTRT1 of the subarray that traces are measured in."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """How light is told from background, and noise from both."""

    fit_by_channel: bool = par(False, "measure each amplifier of a full frame apart (near infrared)")
    background_method: str | None = par(
        "median", "background: one level, a smooth model, or none", choices=("median", "model")
    )
    background_box_size: tuple[int, int] | None = par(None, "boxes of the smooth model; none: up to 32", unit="pixel")
    mask_science_regions: bool = par(False, "leave out where light is known to fall")
    apply_flat_field: bool = par(False, "divide by the flat while background and noise are measured")
    n_sigma: float = par(2.0, "brightness from which on a pixel is light; 0: none is", unit="sigma", ge=0)
    fit_histogram: bool = par(False, "take sigma from a Gaussian fitted to the histogram of the draft rates")
    single_mask: bool = par(True, "find light in the exposure as a whole, not in each integration")
    weighting: str = par("unbiased", "weights of the draft rates, as in ramp_fit", choices=("unbiased", "official"))


def draft(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Note the rates in which light is looked for."""
    _require(ramp.meta, ramp.data.shape, params)
    slopes = ramp_fit(ramp, RampFit(weighting=params.weighting), gain=gain, readnoise=readnoise)
    if params.single_mask:
        return ramp.noting("rate", slopes.rate.data, "yx")
    return ramp.noting("rate", slopes.rateints.data, "iyx")


@step(status="S_CLNFNS", along="frames", before=[Part(draft, along="ramps", awaited=True)])
def clean_flicker_noise(
    ramp: Ramp,
    params: Params,
    *,
    gain: Gain,
    readnoise: Readnoise,
    flat: Flat | None = None,
    pastasoss: Pastasoss | None = None,
) -> Ramp:
    """Return the ramp without flicker noise."""
    response = _response(ramp, flat) if params.apply_flat_field else np.empty((0, 0), np.float32)
    rates = ramp.notes["rate"].array.reshape(-1, *ramp.data.shape[2:])
    lit = light_falls(ramp, flat, pastasoss) if params.mask_science_regions else np.zeros(rates.shape[1:], bool)
    rates = rates / response if response.size else rates
    background = np.array([backdrop(rate, ~lit, params.n_sigma, histogram=params.fit_histogram) for rate in rates])
    lines = _lines(ramp.meta, ramp.data.shape, params.fit_by_channel)
    method = kernel.Method(str(params.background_method).lower(), params.background_box_size, params.n_sigma)
    excess = kernel.excess(ramp.data, ramp.groupdq, background, response, lines, method, UNUSABLE)
    kernel.subtract(ramp.data, excess, response, lines)
    return ramp


def _require(meta: Meta, shape: tuple[int, ...], params: Params) -> None:
    exposure = str(meta.get("EXP_TYPE", ""))
    if exposure.startswith("MIR") and exposure != "MIR_IMAGE":
        raise Skip(f"{exposure} has no flicker noise that a line has in common")
    if shape[1] < 2:
        raise Skip("there is one group: the noise shows in differences")


def _response(ramp: Ramp, flat: Flat | None) -> np.ndarray:
    if flat is None:
        raise CannotRun("apply_flat_field is set and there is no flat field; give a reference file of type 'flat'")
    return flicker_background.without_holes(flat.data)


def backdrop(rate: np.ndarray, dark: np.ndarray, n_sigma: float, *, histogram: bool = False) -> np.ndarray:
    """Return where draft rates (ny, nx) show background: where it is `dark`, without what stands out."""
    dark = dark & np.isfinite(rate) & (rate != 0)
    if n_sigma > 0:
        flicker_background.clip(rate, dark, flicker_background.LIMIT, n_sigma, histogram=histogram)
    return dark


def light_falls(ramp: Ramp, flat: Flat | None = None, pastasoss: Pastasoss | None = None) -> np.ndarray:
    """Return where (ny, nx) light is known to fall, or what is seen is not the sky."""
    exposure, dq = str(ramp.meta.get("EXP_TYPE", "")), ramp.pixeldq
    if exposure == "MIR_IMAGE":
        dark = dq if flat is None else dq | flat.dq
        unknown = False if flat is None else ~np.isfinite(flat.data) | (flat.data == 0)
        return unknown | ((dark & np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE | DQ.NO_FLAT_FIELD)) != 0)
    if exposure == "NIS_SOSS":
        return _spectra(ramp, pastasoss)
    lit = np.zeros(dq.shape, bool)
    if exposure.startswith("NRS"):
        lit |= (dq & np.uint32(DQ.MSA_FAILED_OPEN)) != 0
    if exposure in ("NRS_IFU", "NRS_MSASPEC"):
        lit[FIXED_SLITS] = True
    return lit


def _spectra(ramp: Ramp, pastasoss: Pastasoss | None) -> np.ndarray:
    if pastasoss is None:
        raise CannotRun("the spectra cannot be masked without a reference file of type 'pastasoss'")
    meta, angle = pastasoss.tree["meta"], float(ramp.meta["PWCPOS"])
    low, high = meta["pwcpos_bounds"]
    if not low <= angle <= high:
        raise CannotRun(f"PWCPOS={angle} is not from {low} to {high}, for which {pastasoss.meta.source} tells traces")
    waves = np.linspace(meta["wavemap_wlmin"], meta["wavemap_wlmax"], meta["wavemap_nwl"])
    corner = (int(ramp.meta["SUBSTRT2"]) - SOSS_CORNER[0], int(ramp.meta["SUBSTRT1"]) - SOSS_CORNER[1])
    lit = np.zeros(ramp.pixeldq.shape, bool)
    for trace, solution in zip(pastasoss.tree["traces"], pastasoss.tree["wavecal_models"], strict=True):
        track = soss_traces.track(trace, solution, angle - meta["pwcpos_cmd"], waves)
        lit |= soss_traces.beside(track, lit.shape, corner, SOSS_HALF_WIDTH)
    return lit


def _lines(meta: Meta, shape: tuple[int, ...], by_channel: bool) -> kernel.Lines:
    """Lines run along the fast direction; those of MIRI, whose noise is of another kind, along columns."""
    if meta.get("INSTRUME") == "MIRI":
        return kernel.Lines(rows=False, parts=1)
    rows = abs(int(meta["SLOWAXIS"])) == 2
    whole = meta.get("SUBARRAY") == "FULL" and shape[3 if rows else 2] == DETECTOR
    return kernel.Lines(rows, AMPLIFIERS if by_channel and whole else 1)
