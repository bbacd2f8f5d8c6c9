"""The brighter border that warmth gives a detector: how much of it there is in each group."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import order
from jwrules.kernels.compiled import as_input, compiled, over_rows


def levels(data: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return the median in each region of each group less the first, (nints, ngroups, nregions); NaN without pixels.

    data (nints, ngroups, ny, nx); regions (nregions, ny, nx) say which pixels count. NaN does not count.
    """
    nints, ngroups, nregions = *data.shape[:2], len(regions)
    result = np.zeros((nints, ngroups, nregions))
    over_rows(_levels, nints * ngroups, as_input(data), as_input(regions), result)
    return result


@compiled
def _levels(start: int, stop: int, data: np.ndarray, regions: np.ndarray, result: np.ndarray) -> None:
    ngroups, counts = data.shape[1], np.empty(order.BINS, np.int64)
    room = np.empty(data[0, 0].size, np.float32)
    for number in range(start, stop):
        i, g = number // ngroups, number % ngroups
        for region in range(regions.shape[0]):
            n = _since_first(data[i, g], data[i, 0], regions[region], room)
            result[i, g, region] = order.median_of(room, n, counts)


@compiled
def _since_first(group: np.ndarray, first: np.ndarray, region: np.ndarray, room: np.ndarray) -> int:
    n = 0
    for y in range(group.shape[0]):
        for x in range(group.shape[1]):
            rise = group[y, x] - first[y, x]
            if region[y, x] and np.isfinite(rise):
                room[n] = rise
                n += 1
    return n


def subtract(data: np.ndarray, shape: np.ndarray, scales: np.ndarray, offsets: np.ndarray) -> None:
    """Take `scales` times `shape` (ny, nx), and `offsets`, off all groups but the first, in place.

    Scales and offsets are (nints, ngroups).
    """
    over_rows(_subtract, data.shape[2], data, as_input(shape), as_input(scales), as_input(offsets))


@compiled
def _subtract(
    start: int, stop: int, data: np.ndarray, shape: np.ndarray, scales: np.ndarray, offsets: np.ndarray
) -> None:
    for i in range(data.shape[0]):
        for g in range(1, data.shape[1]):
            scale, offset = np.float32(scales[i, g]), np.float32(offsets[i, g])
            for y in range(start, stop):
                for x in range(data.shape[3]):
                    data[i, g, y, x] -= scale * shape[y, x] + offset
