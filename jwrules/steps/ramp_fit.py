"""Fit the count rate of every pixel, for each integration and for the exposure as a whole.

A ramp is cut into segments at cosmic rays and at groups that are not to be used; all segments of an integration have
one rate. By default (`weighting: unbiased`) the differences of successive groups are weighted with the covariance of
their photon and read noise, for a rate that is itself free of the noise that it weights; then neither a segment's own
noise nor another integration sways the result, and ERR is the scatter of the rate about the truth. Segments that
contradict each other (5 sigma) have no common rate; they are weighted by read noise alone. `weighting: official`
repeats the scheme of the official pipeline: weights of groups after the signal-to-noise ratio of the segment itself,
segments combined by read noise alone, Poisson variance from the median difference of the whole exposure.

`algorithm: LIKELY` looks for jumps on its own, and fits with the same covariance, the zero frame included: whatever
difference, or pair of differences around a group of several frames, lowers χ² beyond its threshold is left out and
flagged JUMP_DET. Four groups are needed; with fewer, segments are fitted. Here too `weighting: official` repeats the
official scheme: a jump or persistence flagged before costs both differences beside it, saturated groups count in the
first guess, the mean of integrations is weighted with their own variances. Not repeated are a search that a
division by zero ends early, and a saturated zero frame as a read of 0 DN.

VAR_RNOISE is the variance that read noise alone would leave, VAR_POISSON what photons and dark current add (with
LIKELY, the shares of both in the variance); ERR² is their sum. Groups that lost charge (CHARGELOSS) are not fitted and
yet count for VAR_RNOISE, so that the cores of stars keep their weight in a mosaic. A pixel without a usable segment is
NaN and DO_NOT_USE, with ERR and variances of 0. A ramp that saturates keeps its rate and says SATURATED, unless it
does so only in a last group that lastframe leaves out.

`save_opt` keeps slope, variances, intercept and weight of each segment, the height of each jump, and the pedestal
(`_fitopt`), or χ² of the likelihood (`_likely_chisq`). With `weighting: official` SIGSLOPE, SIGYINT and PEDESTAL have
the units of the official product (electron per group, electron, and a rate not multiplied by the time of a group);
else they are in DN/s and DN. Source: JWST documentation, CALWEBB_DETECTOR1, slope fitting; Brandt 2024, PASP 136,
045004 and 045005; Fixsen et al. 2000, PASP 112, 1350.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import ramp_fit as kernel
from jwrules.kernels import segment_table, tridiagonal
from jwrules.kernels import slope_by_likelihood as likelihood
from jwrules.products import slopes as products
from jwrules.products.flags import DQ
from jwrules.products.kinds import ChiSquare, FitOpt, Gain, Meta, Ramp, Readnoise, Slopes
from jwrules.steps.declare import Part, par, step
from jwrules.steps.parts.unknown import unknown

log = logging.getLogger("jwrules")

BITS = kernel.Bits(
    unusable=int(DQ.DO_NOT_USE),
    saturated=int(DQ.SATURATED),
    jump=int(DQ.JUMP_DET),
    harmless=int(DQ.PERSISTENCE),
    chargeloss=int(DQ.CHARGELOSS),
)
SHOWN = DQ.SATURATED | DQ.JUMP_DET | DQ.PERSISTENCE
"""Flags of a group that its integration and the exposure show too."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which groups are fitted, and how they are weighted."""

    algorithm: str = par(
        "OLS_C",
        "fit segments between jumps found before, or find the jumps too, by likelihood (LIKELY or likelihood)",
        choices=("OLS_C", "LIKELY", "likelihood"),
    )
    weighting: str = par(
        "unbiased",
        "weights from the covariance of the noise, or as in the official pipeline",
        choices=("unbiased", "official"),
    )
    save_opt: bool = par(False, "keep the segments and jumps too (_fitopt), or χ² of the likelihood (_likely_chisq)")
    opt_name: str = par("", "file name of what save_opt keeps, without suffix; that of the exposure if empty")
    suppress_one_group: bool = par(True, "give no rate to ramps with one good group only")
    firstgroup: int | None = par(None, "first group to be fitted, counted from 0", ge=0)
    lastgroup: int | None = par(None, "last group to be fitted, counted from 0", ge=0)


def _measure(ramp: Ramp, params: Params) -> Ramp:
    """Note how much room the whole exposure needs for segments and jumps: a block is to have no other shape."""
    ramps = kernel.Ramps(ramp.data, ramp.groupdq, _no_zeroframe())
    return ramp.noting("room", segment_table.room_needed(ramps, BITS, *_fitted_groups(ramp, params)), ">")


_MEASURE = Part(_measure, awaited=True, changes="nothing", when=lambda params: params.save_opt)


@step(status="S_RAMP", along="ramps", spares_saturated=True, before=[_MEASURE])
def ramp_fit(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Slopes:
    """Return rates, errors and variances in DN/s and (DN/s)², per exposure and per integration."""
    if Path(params.opt_name).name != params.opt_name:
        raise CannotRun(f"opt_name={params.opt_name} is a path; give a name alone, the folder is that of the products")
    _leave_out(ramp, params)
    pixeldq = ramp.pixeldq | unknown(gain, readnoise)
    detector = _detector(ramp, pixeldq, gain, readnoise)
    fit = _fit_by_likelihood if _by_likelihood(ramp, params) else _fit_segments
    values = fit(ramp, params, detector)
    seen = np.bitwise_or.reduce(ramp.groupdq[:, : _last(ramp)], axis=1) & np.uint8(SHOWN)
    slopes = products.of(ramp, _with_factor(ramp.meta, gain), pixeldq, seen, values[:4])
    return replace(slopes, **_on_request(ramp, params, detector, values)) if params.save_opt else slopes


def _by_likelihood(ramp: Ramp, params: Params) -> bool:
    groups = ramp.data.shape[1]
    if params.algorithm == "OLS_C" or groups >= likelihood.LEAST_GROUPS:
        return params.algorithm != "OLS_C"
    log.info("ramp_fit: %d groups are too few for the likelihood; segments are fitted instead", groups)
    return False


def _fit_segments(ramp: Ramp, params: Params, detector: kernel.Detector) -> np.ndarray:
    ramps = kernel.Ramps(ramp.data, ramp.groupdq, _zeroframe(ramp))
    spans = _spans(ramp, *_fitted_groups(ramp, params))
    return kernel.fit(ramps, detector, _timing(ramp.meta), BITS, _method(ramp, params), spans)


def _spans(ramp: Ramp, first: int, last: int) -> np.ndarray:
    """Return the first group of each integration that is not left out for all pixels, and the one after the last."""
    nints, ngroups = ramp.data.shape[:2]
    used = np.ones((nints, ngroups), bool) if ramp.left_out is None else ~ramp.left_out
    used[:, :first], used[:, last + 1 :] = False, False
    starts, lengths = np.argmax(used, axis=1), used.sum(axis=1)
    stops = ngroups - np.argmax(used[:, ::-1], axis=1)
    together = stops - starts == lengths
    return np.stack([np.where(together, starts, 0), np.where(together, stops, 0)], axis=1)


def _method(ramp: Ramp, params: Params) -> kernel.Method:
    return kernel.Method(params.weighting == "official", params.suppress_one_group and ramp.data.shape[1] > 1)


def _fit_by_likelihood(ramp: Ramp, params: Params, detector: kernel.Detector) -> np.ndarray:
    timing = _timing(ramp.meta)
    with_first = ramp.zeroframe is not None and timing.frames > 1
    reads = tridiagonal.regular(ramp.data.shape[1], timing.group, timing.frame, timing.frames, first_apart=with_first)
    ramps = kernel.Ramps(ramp.data, ramp.groupdq, _zeroframe(ramp))
    way = likelihood.Way(params.weighting == "official", timing.frames if with_first else 0)
    return likelihood.fit(ramps, detector, reads, BITS, way)


def _on_request(ramp: Ramp, params: Params, detector: kernel.Detector, values: np.ndarray) -> dict[str, Any]:
    """Return what save_opt adds to the products."""
    meta = ramp.meta.updated(FILENAME=params.opt_name)
    if len(values) > 4:
        return {"chisq": ChiSquare(meta=meta, data=values[4, -1], provenance=ramp.provenance)}
    timing = _timing(ramp.meta)
    frames = (timing.frames + 1) / 2 + int(ramp.meta.get("DRPFRMS1", 0))
    reset = frames / (timing.frames + timing.gap) if params.weighting == "official" else frames * timing.frame
    ramps = kernel.Ramps(ramp.data, ramp.groupdq, _zeroframe(ramp))
    rates, room = values[0, :-1], ramp.notes["room"].array
    table = segment_table.tabulate(ramps, detector, timing, BITS, _method(ramp, params), rates, reset, room)
    return {"fitopt": FitOpt(meta=meta, provenance=ramp.provenance, **table._asdict())}


def _with_factor(meta: Meta, gain: Gain) -> Meta:
    factor = gain.meta.get("GAINFACT")
    return meta if factor is None else meta.updated(GAINFACT=(factor, "Gain scale factor"))


def _fitted_groups(ramp: Ramp, params: Params) -> tuple[int, int]:
    """Return the first and the last group to be fitted."""
    last = ramp.data.shape[1] - 1
    firstgroup = 0 if params.firstgroup is None else params.firstgroup
    lastgroup = last if params.lastgroup is None else min(params.lastgroup, last)
    if firstgroup >= lastgroup and (firstgroup, last) != (0, 0):  # a ramp of one group has but that one
        raise CannotRun(f"firstgroup={firstgroup} and lastgroup={lastgroup} leave less than two of {last + 1} groups")
    return firstgroup, lastgroup


def _leave_out(ramp: Ramp, params: Params) -> None:
    """Flag the groups before firstgroup and after lastgroup."""
    first, last = _fitted_groups(ramp, params)
    ramp.groupdq[:, :first] |= np.uint8(DQ.DO_NOT_USE)
    ramp.groupdq[:, last + 1 :] |= np.uint8(DQ.DO_NOT_USE)


def _last(ramp: Ramp) -> int | None:
    """Return where the groups end whose flags are shown: before a last one that is left out as a whole."""
    return -1 if ramp.left_out is not None and ramp.left_out[:, -1].all() else None


def _zeroframe(ramp: Ramp) -> np.ndarray:
    return _no_zeroframe() if ramp.zeroframe is None else ramp.zeroframe


def _no_zeroframe() -> np.ndarray:
    return np.empty((0, 0, 0), np.float32)


def _detector(ramp: Ramp, pixeldq: np.ndarray, gain: Gain, readnoise: Readnoise) -> kernel.Detector:
    skip = (pixeldq & np.uint32(DQ.DO_NOT_USE | DQ.SATURATED)) != 0
    dark = np.zeros_like(gain.data) if ramp.average_dark is None else ramp.average_dark
    return kernel.Detector(gain.data, readnoise.data, dark, skip)


def _timing(meta: Meta) -> kernel.Timing:
    return kernel.Timing(
        float(meta["TGROUP"]), float(meta["TFRAME"]), int(meta.get("NFRAMES", 1)), int(meta.get("GROUPGAP", 0))
    )
