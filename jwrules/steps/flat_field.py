"""Divide an image by the flat field.

Pixels where the flat is NaN or 0, or flagged NO_FLAT_FIELD or DO_NOT_USE, are flagged and become NaN. The uncertainty
of the flat gives VAR_FLAT; ERR is the root of the sum of the variances. `inverse` multiplies by the flat again, without
its variance. Source: JWST documentation, flat field step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Flat, Image
from jwrules.products.pixels import agreed, scaled, total_error
from jwrules.steps.declare import par, step

_UNKNOWN = np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE)


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which way the flat is applied."""

    inverse: bool = par(False, "multiply by the flat instead of dividing by it")


@step(status="S_FLAT")
def flat_field(image: Image, params: Params, *, flat: Flat) -> Image:
    """Return the image with every pixel at the response of the mean one."""
    dq = flat.dq.copy()
    dq[np.isnan(flat.data) | (flat.data == 0) | ((dq & DQ.NO_FLAT_FIELD) != 0)] |= _UNKNOWN
    response = np.where((dq & DQ.DO_NOT_USE) != 0, np.float32(1), flat.data)
    flagged = replace(image, dq=image.dq | dq, var_flat=None)
    if params.inverse:
        result = scaled(flagged, response)
        result = replace(result, var_flat=np.zeros_like(result.data))
    else:
        result = scaled(flagged, 1 / response.astype(np.float64))
        result = replace(result, var_flat=(result.data * flat.err / response) ** 2)
    return agreed(replace(result, err=total_error(result)))
