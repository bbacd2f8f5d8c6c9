"""The noise of the groups of a ramp, each on its own."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def errors(data: np.ndarray, gain: np.ndarray, read_variance: np.ndarray) -> np.ndarray:
    """Return the standard deviation (DN) of `data` (nints, ngroups, ny, nx), DN of light above the bias.

    gain (ny, nx) in electron/DN, read_variance (ny, nx) in DN²; NaN where one of them is, or a gain is not positive.
    """
    result = np.empty_like(data)
    usable = np.where(gain > 0, gain, np.float32(np.nan))
    over_rows(_errors, len(gain), as_input(data), usable, as_input(read_variance), result)
    return result


@compiled
def _errors(
    start: int, stop: int, data: np.ndarray, gain: np.ndarray, read_variance: np.ndarray, result: np.ndarray
) -> None:
    nints, ngroups, _, nx = data.shape
    none = np.float32(0)
    for y in range(start, stop):
        for i in range(nints):
            for g in range(ngroups):
                counts, row = data[i, g, y], result[i, g, y]
                for x in range(nx):
                    light = counts[x] if counts[x] > none else none
                    row[x] = np.sqrt(light / gain[y, x] + read_variance[y, x])
