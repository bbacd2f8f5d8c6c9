"""Start the data quality of an exposure from the mask of bad pixels.

The mask is added to PIXELDQ. Pixels that it marks DO_NOT_USE are marked so in every group, so that no later
step looks for jumps or fits a slope there. A mask of one's own is added to it: `--reference user_supplied_dq=FILE`, or
a file with REFTYPE USER_SUPPLIED_DQ among the reference files. It is a FITS file with an extension DQ that holds the
exposure, in the flags of JWST or with a table DQ_DEF that names its own. In IRS2 readout (NIRSpec) masks have the
frames as read, or those of the detector. Guide-star exposures have flags for all groups together: masks are added to
DQ. Source: JWST documentation, CALWEBB_DETECTOR1, data quality initialization; CALWEBB_GUIDER.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.interleaved import blocks_of, layout_of, on_frame
from jwrules.products.kinds import GuiderRaw, Mask, Ramp, UserMask
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_DQINIT", changes="flags", along=blocks_of)
def dq_init(
    ramp: Ramp | GuiderRaw, params: Params, *, mask: Mask, user_supplied_dq: UserMask | None = None
) -> Ramp | GuiderRaw:
    """Return the ramp with the flags of the masks in pixeldq, and their DO_NOT_USE in every group of groupdq."""
    if isinstance(ramp, GuiderRaw):
        flags = mask.dq if user_supplied_dq is None else mask.dq | user_supplied_dq.dq
        return replace(ramp, dq=flags | (0 if ramp.dq is None else ramp.dq))
    layout = layout_of(ramp.meta, ramp.pixeldq.shape)
    flags = on_frame(mask.dq, layout)
    if user_supplied_dq is not None:
        flags = flags | on_frame(user_supplied_dq.dq, layout)
    ramp.pixeldq[...] |= flags
    ramp.groupdq[...] |= (flags & np.uint32(DQ.DO_NOT_USE)).astype(np.uint8)
    return ramp
