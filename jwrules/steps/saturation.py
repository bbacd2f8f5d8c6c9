"""Flag the groups that are saturated, or at the floor of the converter.

A group is saturated from the first one on that reaches the threshold of its pixel, and so are its neighbours, to which
charge spills. Groups at or below 0 DN are not used. Pixels without a threshold are never flagged and carry
NO_SAT_CHECK. Nothing spills from one superstripe into another. In IRS2 readout (NIRSpec) only light is looked at.

Where frames are averaged into groups, a mean below the threshold may be that of a group whose last frames are
saturated. Such a group is not used, nor is it in the neighbours. It is the one before the first saturated one of the
pixel itself, or the last one of a ramp, if light that goes on as it rose reaches the threshold within it, or if
something struck within it, of which the next group shows that it saturates. In the first group only the first frame
(ZEROFRAME) tells this from light. `partial_search: official` looks at the group before the pixel or a neighbour
saturates, takes a steady light from 0 DN on for granted, and what strikes for seen in the second group alone; in
IRS2 readout the second group is all that it looks at.

Source: JWST documentation, CALWEBB_DETECTOR1, saturation check.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jwrules.kernels import partial_saturation, saturation_irs2
from jwrules.kernels import saturation as kernel
from jwrules.kernels.irs2_layout import Layout
from jwrules.kernels.partial_saturation import Limits
from jwrules.products.flags import DQ
from jwrules.products.interleaved import blocks_of, layout_of, on_light
from jwrules.products.kinds import Meta, Ramp, Saturation, Superbias
from jwrules.products.stripes import is_superstriped, stripes_of
from jwrules.products.superstripes import cut
from jwrules.steps.declare import Part, par, step

log = logging.getLogger("jwrules")

BEYOND_CONVERTER = 65536.0
"""A threshold that a 16-bit converter never reaches, DN."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """How far saturation spreads."""

    n_pix_grow_sat: int = par(1, "layers of neighbours of a saturated pixel that are flagged too", unit="pixel", ge=0)
    use_readpatt: bool = par(True, "look for groups of which only the last frames are saturated")
    partial_search: str = par("ramp", "how such groups are told from others", choices=("ramp", "official"))


def _rows(params: Params) -> int:
    """Return how many rows away a pixel decides on another: officially what it flags may flag a partial one."""
    return (2 if params.partial_search == "official" else 1) * params.n_pix_grow_sat


def _count(ramp: Ramp, params: Params) -> Ramp:
    """Count ramps, pixel by pixel and integration by integration, that are saturated or at the floor somewhere."""
    for groupdq in ramp.groupdq:
        found = np.bitwise_or.reduce(groupdq, axis=0)
        bits = {"saturated": DQ.SATURATED, "floor": DQ.AD_FLOOR}
        ramp = ramp.counting(
            **{name: int(np.count_nonzero(found[ramp.own] & np.uint8(bit))) for name, bit in bits.items()}
        )
    return ramp


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    log.info("saturation: %d ramps saturate, %d touch the floor", counts["saturated"], counts["floor"])
    return meta


@step(
    status="S_SATURA",
    along=blocks_of,
    margin=_rows,
    changes="flags and first frames",
    after=(Part(_count, changes="nothing"),),
    finish=_finish,
    wants={"superbias": {"use_readpatt": True, "NFRAMES": ">1"}},
)
def saturation(ramp: Ramp, params: Params, *, saturation: Saturation, superbias: Superbias | None = None) -> Ramp:
    """Return the ramp with SATURATED, AD_FLOOR and DO_NOT_USE in groupdq and NO_SAT_CHECK in pixeldq.

    `superbias` serves to judge the first two groups of frame-averaged data; without it the bias is taken as 0.
    """
    if layout := layout_of(ramp.meta, ramp.pixeldq.shape):
        return _among_reference_pixels(ramp, params, layout, saturation, superbias)
    if is_superstriped(ramp.meta):
        return _frame_by_frame(ramp, params, saturation, superbias)
    return _in_frames(ramp, params, saturation, superbias)


def _frame_by_frame(ramp: Ramp, params: Params, saturation: Saturation, superbias: Superbias | None) -> Ramp:
    """Return the ramp with the frame of each superstripe flagged: charge does not spill from one into another."""
    stripes = stripes_of(ramp.meta, ramp.pixeldq.shape)
    assert stripes is not None
    for frame in stripes.frames():
        bias = None if superbias is None else cut(superbias, frame)
        one = _in_frames(cut(ramp, frame), params, cut(saturation, frame), bias)
        ramp.pixeldq[frame], ramp.groupdq[frame] = one.pixeldq, one.groupdq
        if ramp.zeroframe is not None:
            ramp.zeroframe[frame] = one.zeroframe
    return ramp


def _in_frames(ramp: Ramp, params: Params, saturation: Saturation, superbias: Superbias | None) -> Ramp:
    threshold, unchecked = _threshold(saturation)
    ramp.pixeldq[...] |= saturation.dq | np.where(unchecked, np.uint32(DQ.NO_SAT_CHECK), np.uint32(0))
    frames, bias = _frames(ramp, params), 0.0 if superbias is None else superbias.data
    limits = _limits(threshold, unchecked, bias, np.arange(len(threshold))) if frames > 1 else None
    for i, (data, groupdq) in enumerate(zip(ramp.data, ramp.groupdq, strict=True)):
        reached = kernel.first_saturated(data, threshold)
        first = kernel.grow(reached, params.n_pix_grow_sat)
        kernel.flag(data, first, groupdq, int(DQ.SATURATED), int(DQ.AD_FLOOR | DQ.DO_NOT_USE))
        if limits is not None and params.partial_search == "official":
            _flag_partly_as_official(data, groupdq, first, limits, frames, params.n_pix_grow_sat)
        elif limits is not None:
            _flag_partly(ramp, i, reached, limits, params)
    if ramp.zeroframe is not None:
        _blank_zeroframe(ramp.zeroframe, threshold, params.n_pix_grow_sat)
    return ramp


def _among_reference_pixels(
    ramp: Ramp, params: Params, layout: Layout, saturation: Saturation, superbias: Superbias | None
) -> Ramp:
    """Return the ramp of IRS2 readout with its light flagged; what interleaves with it is left alone."""
    reference = replace(saturation, data=on_light(saturation.data, layout), dq=on_light(saturation.dq, layout))
    threshold, unchecked = _threshold(reference)
    ramp.pixeldq[layout.light] |= reference.dq | np.where(unchecked, np.uint32(DQ.NO_SAT_CHECK), np.uint32(0))
    bias = 0.0 if superbias is None else on_light(superbias.data, layout)
    frames, official = _frames(ramp, params), params.partial_search == "official"
    limits = _limits(threshold, unchecked, bias, layout.light) if frames > 1 and not official else None
    bits = saturation_irs2.Bits(int(DQ.SATURATED), int(DQ.AD_FLOOR | DQ.DO_NOT_USE))
    options = threshold, bias, frames if official else 0, params.n_pix_grow_sat, bits
    for i, (data, groupdq) in enumerate(zip(ramp.data, ramp.groupdq, strict=True)):
        reached = saturation_irs2.flag(data, groupdq, layout.light, *options)
        if limits is not None:
            _flag_partly(ramp, i, reached, limits, params)
    return ramp


def _threshold(reference: Saturation) -> tuple[np.ndarray, np.ndarray]:
    unchecked = np.isnan(reference.data) | ((reference.dq & np.uint32(DQ.NO_SAT_CHECK)) != 0)
    return np.where(unchecked, np.float32(BEYOND_CONVERTER), reference.data), unchecked


def _frames(ramp: Ramp, params: Params) -> int:
    return int(ramp.meta.get("NFRAMES", 1)) if params.use_readpatt else 0


def _limits(threshold: np.ndarray, unchecked: np.ndarray, bias: np.ndarray | float, rows: np.ndarray) -> Limits:
    """Return what a pixel is judged by, without a first frame."""
    none = np.zeros(threshold.shape, np.float32)
    return Limits(np.where(unchecked, np.float32(np.inf), threshold), none + np.float32(bias), none, rows)


def _flag_partly(ramp: Ramp, integration: int, reached: np.ndarray, limits: Limits, params: Params) -> None:
    if ramp.zeroframe is not None:
        limits = limits._replace(zeroframe=ramp.zeroframe[integration][limits.rows])
    pattern = partial_saturation.Pattern(_frames(ramp, params), int(ramp.meta.get("GROUPGAP", 0)))
    partial = partial_saturation.find(ramp.data[integration], reached, limits, pattern)
    bits = int(DQ.DO_NOT_USE), int(DQ.SATURATED)
    partial_saturation.flag(partial, limits.rows, ramp.groupdq[integration], *bits, params.n_pix_grow_sat)


def _flag_partly_as_official(
    data: np.ndarray, groupdq: np.ndarray, first: np.ndarray, limits: Limits, frames: int, pixels: int
) -> None:
    suspect = kernel.partly_saturated(
        data, groupdq, int(DQ.DO_NOT_USE), first, limits.threshold, _dilution(frames, len(data))
    )
    kernel.flag_before(first, suspect, groupdq, int(DQ.DO_NOT_USE), pixels)
    if len(data) > 2:
        threshold = np.where(np.isinf(limits.threshold), np.float32(BEYOND_CONVERTER), limits.threshold)
        struck = kernel.leapt_in_second_group(data, first, threshold, limits.bias, frames)
        groupdq[1][struck] |= np.uint8(DQ.DO_NOT_USE)


def _dilution(frames: int, groups: int) -> np.ndarray:
    """Return, for each group, the mean frame number over the last one: what a steady signal has of its last frame."""
    last = frames * np.arange(1, groups + 1)
    return (last - (frames - 1) / 2) / last


def _blank_zeroframe(zeroframe: np.ndarray, threshold: np.ndarray, pixels: int) -> None:
    """Set to 0, which means no value, what is saturated or at the floor in the first frame."""
    for frame in zeroframe:
        first = kernel.grow(kernel.first_saturated(frame[np.newaxis], threshold), pixels)
        frame[(first == 0) | (frame <= 0)] = 0.0
