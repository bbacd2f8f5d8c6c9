"""Leave out the last group of every integration, which the reset of the MIRI detectors has touched.

The detector is read and reset row by row, in pairs: while the last frame is read, rows of it are already being reset,
and its counts fall below the line of the others. Integrations of one or two groups need it and keep it. Source: JWST
documentation, CALWEBB_DETECTOR1, last frame correction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp
from jwrules.steps.declare import Skip, step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_LASTFR", changes="flags")
def lastframe(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with DO_NOT_USE in the last group of each integration."""
    ngroups = ramp.data.shape[1]
    if ngroups < 3:
        raise Skip(f"of {ngroups} groups none can be spared")
    ramp.groupdq[:, -1] |= np.uint8(DQ.DO_NOT_USE)
    return ramp.leaving_out(slice(-1, None))
