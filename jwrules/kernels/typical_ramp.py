"""What the integrations of an exposure have in common."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import order
from jwrules.kernels.compiled import as_input, compiled, over_rows


def median(data: np.ndarray) -> np.ndarray:
    """Return the median over integrations (ngroups, ny, nx) of `data` (nints, ngroups, ny, nx); NaN does not count."""
    result = np.empty(data.shape[1:], np.float32)
    over_rows(_median, data.shape[2], as_input(data), result)
    return result


@compiled
def _median(start: int, stop: int, data: np.ndarray, result: np.ndarray) -> None:
    nints, ngroups, _, nx = data.shape
    room, n, counts = np.empty((nx, nints + 1), data.dtype), np.empty(nx, np.int64), np.empty(order.BINS, np.int64)
    for y in range(start, stop):
        for g in range(ngroups):
            n[:] = 0
            for i in range(nints):
                for x in range(nx):
                    room[x, n[x]] = data[i, g, y, x]
                    n[x] += not np.isnan(data[i, g, y, x])
            for x in range(nx):
                result[g, y, x] = order.median_of(room[x], n[x], counts)


def scales(rates: np.ndarray, typical: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Return the flux of `rates` (nints, ny, nx) where there is `light` (ny, nx), over that of `typical` (ny, nx).

    1 where there is none.
    """
    known = light & np.isfinite(typical) & np.isfinite(rates).all(axis=0)
    total = float(typical[known].sum(dtype=np.float64))
    if not total > 0:
        return np.ones(len(rates))
    return rates[:, known].sum(axis=1, dtype=np.float64) / total
