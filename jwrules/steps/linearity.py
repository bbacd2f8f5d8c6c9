"""Correct the counts for the response of the detector, which is not linear.

Each pixel has a polynomial in the counts. Saturated groups are left as they are. Pixels without a usable polynomial
(flagged NO_LIN_CORR, a coefficient that is NaN, a linear term of 0) are left as they are and flagged NO_LIN_CORR. Where
groups average frames and the reference file has inverse polynomials, the correction is made frame by frame. (The
official step leaves these out for multistripe subarrays.) Source: JWST documentation, CALWEBB_DETECTOR1, linearity
correction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import linearity as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Linearity, Ramp
from jwrules.steps.declare import step


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_LINEAR")
def linearity(ramp: Ramp, params: Params, *, linearity: Linearity) -> Ramp:
    """Return the ramp with linear counts (DN)."""
    if len(linearity.coeffs) < 2:
        raise CannotRun(f"{linearity.meta.source} has {len(linearity.coeffs)} coefficient; a linear term is needed")
    frames = int(ramp.meta.get("NFRAMES", 1))
    polynomials = _polynomials(linearity.coeffs, linearity.dq)
    bad = ~polynomials.usable
    if linearity.inv_coeffs is not None and frames > 1 and ramp.data.shape[1] > 1:
        inverse = _polynomials(linearity.inv_coeffs, linearity.dq)
        bad |= ~inverse.usable
        kernel.linearize_frames(ramp.data, ramp.groupdq, int(DQ.SATURATED), polynomials, inverse, frames)
    else:
        kernel.linearize(ramp.data, ramp.groupdq, int(DQ.SATURATED), polynomials)
    ramp.pixeldq[...] |= linearity.dq | np.where(bad, np.uint32(DQ.NO_LIN_CORR), np.uint32(0))
    if ramp.zeroframe is not None:
        no_value = (ramp.zeroframe == 0)[:, np.newaxis].astype(np.uint8)
        kernel.linearize(ramp.zeroframe[:, np.newaxis], no_value, 1, polynomials)
    return ramp


def _polynomials(coeffs: np.ndarray, dq: np.ndarray) -> kernel.Polynomials:
    """Return the coefficients, and for which pixels they can serve."""
    bad = np.isnan(coeffs).any(axis=0) | (coeffs[1] == 0) | ((dq & np.uint32(DQ.NO_LIN_CORR)) != 0)
    return kernel.Polynomials(coeffs, ~bad)
