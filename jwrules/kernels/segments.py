"""The stretches of a ramp between cosmic rays, saturation and bad groups."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import compiled


@compiled
def find(counts: np.ndarray, flags: np.ndarray, harmless: int, jump: int, bounds: np.ndarray) -> int:
    """Write the first group and the one after the last of each segment of a ramp into `bounds`; return how many.

    A group is good where `flags` (ngroups,) has no bit but `harmless` ones and `counts` (ngroups,) is a number. A
    segment is a run of good groups; it starts one group earlier where that one is a `jump` and nothing else. Segments
    of one group count only where there is no longer one, and then only the first.
    """
    found, start, longest = 0, -1, 0
    for g in range(counts.size + 1):
        good = g < counts.size and _plain(counts, flags, harmless, 0, g)
        if good and start < 0:
            start = g - 1 if g > 0 and _plain(counts, flags, harmless, jump, g - 1) else g
        elif start >= 0 and not good:
            bounds[found, 0], bounds[found, 1] = start, g
            longest = max(longest, g - start)
            found, start = found + 1, -1
    return _drop_short(bounds, found) if longest > 1 else min(found, 1)


@compiled
def _plain(counts: np.ndarray, flags: np.ndarray, harmless: int, wanted: int, g: int) -> bool:
    return (np.int64(flags[g]) & ~harmless) == wanted and not np.isnan(counts[g])


@compiled
def _drop_short(bounds: np.ndarray, found: int) -> int:
    kept = 0
    for s in range(found):
        if bounds[s, 1] - bounds[s, 0] > 1:
            bounds[kept, 0], bounds[kept, 1] = bounds[s, 0], bounds[s, 1]
            kept += 1
    return kept


@compiled
def good_groups(counts: np.ndarray, flags: np.ndarray, harmless: int) -> int:
    """Return how many groups are good."""
    good = 0
    for g in range(counts.size):
        if _plain(counts, flags, harmless, 0, g):
            good += 1
    return good
