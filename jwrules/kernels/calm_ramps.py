"""Ramps that clearly have no jump, which most are: the question put to many at once, with vector instructions."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import compiled

MARGIN = 1 - 1e-5
"""Differences below this part of the threshold are no jumps, whatever the rounding."""

MANY, PIXELS = 32, 256
"""Up to how many differences a ramp is looked at together with others, and with how many."""


@compiled
def find(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    gain: np.ndarray,
    read: np.ndarray,
    threshold: float,
    absolute: bool,
    calm: np.ndarray,
) -> None:
    """Mark in `calm` (nx,) the pixels of row y that have no flag and no difference near `threshold` (σ).

    data (DN) and flags (nints, ngroups, ny, nx); gain (electron/DN) and read, the variance of a difference from reading
    (electron²), (nx,). `absolute` tells that differences are compared with the median of their absolute values.
    """
    nints, ngroups, _, nx = data.shape
    n = nints * (ngroups - 1)
    ordered, flagged = np.empty((n, PIXELS), np.float32), np.empty(PIXELS, np.uint8)
    for start in range(0, nx, PIXELS):
        pixels = min(PIXELS, nx - start)
        factor = gain[start : start + pixels]
        for k in range(pixels):
            flagged[k] = 0
        for i in range(nints):
            for g in range(ngroups):
                bits, now = flags[i, g, y, start : start + pixels], data[i, g, y, start : start + pixels]
                for k in range(pixels):
                    flagged[k] |= bits[k]
                if g > 0:
                    before = data[i, g - 1, y, start : start + pixels]
                    steps = ordered[i * (ngroups - 1) + g - 1, :pixels]
                    for k in range(pixels):
                        step = now[k] * factor[k] - before[k] * factor[k]
                        steps[k] = abs(step) if absolute else step
                        flagged[k] |= step != step
        sort_each(ordered, pixels)
        for k in range(pixels):
            calm[start + k] = flagged[k] == 0 and _is_calm(ordered, k, read[start + k], threshold, absolute)


@compiled
def sort_each(values: np.ndarray, pixels: int) -> None:
    """Sort the first `pixels` columns of `values` (n, ...), all in step: neighbours change places, n times over."""
    n = len(values)
    for turn in range(n):
        for j in range(turn % 2, n - 1, 2):
            lower, upper = values[j, :pixels], values[j + 1, :pixels]
            for k in range(pixels):
                a, b = lower[k], upper[k]
                lower[k], upper[k] = (a, b) if a < b else (b, a)


@compiled
def _is_calm(ordered: np.ndarray, k: int, read: float, threshold: float, absolute: bool) -> bool:
    """Return whether no difference is near the threshold, with the median as jump has it; not for ties on top."""
    n = len(ordered)
    m = n - 1 if absolute and n != 3 else n
    upper, lower = np.float64(ordered[m // 2, k]), np.float64(ordered[(m - 1) // 2, k])
    middle = (lower + upper) / 2
    worst = max(ordered[n - 1, k] - middle, middle - ordered[0, k])
    ties = n > 1 and ordered[n - 1, k] == ordered[n - 2, k]
    return not ties and worst < MARGIN * threshold * np.sqrt(abs(middle) + read)
