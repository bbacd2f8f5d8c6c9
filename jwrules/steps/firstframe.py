"""Leave out the first group of every integration, in which the MIRI detectors still settle from the reset.

A bright pixel that saturates by the third group can keep its first one (`bright_use_group1`): the signal between the
first two is then large against the effect. Such pixels are marked FLUX_ESTIMATED. Integrations of up to three groups
keep theirs. In today's order of steps the flagging of rscd does this. Source: JWST documentation, CALWEBB_DETECTOR1,
first frame correction.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp
from jwrules.steps.declare import Skip, par, step

log = logging.getLogger("jwrules")


@dataclass(frozen=True, kw_only=True)
class Params:
    """Whether bright pixels are an exception."""

    bright_use_group1: bool = par(True, "keep the first group where the third is saturated")


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    log.info("firstframe: %d bright pixels keep their first group", counts["bright"])
    return meta


@step(status="S_FRSTFR", changes="flags", finish=_finish)
def firstframe(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with DO_NOT_USE in the first group of each integration."""
    ngroups = ramp.data.shape[1]
    if ngroups < 4:
        raise Skip(f"of {ngroups} groups none can be spared")
    bright = (ramp.groupdq[:, 2] & np.uint8(DQ.SATURATED)) != 0
    kept = bright & params.bright_use_group1
    ramp.groupdq[:, 0][~kept] |= np.uint8(DQ.DO_NOT_USE)
    estimated = kept.any(axis=0)
    ramp.pixeldq[estimated] |= np.uint32(DQ.FLUX_ESTIMATED)
    return ramp.leaving_out(slice(0, 1)).counting(bright=int(np.count_nonzero(estimated[..., *ramp.own])))
