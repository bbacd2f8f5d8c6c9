"""Fit the count rate of every pixel, for each integration and for the exposure as a whole.

A ramp is cut into segments at cosmic rays and at groups that are not to be used; all segments of an integration have
one rate. By default (`weighting: unbiased`) the differences of successive groups are weighted with the covariance of
their photon and read noise, for a rate that is itself free of the noise that it weights; then neither a segment's own
noise nor another integration sways the result, and ERR is the scatter of the rate about the truth. `weighting:
official` repeats the scheme of the official pipeline: weights of groups after the signal-to-noise ratio of the
segment itself, segments combined by read noise alone, Poisson variance from the median difference of the whole
exposure.

VAR_RNOISE is the variance that read noise alone would leave, VAR_POISSON what photons and dark current add;
ERR² is their sum. Where charge_migration left groups out, VAR_RNOISE alone is what it were with them: later stages
weight by it, and are not to favour the dithers in which less of a star fell on one pixel (so does the official
pipeline). A pixel without a usable segment is NaN and DO_NOT_USE, with ERR and variances of 0. A ramp that saturates
keeps its rate and says SATURATED, unless it does so only in a last group that lastframe leaves out. Source: JWST
documentation, CALWEBB_DETECTOR1, slope fitting; Brandt 2024, PASP 136, 045004; Fixsen et al. 2000, PASP 112, 1350.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import ramp_fit as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Gain, Meta, Ramp, Rate, RateInts, Readnoise, Slopes
from jwrules.steps.declare import par, step

BITS = kernel.Bits(
    unusable=int(DQ.DO_NOT_USE), saturated=int(DQ.SATURATED), jump=int(DQ.JUMP_DET), harmless=int(DQ.PERSISTENCE)
)
SHOWN = DQ.SATURATED | DQ.JUMP_DET | DQ.PERSISTENCE
"""Flags of a group that its integration and the exposure show too."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which groups are fitted, and how they are weighted."""

    weighting: str = par(
        "unbiased",
        "weights from the covariance of the noise, or as in the official pipeline from signal to noise",
        choices=("unbiased", "official"),
    )
    suppress_one_group: bool = par(True, "give no rate to ramps with one good group only")
    firstgroup: int | None = par(None, "first group to be fitted, counted from 0", ge=0)
    lastgroup: int | None = par(None, "last group to be fitted, counted from 0", ge=0)


@step(status="S_RAMP", along="ramps")
def ramp_fit(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Slopes:
    """Return rates, errors and variances in DN/s and (DN/s)², per exposure and per integration."""
    _leave_out(ramp, params)
    no_gain = ~(gain.data > 0)
    pixeldq = ramp.pixeldq | np.where(no_gain, np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE), np.uint32(0))
    ramps = kernel.Ramps(ramp.data, ramp.groupdq, _zeroframe(ramp))
    detector = _detector(ramp, pixeldq, gain, readnoise)
    method = kernel.Method(params.weighting == "official", params.suppress_one_group and ramp.data.shape[1] > 1)
    values = kernel.fit(ramps, detector, _timing(ramp.meta), BITS, method)
    _forget_loss(values, ramps, detector, _timing(ramp.meta), method)
    seen = np.bitwise_or.reduce(ramp.groupdq[:, : _last(ramp)], axis=1) & np.uint8(SHOWN)
    return _slopes(ramp, pixeldq, seen, values, gain)


def _forget_loss(
    values: np.ndarray,
    ramps: kernel.Ramps,
    detector: kernel.Detector,
    timing: kernel.Timing,
    method: kernel.Method,
) -> None:
    """Give pixels with groups that lost charge the read variance that they had if those groups counted."""
    lost = (np.bitwise_or.reduce(ramps.flags, axis=(0, 1)) & np.uint8(DQ.CHARGELOSS)) != 0
    if not lost.any():
        return
    flags = ramps.flags[..., np.newaxis, lost]
    flags[(flags & np.uint8(DQ.CHARGELOSS)) != 0] &= np.uint8(~(DQ.CHARGELOSS | DQ.DO_NOT_USE) & 0xFF)
    zeroframe = ramps.zeroframe[..., np.newaxis, lost] if ramps.zeroframe.size else ramps.zeroframe
    one_row = kernel.Detector(*(array[np.newaxis, lost] for array in detector))
    again = kernel.fit(kernel.Ramps(ramps.data[..., np.newaxis, lost], flags, zeroframe), one_row, timing, BITS, method)
    values[3][:, lost] = np.where(values[1][:, lost] > 0, again[3, :, 0], 0.0)


def _leave_out(ramp: Ramp, params: Params) -> None:
    """Flag the groups before firstgroup and after lastgroup."""
    last = ramp.data.shape[1] - 1
    firstgroup = 0 if params.firstgroup is None else params.firstgroup
    lastgroup = last if params.lastgroup is None else min(params.lastgroup, last)
    if firstgroup >= lastgroup > 0:
        raise CannotRun(f"firstgroup={firstgroup} and lastgroup={lastgroup} leave less than two of {last + 1} groups")
    ramp.groupdq[:, :firstgroup] |= np.uint8(DQ.DO_NOT_USE)
    ramp.groupdq[:, lastgroup + 1 :] |= np.uint8(DQ.DO_NOT_USE)


def _last(ramp: Ramp) -> int | None:
    """Return where the groups end whose flags are shown: before a last one that is left out as a whole."""
    return -1 if ramp.left_out is not None and ramp.left_out[:, -1].all() else None


def _zeroframe(ramp: Ramp) -> np.ndarray:
    return np.empty((0, 0, 0), np.float32) if ramp.zeroframe is None else ramp.zeroframe


def _detector(ramp: Ramp, pixeldq: np.ndarray, gain: Gain, readnoise: Readnoise) -> kernel.Detector:
    skip = (pixeldq & np.uint32(DQ.DO_NOT_USE | DQ.SATURATED)) != 0
    dark = np.zeros_like(gain.data) if ramp.average_dark is None else ramp.average_dark
    return kernel.Detector(gain.data, readnoise.data, dark, skip)


def _timing(meta: Meta) -> kernel.Timing:
    return kernel.Timing(
        float(meta["TGROUP"]), float(meta["TFRAME"]), int(meta.get("NFRAMES", 1)), int(meta.get("GROUPGAP", 0))
    )


def _slopes(ramp: Ramp, pixeldq: np.ndarray, seen: np.ndarray, values: np.ndarray, gain: Gain) -> Slopes:
    factor = gain.meta.get("GAINFACT")
    meta = ramp.meta if factor is None else ramp.meta.updated(GAINFACT=(factor, "Gain scale factor"))
    without = np.where(np.isnan(values[0]), np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    dq = pixeldq | without
    dq[:-1] |= seen
    dq[-1] |= np.bitwise_or.reduce(seen, axis=0)
    rate = Rate(
        meta=_as(meta, "ImageModel"),
        data=values[0, -1],
        err=values[1, -1],
        dq=dq[-1],
        var_poisson=values[2, -1],
        var_rnoise=values[3, -1],
        provenance=ramp.provenance,
    )
    rateints = RateInts(
        meta=_as(meta, "CubeModel"),
        tables={name: table for name, table in ramp.tables.items() if name == "INT_TIMES"},
        data=values[0, :-1],
        err=values[1, :-1],
        dq=dq[:-1],
        var_poisson=values[2, :-1],
        var_rnoise=values[3, :-1],
        provenance=ramp.provenance,
    )
    return Slopes(rate=rate, rateints=rateints)


def _as(meta: Meta, model: str) -> Meta:
    return meta.updated(DATAMODL=(model, "Type of data model")).updated_sci(
        BUNIT=("DN/s", "physical units of the array values")
    )
