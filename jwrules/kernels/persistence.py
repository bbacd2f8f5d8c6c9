"""For how long pixels remember what has filled their traps."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def flag_windows(
    data: np.ndarray,
    flags: np.ndarray,
    times: np.ndarray,
    duration: float,
    threshold: float,
    saturated: int,
    bits: int,
    ends: np.ndarray,
) -> None:
    """Set `bits` in `flags`, in place, in the groups within `duration` (s) of the one that filled the traps of a pixel.

    That is the first group of an integration with the bit `saturated`, and, outside such a window, any group above
    `threshold` (DN). data and flags (nints, ngroups, ny, nx); times (nints, ngroups) when groups were read (s > 0).
    `ends` (ny, nx), when windows end (s), goes from the start of the exposure to its end, in place.
    """
    numbers = duration, threshold, np.uint8(saturated), np.uint8(bits), ends
    over_rows(_flag_windows, data.shape[2], as_input(data), flags, as_input(times), *numbers)


@compiled
def _flag_windows(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    times: np.ndarray,
    duration: float,
    threshold: float,
    saturated: int,
    bits: int,
    ends: np.ndarray,
) -> None:
    nints, ngroups, _, nx = data.shape
    for y in range(start, stop):
        end = ends[y]
        for i in range(nints):
            fresh = np.ones(nx, np.bool_)
            for g in range(ngroups):
                now = times[i, g]
                for x in range(nx):
                    full = fresh[x] and flags[i, g, y, x] & saturated != 0
                    if full or (end[x] < now and data[i, g, y, x] > threshold):
                        end[x] = now + duration
                    if full:
                        fresh[x] = False
                    if end[x] >= now:
                        flags[i, g, y, x] |= bits
