"""Flag the groups in which a pixel still gives off the charge of an earlier, brighter signal.

A window of `persistence_time` opens when a pixel saturates, or exceeds `dn_threshold`, and lasts through the groups and
integrations that follow. Without `persistence_time` there is nothing to do.
Source: JWST documentation, CALWEBB_DETECTOR1, persistence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.kernels import persistence as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp
from jwrules.steps.declare import Skip, par, step

SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Params:
    """How long persistence lasts and what brings it about."""

    persistence_time: int | None = par(None, "how long persistence lasts", unit="s", gt=0)
    dn_threshold: float | None = par(None, "signal from which on there is persistence; none: saturation", unit="DN")
    persistence_dnu: bool = par(False, "set DO_NOT_USE too")


@step(status="S_PERSIS", along="ramps", changes="flags")
def persistence(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with PERSISTENCE in groupdq."""
    if params.persistence_time is None:
        raise Skip("persistence_time is not given")
    kernel.flag_windows(
        ramp.data,
        ramp.groupdq,
        _times(ramp),
        float(params.persistence_time),
        np.inf if params.dn_threshold is None else params.dn_threshold,
        int(DQ.SATURATED),
        int(DQ.PERSISTENCE | (DQ.DO_NOT_USE if params.persistence_dnu else 0)),
    )
    return ramp


def _times(ramp: Ramp) -> np.ndarray:
    """Return when each group (nints, ngroups) was read, in seconds after the start of the exposure."""
    nints, ngroups = ramp.data.shape[:2]
    starts = _recorded_starts(ramp)
    if starts is None:
        starts = np.arange(nints) * float(ramp.meta["EFFINTTM"]) if nints > 1 else np.zeros(1)
    return starts[:, np.newaxis] + float(ramp.meta["TGROUP"]) * np.arange(1, ngroups + 1)


def _recorded_starts(ramp: Ramp) -> np.ndarray | None:
    """Return when each integration started, in seconds after the first, where INT_TIMES tells."""
    table, nints = ramp.tables.get("INT_TIMES"), len(ramp.data)
    if table is None or len(table) < nints:
        return None
    days = np.asarray(table["int_start_MJD_UTC"][:nints], dtype=float)
    return (days - days[0]) * SECONDS_PER_DAY if np.isfinite(days).all() else None
