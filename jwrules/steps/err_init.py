"""Give every group the error that a noise model expects of it.

The variance of a group is that of its reads and of its photons: half the square of the read noise (the reference file
has that of a difference of two reads) over the number of averaged frames, and the counts over the gain. Counts are
taken as light, so that bias and dark should be off before; below zero there is none. The error stands in the extension
ERR of a ramp that is written. The official pipeline no longer has this step and its ramps carry no errors; ramp_fit has
the noise of slopes from the same references by itself. Source: JWST documentation, CALWEBB_DETECTOR1, error
initialization.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jwrules.errors import CannotRun
from jwrules.kernels import noise_of_reads as kernel
from jwrules.products.kinds import Gain, Ramp, Readnoise
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_ERRINI")
def err_init(ramp: Ramp, params: Params, *, gain: Gain, readnoise: Readnoise) -> Ramp:
    """Return the ramp with `err` (DN); NaN where the gain is unknown or not positive."""
    frames = int(ramp.meta.get("NFRAMES", 1))
    if frames < 1:
        raise CannotRun(f"NFRAMES={frames}: a group is the mean of one frame or more")
    read_variance = readnoise.data**2 / (2 * frames)
    return replace(ramp, err=kernel.errors(ramp.data, gain.data, read_variance))
