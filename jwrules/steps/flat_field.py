"""Divide an image by the flat field.

Pixels where the flat is NaN or 0, or flagged NO_FLAT_FIELD or DO_NOT_USE, are flagged and become NaN. The uncertainty
of the flat gives VAR_FLAT; ERR is the root of the sum of the variances. `inverse` multiplies by the flat again, without
its variance. The images of a guide star have one set of flags for all of them: flagged pixels keep their values. Their
ERR is divided as they are, where the official pipeline leaves it (`guider_error: official`). Source: JWST
documentation, flat field step; CALWEBB_GUIDER.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Flat, GuiderCal, Image
from jwrules.products.pixels import agreed, scaled, total_error
from jwrules.steps.declare import par, step

_UNKNOWN = np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE)


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which way the flat is applied."""

    inverse: bool = par(False, "multiply by the flat instead of dividing by it")
    guider_error: str = par(
        "scaled", "ERR of guide stars: follows the data, or stays (official)", choices=("scaled", "official")
    )


@step(status="S_FLAT")
def flat_field(image: Image | GuiderCal, params: Params, *, flat: Flat) -> Image | GuiderCal:
    """Return the image with every pixel at the response of the mean one."""
    dq = flat.dq.copy()
    dq[np.isnan(flat.data) | (flat.data == 0) | ((dq & DQ.NO_FLAT_FIELD) != 0)] |= _UNKNOWN
    response = np.where((dq & DQ.DO_NOT_USE) != 0, np.float32(1), flat.data)
    flagged = replace(image, dq=image.dq | dq)
    if isinstance(flagged, GuiderCal):
        return _of_guide_star(flagged, params, response, flat.err)
    flagged = replace(flagged, var_flat=None)
    if params.inverse:
        result = scaled(flagged, response)
        result = replace(result, var_flat=np.zeros_like(result.data))
    else:
        result = scaled(flagged, 1 / response.astype(np.float64))
        result = replace(result, var_flat=(result.data * flat.err / response) ** 2)
    return agreed(replace(result, err=total_error(result)))


def _of_guide_star(images: GuiderCal, params: Params, response: np.ndarray, error: np.ndarray) -> GuiderCal:
    factor = response if params.inverse else 1 / response
    data = images.data * factor
    err = images.err * factor if params.guider_error == "scaled" else images.err
    if not params.inverse:
        err = np.hypot(err, data * error / response)
    unknown = np.isnan(data) | np.isnan(err)
    data[unknown] = err[unknown] = np.nan
    return replace(images, data=data, err=err)
