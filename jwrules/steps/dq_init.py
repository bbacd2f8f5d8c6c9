"""Start the data quality of an exposure from the mask of bad pixels.

The mask is added to PIXELDQ. Pixels that it marks DO_NOT_USE are marked so in every group, so that no later
step looks for jumps or fits a slope there. In IRS2 readout (NIRSpec) the mask has the frames as read, or those of
the detector. Source: JWST documentation, CALWEBB_DETECTOR1, data quality initialization.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.interleaved import layout_of, on_frame
from jwrules.products.kinds import Mask, Ramp
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_DQINIT")
def dq_init(ramp: Ramp, params: Params, *, mask: Mask) -> Ramp:
    """Return the ramp with the flags of the mask in pixeldq, and its DO_NOT_USE in every group of groupdq."""
    flags = on_frame(mask.dq, layout_of(ramp.meta, ramp.pixeldq.shape))
    ramp.pixeldq[...] |= flags
    ramp.groupdq[...] |= (flags & np.uint32(DQ.DO_NOT_USE)).astype(np.uint8)
    return ramp
