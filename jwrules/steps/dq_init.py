"""Start the data quality of an exposure from the mask of bad pixels.

The mask is added to PIXELDQ. Pixels that it marks DO_NOT_USE are marked so in every group, so that no later
step looks for jumps or fits a slope there. Guide-star exposures have flags for all groups together: the mask is added
to DQ. Source: JWST documentation, CALWEBB_DETECTOR1, data quality
initialization; CALWEBB_GUIDER.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import GuiderRaw, Mask, Ramp
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_DQINIT")
def dq_init(ramp: Ramp | GuiderRaw, params: Params, *, mask: Mask) -> Ramp | GuiderRaw:
    """Return the ramp with the flags of the mask in pixeldq, and its DO_NOT_USE in every group of groupdq."""
    if isinstance(ramp, GuiderRaw):
        return replace(ramp, dq=mask.dq | (0 if ramp.dq is None else ramp.dq))
    ramp.pixeldq[...] |= mask.dq
    ramp.groupdq[...] |= (mask.dq & np.uint32(DQ.DO_NOT_USE)).astype(np.uint8)
    return ramp
