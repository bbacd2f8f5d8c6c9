"""Subtract the bias of every pixel at reset, and take over its flags.

Where the superbias is NaN nothing is subtracted. Zero values of ZEROFRAME mean that there is no value and
stay. In IRS2 readout (NIRSpec) the superbias has the frames as read, or those of the detector: then reference
pixels keep their bias, which plays no part in what follows. Source: JWST documentation, CALWEBB_DETECTOR1, superbias
subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.products.interleaved import blocks_of, layout_of, on_frame
from jwrules.products.kinds import Ramp, Superbias
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_SUPERB", blind_to_flags=True, along=blocks_of)
def superbias(ramp: Ramp, params: Params, *, superbias: Superbias) -> Ramp:
    """Return the ramp with the superbias (DN) subtracted from every group and from the first frame."""
    layout = layout_of(ramp.meta, ramp.pixeldq.shape)
    bias = on_frame(np.where(np.isnan(superbias.data), np.float32(0), superbias.data), layout)
    ramp.pixeldq[...] |= on_frame(superbias.dq, layout)
    ramp.data[...] -= bias
    if ramp.zeroframe is not None:
        np.subtract(ramp.zeroframe, bias, out=ramp.zeroframe, where=ramp.zeroframe != 0)
    return ramp
