"""Until when pixels of a detector have persistence: what one exposure hands to the next.

Pixels are counted on the whole detector, from 0 (kind PersistenceArray).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from jwrules.errors import CannotRun
from jwrules.products.kinds import Meta, PersistenceArray, Ramp
from jwrules.products.stripes import is_striped

log = logging.getLogger("jwrules")

SECONDS_PER_DAY = 86400.0
UNIX_EPOCH = 40587.0
"""MJD of the first of January 1970."""


def starts(ramp: Ramp) -> np.ndarray:
    """Return when each integration started, in seconds after the first: recorded, or by the integration time."""
    days = _recorded(ramp)
    if days is not None:
        return (days - days[0]) * SECONDS_PER_DAY
    nints = len(ramp.data)
    return np.arange(nints) * float(ramp.meta["EFFINTTM"]) if nints > 1 else np.zeros(1)


def start(ramp: Ramp) -> float:
    """Return when the first integration of the file started, in Unix seconds."""
    days = _recorded(ramp)
    return (float(ramp.meta["EXPSTART"] if days is None else days[0]) - UNIX_EPOCH) * SECONDS_PER_DAY


def _recorded(ramp: Ramp) -> np.ndarray | None:
    """Return when each integration started (MJD), where INT_TIMES tells."""
    table, nints = ramp.tables.get("INT_TIMES"), len(ramp.data)
    if table is None or len(table) < nints:
        return None
    days = np.asarray(table["int_start_MJD_UTC"][:nints], dtype=float)
    return days if np.isfinite(days).all() else None


def refuse_stripes(meta: Meta) -> None:
    """Raise CannotRun for an exposure that reads stripes: its rows are not those of the detector one by one."""
    if is_striped(meta):
        raise CannotRun(
            "windows go from exposure to exposure by the pixels of the detector, of which this one reads stripes"
            f" (SUBARRAY = {meta.get('SUBARRAY')}); leave out persistence_array_file and save_persistence"
        )


def handed_on(ramp: Ramp, earlier: PersistenceArray, duration: float) -> np.ndarray:
    """Return until when (ny, nx) pixels have persistence by an earlier exposure, in Unix seconds, or -inf."""
    ends, known = np.full(ramp.pixeldq.shape, -np.inf), earlier.tree.get(str(ramp.meta["DETECTOR"]), {})
    if known.get("pers_time") != duration:
        log.warning("persistence: persistence_array_file has no windows of %g s for the detector", duration)
        return ends
    y = np.asarray(known["rows"]) - int(ramp.meta["SUBSTRT2"]) + 1
    x = np.asarray(known["cols"]) - int(ramp.meta["SUBSTRT1"]) + 1
    ny, nx = ramp.pixeldq.shape
    inside = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    ends[y[inside], x[inside]] = np.asarray(known["vals"])[inside]
    return ends


def tree(meta: Meta, provenance: Mapping[str, Any], windows: np.ndarray) -> dict[str, Any]:
    """Return the `windows` (ny, nx) of an exposure that are open, as they are stored."""
    rows, columns = np.nonzero(windows)
    applied = next(one for one in reversed(provenance["steps"]) if one["step"] == "persistence")
    stored = {
        "filename": str(meta.get("FILENAME", "")),
        "rows": rows + int(meta["SUBSTRT2"]) - 1,
        "cols": columns + int(meta["SUBSTRT1"]) - 1,
        "vals": windows[rows, columns],
        "pers_time": applied["params"]["persistence_time"],
    }
    return {str(meta["DETECTOR"]): stored}
