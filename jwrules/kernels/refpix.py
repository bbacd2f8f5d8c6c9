"""Drifts of the readout, measured by pixels that see no light and taken off the others.

Everything here is in the frame of the detector: rows are read one after the other, a row along its columns. What the
reference pixels of a set of columns have in common is their mean after clipping; what those at the ends of the
rows have in common is a running median over rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.clipping import median
from jwrules.kernels.compiled import as_input, compiled, over_rows


class Sets(NamedTuple):
    """Sets of reference pixels: those of set k are rows[starts[k]:starts[k + 1]] and the same columns.

    Columns are of a few kinds, kind (ncolumns,); those of a kind belong to two sets, owners (nkinds, 2), whose means
    are averaged; -1 is none.
    """

    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    owners: np.ndarray
    kind: np.ndarray


class Sides(NamedTuple):
    """Reference columns at the start and the end of the rows; which of their pixels (nrows, ncolumns) are usable.

    Rows that the array lacks at either end of the detector are `below` and `above`; `length` is that of the running
    median, and `gain` what its result is multiplied by. There are no sides where the gain is 0.
    """

    left: np.ndarray
    right: np.ndarray
    usable: np.ndarray
    below: int
    above: int
    length: int
    gain: float


def drifts(planes: np.ndarray, sets: Sets, sides: Sides, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what each row (n, nrows) and columns of each kind (n, nkinds) are too high.

    `planes` (n, nrows, ncolumns) are frames as read. Means are clipped at `limit` σ.
    """
    n, nrows, _ = planes.shape
    by_row, by_kind = np.zeros((n, nrows), np.float32), np.zeros((n, len(sets.owners)), np.float32)
    strided = np.lib.stride_tricks.as_strided(planes, planes.shape, planes.strides, writeable=False)
    over_rows(_drifts, n, strided, sets, sides, limit, by_row, by_kind)
    return by_row, by_kind


@compiled
def _drifts(
    start: int,
    stop: int,
    planes: np.ndarray,
    sets: Sets,
    sides: Sides,
    limit: float,
    by_row: np.ndarray,
    by_kind: np.ndarray,
) -> None:
    for k in range(start, stop):
        _measure(planes[k], sets, sides, limit, by_row[k], by_kind[k])


@compiled
def _measure(
    plane: np.ndarray, sets: Sets, sides: Sides, limit: float, by_row: np.ndarray, by_kind: np.ndarray
) -> None:
    _offsets(plane, sets, limit, by_kind)
    if sides.gain != 0:
        left, right = np.empty(by_row.size), np.empty(by_row.size)
        _running_median(plane, sides.left, sets.kind, by_kind, sides, left)
        _running_median(plane, sides.right, sets.kind, by_kind, sides, right)
        for r in range(by_row.size):
            by_row[r] = sides.gain * _mean_of_two(left[r], right[r])


def subtract(planes: np.ndarray, along_y: np.ndarray, by_kind: np.ndarray, kind: np.ndarray) -> None:
    """Take off what belongs to each row (n, ny), and to columns of each kind (n, nkinds), of `planes` (n, ny, nx).

    In place; `kind` (nx,) is that of each column.
    """
    over_rows(_subtract, planes.shape[1], planes, as_input(along_y), as_input(by_kind), as_input(kind))


@compiled
def _subtract(
    start: int, stop: int, planes: np.ndarray, along_y: np.ndarray, by_kind: np.ndarray, kind: np.ndarray
) -> None:
    offsets = np.empty(kind.size, np.float32)
    for k in range(planes.shape[0]):
        for x in range(kind.size):
            offsets[x] = by_kind[k, kind[x]]
        for y in range(start, stop):
            row, offset = planes[k, y], along_y[k, y]
            for x in range(row.size):
                row[x] = row[x] - offsets[x] - offset


@compiled
def _offsets(plane: np.ndarray, sets: Sets, limit: float, by_kind: np.ndarray) -> None:
    means, values = np.empty(sets.starts.size), np.empty(sets.rows.size)
    for k in range(values.size):
        values[k] = plane[sets.rows[k], sets.columns[k]]
    for s in range(means.size - 1):
        means[s] = clipped_mean(values, sets.starts[s], sets.starts[s + 1], limit)
    for c in range(by_kind.size):
        first, second = sets.owners[c, 0], sets.owners[c, 1]
        by_kind[c] = _mean_of_two(means[first] if first >= 0 else np.nan, means[second] if second >= 0 else np.nan)


@compiled
def _mean_of_two(a: float, b: float) -> float:
    """Return the mean of the numbers among a and b, 0 where there is none."""
    if np.isnan(a):
        return 0.0 if np.isnan(b) else b
    return a if np.isnan(b) else (a + b) / 2


@compiled
def clipped_mean(values: np.ndarray, start: int, stop: int, limit: float) -> float:
    """Return the mean of values[start:stop] without those beyond `limit` σ of the mean of the rest; NaN without any."""
    low, high, before, middle = -np.inf, np.inf, -1, np.nan
    while True:
        kept, middle, deviation = _moments(values, start, stop, low, high)
        if kept == before or kept == 0:
            return middle
        low, high, before = max(low, middle - limit * deviation), min(high, middle + limit * deviation), kept


@compiled
def _moments(values: np.ndarray, start: int, stop: int, low: float, high: float) -> tuple[int, float, float]:
    """Return number, mean and standard deviation of the values from `low` to `high`."""
    kept, total, square = 0, 0.0, 0.0
    for k in range(start, stop):
        if low <= values[k] <= high:
            kept += 1
            total += values[k]
    if kept == 0:
        return 0, np.nan, np.nan
    for k in range(start, stop):
        if low <= values[k] <= high:
            square += (values[k] - total / kept) ** 2
    return kept, total / kept, np.sqrt(square / kept)


@compiled
def _running_median(
    plane: np.ndarray, columns: np.ndarray, kind: np.ndarray, by_kind: np.ndarray, sides: Sides, result: np.ndarray
) -> None:
    """Write, for each row, the median of the usable pixels in `columns` of the rows around, NaN without any.

    At the ends of the detector the rows are mirrored.
    """
    nrows, half = plane.shape[0], sides.length // 2
    last = nrows + sides.below + sides.above - 1
    window = np.empty((2 * half + 1) * columns.size)
    for r in range(nrows):
        n = 0
        for d in range(r + sides.below - half, r + sides.below + half + 1):
            row = min(abs(d), 2 * last - d) - sides.below
            if 0 <= row < nrows:
                for k in range(columns.size):
                    if sides.usable[row, columns[k]]:
                        window[n] = plane[row, columns[k]] - by_kind[kind[columns[k]]]
                        n += 1
        result[r] = median(window, n)
