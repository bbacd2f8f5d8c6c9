"""Where charge spills from full pixels into their neighbours."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def flag(data: np.ndarray, flags: np.ndarray, threshold: float, ignored: int, bits: int) -> None:
    """Set `bits` in `flags`, in place, from the first group on that is above `threshold` (DN) in a pixel or beside it.

    data and flags (nints, ngroups, ny, nx). A group whose flags are exactly `ignored` does not count; the four
    neighbours of a pixel are beside it.
    """
    nints, ngroups, ny, nx = data.shape
    first = np.empty((ny, nx), np.int64)
    for i in range(nints):
        over_rows(_find, ny, as_input(data[i]), as_input(flags[i]), threshold, ignored, first)
        if first.min() < ngroups:
            over_rows(_flag, ny, first, flags[i], np.uint8(bits))


@compiled
def _find(
    start: int, stop: int, data: np.ndarray, flags: np.ndarray, threshold: float, ignored: int, first: np.ndarray
) -> None:
    """Write the first group above the threshold, the number of groups where there is none."""
    ngroups, _, nx = data.shape
    for y in range(start, stop):
        for x in range(nx):
            first[y, x] = ngroups
        for g in range(ngroups - 1, -1, -1):
            for x in range(nx):
                if data[g, y, x] > threshold and flags[g, y, x] != ignored:
                    first[y, x] = g


@compiled
def _flag(start: int, stop: int, first: np.ndarray, flags: np.ndarray, bits: int) -> None:
    ngroups, ny, nx = flags.shape
    for y in range(start, stop):
        above, below = max(y - 1, 0), min(y + 1, ny - 1)
        for x in range(nx):
            g = min(first[y, x], first[above, x], first[below, x])
            g = min(g, first[y, max(x - 1, 0)], first[y, min(x + 1, nx - 1)])
            for k in range(g, ngroups):
                flags[k, y, x] |= bits
