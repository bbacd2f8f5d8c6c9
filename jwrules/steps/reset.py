"""Subtract what the reset leaves in the first groups of an integration of the MIRI detectors.

The reference file holds the residue of the first groups, for the first integrations of an exposure; every later
integration has that of its last one, and later groups have none. A file that is a segment of an exposure says with
INTSTART where it begins. Where the residue is NaN nothing is subtracted. Source: JWST documentation,
CALWEBB_DETECTOR1, reset anomaly correction.
"""

from __future__ import annotations

from dataclasses import dataclass

from jwrules.kernels import dark as kernel
from jwrules.products.kinds import Ramp, Reset
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_RESET", blind_to_flags=True)
def reset(ramp: Ramp, params: Params, *, reset: Reset) -> Ramp:
    """Return the ramp with the residue of the reset (DN) subtracted, and with the flags of the reference file."""
    first, last = int(ramp.meta.get("INTSTART", 1)) - 1, len(reset.data) - 1
    ngroups = min(ramp.data.shape[1], reset.data.shape[1])
    for i in range(len(ramp.data)):
        kernel.subtract(ramp.data, slice(i, i + 1), reset.data[min(first + i, last), :ngroups])
    ramp.pixeldq[...] |= reset.dq
    return ramp
