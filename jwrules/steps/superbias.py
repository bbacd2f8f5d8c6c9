"""Subtract the bias of every pixel at reset, and take over its flags.

Where the superbias is NaN nothing is subtracted. Zero values of ZEROFRAME mean that there is no value and
stay. Source: JWST documentation, CALWEBB_DETECTOR1, superbias subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.products.kinds import Ramp, Superbias
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_SUPERB")
def superbias(ramp: Ramp, params: Params, *, superbias: Superbias) -> Ramp:
    """Return the ramp with the superbias (DN) subtracted from every group and from the first frame."""
    bias = np.where(np.isnan(superbias.data), np.float32(0), superbias.data)
    ramp.pixeldq[...] |= superbias.dq
    ramp.data[...] -= bias
    if ramp.zeroframe is not None:
        np.subtract(ramp.zeroframe, bias, out=ramp.zeroframe, where=ramp.zeroframe != 0)
    return ramp
