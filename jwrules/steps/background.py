"""Subtract the mean of background exposures from an exposure.

The background exposures of the association are averaged pixel by pixel, with clipping, and subtracted. A background
taken with another subarray serves where the two overlap. Flags of the background exposures are added to those of the
image; a pixel for which no background exposure has a value is DO_NOT_USE. The variance of the mean is added to the
variances of the image: the official pipeline leaves them as they are, and so understates the error, by a factor √2
where there is one background exposure as long as the exposure itself. Skipped without background exposures.
Source: JWST documentation, background subtraction step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels.background import kept, mean, variance_of_mean
from jwrules.products.flags import DQ
from jwrules.products.kinds import Rate, Rates
from jwrules.products.pixels import total_error
from jwrules.steps.declare import Skip, par, step


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the exposures are averaged."""

    sigma: float = par(3.0, "values farther from the median of their pixel are not averaged", unit="sigma", gt=0)
    maxiters: int | None = par(None, "number of clippings; none: until nothing more is rejected", ge=1)


@step(status="S_BKDSUB")
def background(rate: Rate, params: Params, *, background: Rates | None = None) -> Rate:
    """Return `rate` without the mean of the members with the role background."""
    if not background:
        raise Skip("the association has no background exposures")
    skies = [_on_pixels_of(rate, sky) for sky in background]
    if not any(np.isfinite(sky.data).any() for sky in skies):
        raise CannotRun("no background exposure has valid pixels on those of the exposure; look at their subarrays")
    keep = kept(np.stack([sky.data for sky in skies]), params.sigma, params.maxiters)
    level = mean(np.stack([sky.data for sky in skies]), keep)
    dq = np.bitwise_or.reduce([rate.dq, *(sky.dq for sky in skies)])
    dq[np.isnan(level)] |= np.uint32(DQ.DO_NOT_USE)
    subtracted = replace(
        rate,
        data=(rate.data - level).astype(np.float32),
        dq=dq,
        var_poisson=_added(rate.var_poisson, [sky.var_poisson for sky in skies], keep),
        var_rnoise=_added(rate.var_rnoise, [sky.var_rnoise for sky in skies], keep),
    )
    return replace(subtracted, err=total_error(subtracted))


def _added(variance: np.ndarray, others: list[np.ndarray], keep: np.ndarray) -> np.ndarray:
    return (variance + variance_of_mean(np.stack(others), keep)).astype(np.float32)


def _on_pixels_of(rate: Rate, sky: Rate) -> Rate:
    """Return `sky` on the pixels of the detector that `rate` has: NaN where it has none of its own."""
    if _corner(rate) == _corner(sky) and rate.data.shape == sky.data.shape:
        return sky
    edges = zip(_corner(rate), rate.data.shape, _corner(sky), sky.data.shape, strict=True)
    ours, theirs = zip(*(_shared(*axis) for axis in edges), strict=True)

    def placed(source: np.ndarray, blank: float) -> np.ndarray:
        target = np.full(rate.data.shape, blank, source.dtype)
        target[ours] = source[theirs]
        return target

    return replace(
        sky,
        data=placed(sky.data, np.nan),
        err=placed(sky.err, np.nan),
        dq=placed(sky.dq, 0),
        var_poisson=placed(sky.var_poisson, np.nan),
        var_rnoise=placed(sky.var_rnoise, np.nan),
    )


def _corner(rate: Rate) -> tuple[int, int]:
    return int(rate.meta.get("SUBSTRT2", 1)), int(rate.meta.get("SUBSTRT1", 1))


def _shared(start: int, size: int, other_start: int, other_size: int) -> tuple[slice, slice]:
    """Return the part that two stretches of an axis share, counted from the start of either."""
    first = max(start, other_start)
    last = max(first, min(start + size, other_start + other_size))
    return slice(first - start, last - start), slice(first - other_start, last - other_start)
