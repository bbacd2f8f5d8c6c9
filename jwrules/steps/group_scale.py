"""Rescale groups that were averaged on board by a divisor other than the number of frames.

On-board averaging divides the sum of NFRAMES frames by FRMDIVSR, a power of two. Where the two differ the
groups are multiplied by FRMDIVSR / NFRAMES. Source: JWST documentation, CALWEBB_DETECTOR1, group scale
correction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jwrules.errors import CannotRun
from jwrules.products.kinds import Ramp
from jwrules.steps.declare import Skip, step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_GRPSCL", blind_to_flags=True)
def group_scale(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with its groups scaled; skipped where the divisor is the number of frames."""
    frames, divisor = ramp.meta.get("NFRAMES"), ramp.meta.get("FRMDIVSR")
    if frames is None:
        raise Skip("NFRAMES is not recorded: whether groups were averaged is unknown")
    if frames < 1:
        raise CannotRun(f"NFRAMES={frames}: a group is the mean of one frame or more")
    if divisor is None:
        _require_power_of_two(frames)
        raise Skip(f"NFRAMES={frames} is a power of two and FRMDIVSR is not recorded")
    if divisor == frames:
        raise Skip(f"NFRAMES and FRMDIVSR are both {frames}")
    ramp.data[...] *= divisor / frames
    return replace(ramp)


def _require_power_of_two(frames: int) -> None:
    if frames & (frames - 1):
        raise CannotRun(f"NFRAMES={frames} is no power of two and FRMDIVSR is missing: the scale is unknown")
