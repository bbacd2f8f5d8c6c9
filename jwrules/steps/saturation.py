"""Flag the groups that are saturated, or at the floor of the converter.

A group is saturated from the first one on that reaches the threshold of its pixel, and so are its
neighbours, to which charge spills. Where frames are averaged into groups, the group before the first
saturated one is not used if some of its frames may have been saturated already. Groups at or below 0 DN are
not used. Pixels without a threshold are never flagged and carry NO_SAT_CHECK. In IRS2 readout (NIRSpec) only light
is looked at, and of averaged frames only the second group: one that something bright struck is saturated. Source: JWST
documentation, CALWEBB_DETECTOR1, saturation check.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jwrules.kernels import saturation as kernel
from jwrules.kernels import saturation_irs2
from jwrules.kernels.irs2_layout import Layout
from jwrules.products.flags import DQ
from jwrules.products.interleaved import blocks_of, layout_of, on_light
from jwrules.products.kinds import Meta, Ramp, Saturation, Superbias
from jwrules.steps.declare import Part, par, step

log = logging.getLogger("jwrules")

BEYOND_CONVERTER = 65536.0
"""A threshold that a 16-bit converter never reaches, DN."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """How far saturation spreads."""

    n_pix_grow_sat: int = par(1, "layers of neighbours of a saturated pixel that are flagged too", unit="pixel", ge=0)
    use_readpatt: bool = par(True, "look for groups of which only the last frames are saturated")


def _rows(params: Params) -> int:
    """Return how many rows away a pixel decides on another: what it saturates may be the cause of a partial one."""
    return 2 * params.n_pix_grow_sat


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
)
def saturation(ramp: Ramp, params: Params, *, saturation: Saturation, superbias: Superbias | None = None) -> Ramp:
    """Return the ramp with SATURATED, AD_FLOOR and DO_NOT_USE in groupdq and NO_SAT_CHECK in pixeldq.

    `superbias` serves to judge the second group of frame-averaged data; without it the bias is taken as 0.
    """
    if layout := layout_of(ramp.meta, ramp.pixeldq.shape):
        return _among_reference_pixels(ramp, params, layout, saturation, superbias)
    threshold, unchecked = _threshold(saturation)
    ramp.pixeldq[...] |= saturation.dq | np.where(unchecked, np.uint32(DQ.NO_SAT_CHECK), np.uint32(0))
    frames = int(ramp.meta.get("NFRAMES", 1)) if params.use_readpatt else 0
    bias = 0.0 if superbias is None else superbias.data
    for data, groupdq in zip(ramp.data, ramp.groupdq, strict=True):
        _flag_integration(data, groupdq, threshold, unchecked, bias, frames, params.n_pix_grow_sat)
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
    frames = int(ramp.meta.get("NFRAMES", 1)) if params.use_readpatt else 0
    bits = saturation_irs2.Bits(int(DQ.SATURATED), int(DQ.AD_FLOOR | DQ.DO_NOT_USE))
    for data, groupdq in zip(ramp.data, ramp.groupdq, strict=True):
        saturation_irs2.flag(data, groupdq, layout.light, threshold, bias, frames, params.n_pix_grow_sat, bits)
    return ramp


def _threshold(reference: Saturation) -> tuple[np.ndarray, np.ndarray]:
    unchecked = np.isnan(reference.data) | ((reference.dq & np.uint32(DQ.NO_SAT_CHECK)) != 0)
    return np.where(unchecked, np.float32(BEYOND_CONVERTER), reference.data), unchecked


def _flag_integration(
    data: np.ndarray,
    groupdq: np.ndarray,
    threshold: np.ndarray,
    unchecked: np.ndarray,
    bias: np.ndarray | float,
    frames: int,
    pixels: int,
) -> None:
    first = kernel.grow(kernel.first_saturated(data, threshold), pixels)
    kernel.flag(data, first, groupdq, int(DQ.SATURATED), int(DQ.AD_FLOOR | DQ.DO_NOT_USE))
    if frames > 1:
        dilution = _dilution(frames, len(data))
        limit = np.where(unchecked, np.float32(np.inf), threshold)
        suspect = kernel.partly_saturated(data, groupdq, int(DQ.DO_NOT_USE), first, limit, dilution)
        kernel.flag_before(first, suspect, groupdq, int(DQ.DO_NOT_USE), pixels)
    if frames > 1 and len(data) > 2:
        struck = kernel.leapt_in_second_group(data, first, threshold, bias, frames)
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
