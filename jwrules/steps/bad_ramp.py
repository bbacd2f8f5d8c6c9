"""Flag pixels whose ramps are not straight after all corrections.

The differences of successive groups are compared with one common rate, given the covariance of their photon and read
noise. An integration is bad where its χ² is as unlikely as `threshold` times σ, and where its rate also departs by
`min_departure` of itself (rms over the ramp, beyond the noise): in a bright pixel the least residual of the linearity
correction is significant. A pixel is flagged UNRELIABLE_SLOPE where half of its integrations are bad; a cosmic ray that
was missed in one of many flags none. Jumps and groups that are flagged are left out; three good groups are needed. No
rate is changed and no pixel lost. The official pipeline has no such step; it belongs after jump and before ramp_fit,
and is off unless a recipe asks for it. Source: JWST documentation, CALWEBB_DETECTOR1, bad ramp flagging.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jwrules.kernels import bad_ramps, tridiagonal
from jwrules.kernels.exposure import Bits, Detector, Ramps
from jwrules.products.flags import DQ
from jwrules.products.kinds import Gain, Meta, Ramp, Readnoise
from jwrules.steps.declare import Skip, par, step

log = logging.getLogger("jwrules")

BITS = Bits(
    unusable=int(DQ.DO_NOT_USE), saturated=int(DQ.SATURATED), jump=int(DQ.JUMP_DET), harmless=int(DQ.PERSISTENCE)
)


@dataclass(frozen=True, kw_only=True)
class Params:
    """What makes a ramp bad."""

    threshold: float = par(5.0, "how unlikely the residuals of a bad ramp are", unit="sigma", gt=0)
    min_departure: float = par(0.01, "rms departure of the rate within a bad ramp, in parts of the rate", ge=0)


def _tell(meta: Meta, counts: Mapping[str, float], params: object) -> Meta:
    log.info("bad_ramp: %d pixels do not have straight ramps", counts.get("bad", 0))
    return meta


@step(status="S_BADRMP", along="ramps", finish=_tell)
def bad_ramp(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Return the ramp with UNRELIABLE_SLOPE in pixeldq."""
    meta, groups = ramp.meta, ramp.data.shape[1]
    if groups < 3:
        raise Skip(f"{groups} groups cannot depart from a straight line")
    skip = ((ramp.pixeldq & np.uint32(DQ.DO_NOT_USE)) != 0) | ~(gain.data > 0)
    dark = np.zeros_like(gain.data) if ramp.average_dark is None else ramp.average_dark
    bad = bad_ramps.find(
        Ramps(ramp.data, ramp.groupdq, np.empty((0, 0, 0), np.float32)),
        Detector(gain.data, readnoise.data, dark, skip),
        tridiagonal.regular(groups, meta["TGROUP"], meta["TFRAME"], int(meta.get("NFRAMES", 1))),
        BITS,
        bad_ramps.Limits(params.threshold, params.min_departure),
    )
    ramp.pixeldq[bad] |= np.uint32(DQ.UNRELIABLE_SLOPE)
    return ramp.counting(bad=int(bad.sum()))
