"""Find the jumps that cosmic rays leave in ramps, by the difference of successive groups.

A difference of a pixel, in all its integrations, is a jump if it exceeds what the others let expect by more than
`rejection_threshold` σ, the noise of that comparison, with groups that average frames. The worst is taken out, then the
others are judged without it, so that a threshold lets as many false jumps pass as a normal distribution has beyond it,
with three groups as with a hundred. Successive differences share the noise of a read: `statistic: calibrated` weighs
the others with the covariance of all, which finds most among noisy reads; it also sees slow changes, such as what traps
release, which their plain mean (`statistic: mean`) hardly does. Rays only rise: of four differences or fewer one that
rises is taken first. `statistic: official` compares with the median in the noise of a difference alone, and flags up to
70 times what it says; below `min_diffs_single_pass` differences the worst one, in absolute value, is taken out first.
Very long exposures (`minimum_sigclip_groups`) are clipped at the measured scatter (the official step then unflags
groups in which all pixels are outliers: broken readouts, which we leave flagged). Strong jumps are flagged in the four
neighbours too; `after_jump_flag_*` flags what follows one (of a height in DN of the pixel itself; the official step
takes the median gain of the array for all).

A ray that comes while the frames of a group are read is in two differences, and the lower part may stay below the
threshold: `flag_rests` flags both sides of a jump too weak to have shown both, lest ramps read high (by 2 % at a faint
sky of 7 groups); a ramp is always left a difference. The official step does nothing of the kind.

`expand_large_events` finds snowballs: large struck regions around a newly saturated core, of which more is affected
than shows, in both differences if need be; `snowball_search: official` sees each group for itself, takes any five
pixels near an edge for a snowball, and lets the saturated pixels of stars grow. `find_showers` finds the showers of the
MIRI detectors: regions that rise together though no pixel stands out, but for pixels whose rate would change by more
than `max_shower_amplitude`. What is found and missed is measured in docs/accuracy_stage1.md. Source: JWST
documentation, CALWEBB_DETECTOR1, jump detection; Anderson and Gordon 2011, PASP 123, 1237; Brandt 2024, PASP 136,
045005.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from jwrules.products.kinds import Gain, Meta, Ramp, Readnoise
from jwrules.steps.declare import Part, par, step
from jwrules.steps.parts import differences, large_events
from jwrules.steps.parts.unknown import unknown

log = logging.getLogger("jwrules")


@dataclass(frozen=True, kw_only=True)
class Params:
    """Thresholds, neighbours, what follows a jump, snowballs and showers."""

    rejection_threshold: float = par(4.0, "deviation that makes a jump", unit="sigma", ge=0)
    three_group_rejection_threshold: float = par(6.0, "the same for two usable differences", unit="sigma", ge=0)
    four_group_rejection_threshold: float = par(5.0, "the same for three usable differences", unit="sigma", ge=0)
    min_diffs_single_pass: int = par(10, "differences from which on all jumps are sought in one pass", ge=0)
    minimum_groups: int = par(3, "usable groups without which nothing is sought", unit="group", ge=2)
    minimum_sigclip_groups: int = par(100, "integrations (groups, if not only_use_ints) to clip by scatter from", ge=1)
    only_use_ints: bool = par(True, "clip a difference against that of the same groups of other integrations only")
    statistic: str = par("calibrated", "what a difference is compared with", choices=("calibrated", "mean", "official"))
    flag_rests: bool = par(True, "flag both sides of weak jumps where groups average frames (not official)")
    flag_4_neighbors: bool = par(True, "flag the four neighbours of a jump too")
    max_jump_to_flag_neighbors: float = par(1000.0, "strongest jump whose neighbours are flagged", unit="sigma", ge=0)
    min_jump_to_flag_neighbors: float = par(10.0, "weakest jump whose neighbours are flagged", unit="sigma", ge=0)
    after_jump_flag_dn1: float = par(0.0, "height from which on what follows a jump is flagged", unit="DN", ge=0)
    after_jump_flag_time1: float = par(0.0, "how long after such a jump groups are flagged", unit="s", ge=0)
    after_jump_flag_dn2: float = par(0.0, "a second height", unit="DN", ge=0)
    after_jump_flag_time2: float = par(0.0, "its time", unit="s", ge=0)
    expand_large_events: bool = par(False, "look for snowballs and flag their surroundings")
    snowball_search: str = par("linked", "how the groups of an event are seen", choices=("linked", "official"))
    min_jump_area: float = par(5.0, "smallest struck region that may be a snowball", unit="pixel2", ge=0)
    min_sat_area: float = par(1.0, "smallest newly saturated region that may be its core", unit="pixel2", ge=0)
    sat_required_snowball: bool = par(True, "a snowball has a saturated core")
    edge_size: int = par(25, "distance from the edge within which it need not have one", unit="pixel", ge=0)
    expand_factor: float = par(2.0, "growth of the ellipse of a snowball", ge=1)
    max_extended_radius: int = par(200, "largest radius of what is flagged", unit="pixel", ge=0)
    min_sat_radius_extend: float = par(2.5, "width of a saturated core from which on it grows", unit="pixel", ge=0)
    sat_expand: int = par(2, "growth of the radius of a saturated core", unit="pixel", ge=0)
    mask_snowball_core_next_int: bool = par(True, "flag the cores in the next integration")
    snowball_time_masked_next_int: int = par(4000, "how long the cores are flagged there", unit="s", ge=0)
    find_showers: bool = par(False, "look for showers and flag them")
    max_shower_amplitude: float = par(4.0, "change of the rate that a shower can explain", unit="DN/s", ge=0)
    extend_snr_threshold: float = par(1.2, "mean deviation that makes a shower", unit="sigma", ge=0)
    extend_min_area: int = par(90, "smallest region that may be a shower", unit="pixel2", ge=0)
    extend_inner_radius: float = par(1.0, "inner radius of the ring to average over", unit="pixel", ge=0)
    extend_outer_radius: float = par(2.6, "how much larger its outer radius is", unit="pixel", ge=0)
    extend_ellipse_expand_ratio: float = par(1.1, "growth of the ellipse of a shower", ge=1)
    time_masked_after_shower: float = par(15.0, "how long groups are flagged after a shower", unit="s", ge=0)


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    """Return the keywords with the rates of cosmic rays and of large events over the whole exposure."""
    found, events, intervals = (counts.get(name, 0) for name in ("found", "events", "intervals"))
    log.info("jump: %d groups of pixels struck by cosmic rays, %d large events", found, events)
    if not intervals:
        return meta
    exposure = meta["TGROUP"] * intervals
    return meta.updated(
        PRIMECRS=(1000 * found / exposure, "Primary cosmic rays per 1000 pixels per second"),
        EXTNCRS=(1e6 * events / exposure, "Large events per million pixels per second"),
    )


def _spreads_later(params: Params) -> bool:
    """Whether neighbours are flagged on whole frames, which snowballs are sought on: then ramps need no margin."""
    asks_at_once = params.find_showers or params.after_jump_flag_time1 or params.after_jump_flag_time2
    return params.flag_4_neighbors and params.expand_large_events and not asks_at_once


def _margin(params: Params) -> int:
    return 1 if params.flag_4_neighbors and not _spreads_later(params) else 0


def _neighbours(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with the four neighbours of strong jumps flagged."""
    differences.spread(ramp)
    return ramp


def _large_events(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Return the ramp with the surroundings of snowballs and showers flagged."""
    return large_events.flag(ramp, params)


def _rests(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Return the ramp with both sides of weak jumps flagged; after snowballs, which are sought by what surely jumps."""
    differences.flag_rests(ramp, params, gain.data, readnoise.data)
    return ramp


@step(
    status="S_JUMP",
    along="ramps",
    margin=_margin,
    changes="flags",
    spares_saturated=True,
    after=[
        Part(_neighbours, along="frames", changes="flags", when=_spreads_later, flags_suffice=lambda params: True),
        Part(
            _large_events,
            along="frames",
            changes="flags",
            when=lambda params: params.expand_large_events or params.find_showers,
            flags_suffice=lambda params: not params.find_showers,
        ),
        Part(
            _rests,
            along="ramps",
            changes="flags",
            when=lambda params: params.flag_rests and params.statistic != "official",
            spares_saturated=True,
        ),
    ],
    finish=_finish,
)
def jump(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Return the ramp with JUMP_DET in groupdq, and PRIMECRS and EXTNCRS, the rates of cosmic rays and large events."""
    lost = differences.lost(ramp)
    mode = differences.mode(lost, params)
    ramp.pixeldq[...] |= unknown(gain, readnoise)
    found = differences.find(ramp, params, mode, gain.data, readnoise.data)
    if params.flag_4_neighbors and not _spreads_later(params):
        differences.spread(ramp)
    differences.prolong(ramp, params, gain.data)
    if params.find_showers:
        ramp = large_events.expect(ramp, params, lost, gain.data, readnoise.data)
    intervals = max(lost.size - int(lost.sum()) - len(lost), 0)
    return ramp.counting(found=found, intervals=intervals * ramp.pixeldq[ramp.own].size)
