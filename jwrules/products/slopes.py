"""The products of ramp fitting, made from their arrays and the ramp that was fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp, Rate, RateInts, Slopes

PLANES = ("data", "err", "var_poisson", "var_rnoise")


def of(ramp: Ramp, meta: Meta, pixeldq: np.ndarray, seen: np.ndarray, values: np.ndarray) -> Slopes:
    """Return `_rate` and `_rateints` from rate, error, Poisson and read variance, (4, nints + 1, ny, nx).

    The last plane is the exposure. `seen` (nints, ny, nx) are flags of groups that integration and exposure show too.
    """
    dq = pixeldq | np.where(np.isnan(values[0]), np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    dq[:-1] |= seen
    dq[-1] |= np.bitwise_or.reduce(seen, axis=0)
    rate = Rate(
        meta=described(meta, Rate.model_of(meta)), dq=dq[-1], provenance=ramp.provenance, **_planes(values[:, -1])
    )
    rateints = RateInts(
        meta=described(meta, RateInts.model_of(meta)),
        tables={name: table for name, table in ramp.tables.items() if name.startswith("INT_TIMES")},
        dq=dq[:-1],
        provenance=ramp.provenance,
        **_planes(values[:, :-1]),
    )
    return Slopes(rate=rate, rateints=rateints)


def _planes(values: np.ndarray) -> Mapping[str, Any]:
    return dict(zip(PLANES, values, strict=True))


def described(meta: Meta, model: str) -> Meta:
    """Return the keywords of a product of rates in DN/s."""
    return meta.updated(DATAMODL=(model, "Type of data model")).updated_sci(
        BUNIT=("DN/s", "physical units of the array values")
    )
