"""Single jumps among the differences of ramps, for the step `jump`: how they are sought, and what is flagged beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jwrules.kernels import jump as kernel
from jwrules.kernels import jump_rests
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp
from jwrules.steps.declare import Skip

if TYPE_CHECKING:
    from jwrules.steps.jump import Params

BITS = kernel.Bits(
    unusable=int(DQ.DO_NOT_USE | DQ.SATURATED),
    jump=int(DQ.JUMP_DET),
    spreads=int(DQ.OUTLIER),  # a flag of images that no group has; it goes before the step ends
)


def lost(ramp: Ramp) -> np.ndarray:
    """Return which groups no pixel has, (nints, ngroups)."""
    return np.zeros(ramp.data.shape[:2], bool) if ramp.left_out is None else ramp.left_out


def mode(lost: np.ndarray, params: Params) -> int:
    """Return how differences are compared, by which groups are lost (nints, ngroups); Skip where too few are left."""
    nints, ngroups = lost.shape
    if ngroups <= 2:
        raise Skip(f"{ngroups} groups: jumps show from three on")
    usable = ngroups - int(lost.sum(axis=1).max())
    if params.only_use_ints and nints >= params.minimum_sigclip_groups:
        return kernel.BY_GROUP
    if not params.only_use_ints and lost.size - int(lost.sum()) >= params.minimum_sigclip_groups:
        return kernel.ALTOGETHER
    if usable < params.minimum_groups:
        raise Skip(f"{usable} usable groups, less than minimum_groups={params.minimum_groups}")
    if params.statistic == "official":
        return kernel.AT_ONCE if usable - 1 >= params.min_diffs_single_pass else kernel.ONE_BY_ONE
    return kernel.BY_COVARIANCE if params.statistic == "calibrated" else kernel.BY_MEAN


def find(ramp: Ramp, params: Params, mode: int, gain: np.ndarray, readnoise: np.ndarray) -> int:
    """Flag jumps; return how many differences are jumps."""
    rules = _expected(ramp), mode, _thresholds(params), BITS
    kernel.find(ramp.data, ramp.groupdq, gain, readnoise, *rules)
    return kernel.count(ramp.groupdq, ramp.own, BITS)


def spread(ramp: Ramp) -> None:
    """Flag the four neighbours of strong jumps."""
    kernel.spread(ramp.groupdq, BITS)


def prolong(ramp: Ramp, params: Params, gain: np.ndarray) -> None:
    """Flag what follows high jumps."""
    times = params.after_jump_flag_time1, params.after_jump_flag_time2
    lengths = (np.array(times) // ramp.meta["TGROUP"]).astype(int)
    if lengths.any():
        heights = np.array([params.after_jump_flag_dn1, params.after_jump_flag_dn2])
        kernel.prolong(ramp.data, ramp.groupdq, gain, BITS, heights, lengths)


def flag_rests(ramp: Ramp, params: Params, gain: np.ndarray, readnoise: np.ndarray) -> None:
    """Flag both sides of jumps that are too weak to have shown both parts, where groups average frames."""
    if int(ramp.meta.get("NFRAMES", 1)) > 1 and mode(lost(ramp), params) in (kernel.BY_COVARIANCE, kernel.BY_MEAN):
        jump_rests.flag(ramp.data, ramp.groupdq, gain, readnoise, _expected(ramp), _thresholds(params), BITS)


def _thresholds(params: Params) -> kernel.Thresholds:
    return kernel.Thresholds(
        params.rejection_threshold, params.four_group_rejection_threshold, params.three_group_rejection_threshold,
        params.min_jump_to_flag_neighbors if params.flag_4_neighbors else np.inf, params.max_jump_to_flag_neighbors,
    )  # fmt: skip


def _expected(ramp: Ramp) -> kernel.Noise:
    return kernel.noise(int(ramp.meta.get("NFRAMES", 1)), int(ramp.meta.get("GROUPGAP", 0)))
