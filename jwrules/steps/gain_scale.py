"""Rescale count rates that were taken with a gain other than the standard one.

GAINFACT is taken from the science header, else from that of the gain reference file; without it there is
nothing to do. Source: JWST documentation, CALWEBB_DETECTOR1, gain scale correction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from jwrules.errors import CannotRun
from jwrules.products.kinds import Gain, Rate, RateInts, Slopes
from jwrules.steps.declare import Skip, step

AnyRate = TypeVar("AnyRate", Rate, RateInts)


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_GANSCL")
def gain_scale(slopes: Slopes, params: Params, *, gain: Gain | None = None) -> Slopes:
    """Return the slopes with data and err multiplied by GAINFACT, the variances by its square."""
    factor = slopes.rate.meta.get("GAINFACT")
    if factor is None and gain is not None:
        factor = gain.meta.get("GAINFACT")
    if factor is None:
        raise Skip("GAINFACT is neither in the exposure nor in the gain reference file")
    if not 0 < factor < np.inf:
        raise CannotRun(f"GAINFACT={factor}: the ratio of two gains is a positive number")
    return replace(slopes, rate=_scaled(slopes.rate, factor), rateints=_scaled(slopes.rateints, factor))


def _scaled(rate: AnyRate, factor: float) -> AnyRate:
    linear, square = np.float32(factor), np.float32(factor**2)
    return replace(
        rate,
        data=rate.data * linear,
        err=rate.err * linear,
        var_poisson=rate.var_poisson * square,
        var_rnoise=rate.var_rnoise * square,
        meta=rate.meta.updated(GAINFACT=(factor, "Gain scale factor")),
    )
