"""Large events among jumps, for the step `jump`: snowballs, and the showers of the MIRI detectors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from jwrules.kernels import showers, snowballs
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp

if TYPE_CHECKING:
    from jwrules.steps.jump import Params

log = logging.getLogger("jwrules")

SNOWBALL_BITS = snowballs.Bits(saturated=int(DQ.SATURATED), jump=int(DQ.JUMP_DET))
SHOWER_BITS = showers.Bits(unusable=int(DQ.DO_NOT_USE), saturated=int(DQ.SATURATED), jump=int(DQ.JUMP_DET))
DIFFERENCES_FOR_SHOWERS = 10


def flag(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with the surroundings of snowballs and showers flagged, and the count of these."""
    events = 0
    if params.expand_large_events:
        former = ramp.notes["core"].array if "core" in ramp.notes else np.zeros(ramp.pixeldq.shape, bool)
        events, core = snowballs.flag(ramp.groupdq, former, _snowball_rules(ramp, params), SNOWBALL_BITS)
        ramp = ramp.noting("core", core, "yx")
    if params.find_showers:
        events += _flag_showers(ramp, params)
    return ramp.counting(events=events)


def _snowball_rules(ramp: Ramp, params: Params) -> snowballs.Rules:
    seconds = params.snowball_time_masked_next_int if params.mask_snowball_core_next_int else 0
    return snowballs.Rules(
        params.min_jump_area, params.min_sat_area, params.expand_factor, params.sat_required_snowball,
        params.min_sat_radius_extend, 2 * params.sat_expand, params.edge_size, 2 * params.max_extended_radius,
        groups_next_integration=int(seconds // ramp.meta["TGROUP"]),
        averaged=int(ramp.meta.get("NFRAMES", 1)) > 1, official=params.snowball_search == "official",
    )  # fmt: skip


def expect(ramp: Ramp, params: Params, lost: np.ndarray, gain: np.ndarray, readnoise: np.ndarray) -> Ramp:
    """Return the ramp with a note of what the differences of its groups are without showers."""
    nints, ngroups = lost.shape
    if nints * (ngroups - 1) - int(lost.sum()) < DIFFERENCES_FOR_SHOWERS:
        log.warning("jump: fewer than %d differences of groups: no showers are sought", DIFFERENCES_FOR_SHOWERS)
        return ramp
    if nints >= params.minimum_sigclip_groups:
        expected = showers.by_group(ramp.data, ramp.groupdq, SHOWER_BITS)
    else:
        variance = readnoise**2 / int(ramp.meta.get("NFRAMES", 1))
        expected = showers.by_pixel(ramp.data, ramp.groupdq, variance, gain, SHOWER_BITS)
    return ramp.noting("median", expected.median, "-yx").noting("noise", expected.noise, "-yx")


def _flag_showers(ramp: Ramp, params: Params) -> int:
    if "median" not in ramp.notes:
        return 0
    expected = showers.Expected(ramp.notes["median"].array, ramp.notes["noise"].array)
    usable = (ramp.pixeldq & np.uint32(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL)) == 0
    rules = showers.Rules(
        params.extend_snr_threshold, params.extend_min_area, params.extend_inner_radius, params.extend_outer_radius,
        params.extend_ellipse_expand_ratio, 2 * params.max_extended_radius,
        groups_after=int(params.time_masked_after_shower // ramp.meta["TGROUP"]),
        amplitude=params.max_shower_amplitude * ramp.meta["TGROUP"],
    )  # fmt: skip
    return showers.flag(ramp.data, ramp.groupdq, usable, expected, rules, SHOWER_BITS)
