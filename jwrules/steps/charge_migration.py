"""Leave out the groups in which charge spills from bright pixels into their neighbours.

Charge that has gathered in a pixel pushes later electrons into the pixels around: point sources widen as they get
brighter. From the first group on that is above `signal_threshold`, a pixel and its four neighbours are flagged
CHARGELOSS and DO_NOT_USE. A group whose only flag is DO_NOT_USE does not count. With less than three groups there is
nothing to do. Source: JWST documentation, CALWEBB_DETECTOR1, charge migration; Goudfrooij et al. 2024, PASP 136,
014503.
"""

from __future__ import annotations

from dataclasses import dataclass

from jwrules.kernels import charge_migration as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp
from jwrules.steps.declare import Skip, par, step

FEWEST_GROUPS = 3


@dataclass(frozen=True, kw_only=True)
class Params:
    """From which signal on charge migrates."""

    signal_threshold: float = par(25000.0, "signal above which charge spills into neighbours", unit="DN")


@step(status="S_CHGMIG", changes="flags", margin=1)
def charge_migration(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with CHARGELOSS and DO_NOT_USE in groupdq."""
    ngroups = ramp.data.shape[1]
    if ngroups < FEWEST_GROUPS:
        raise Skip(f"{ngroups} groups: {FEWEST_GROUPS} are needed")
    bits = int(DQ.CHARGELOSS | DQ.DO_NOT_USE)
    kernel.flag(ramp.data, ramp.groupdq, params.signal_threshold, int(DQ.DO_NOT_USE), bits)
    return ramp
