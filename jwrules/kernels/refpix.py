"""Drifts of the readout, measured by pixels that see no light and taken off the others.

Everything here is in the frame of the detector: rows are read one after the other, a row along its columns. What the
reference pixels of a set of columns have in common is their mean after clipping; what those at the ends of the
rows have in common is a running median over rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from jwrules.kernels.compiled import inner, parallel


class Sets(NamedTuple):
    """Sets of reference pixels: those of set k are rows[starts[k]:starts[k + 1]] and the same columns.

    Each column of the detector belongs to two sets, owners (ncolumns, 2), whose means are averaged; -1 is none.
    """

    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    owners: np.ndarray


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


@parallel
def subtract_drifts(planes: np.ndarray, sets: Sets, sides: Sides, limit: float) -> None:
    """Take the drifts off each of `planes` (n, nrows, ncolumns), in place; means are clipped at `limit` σ."""
    for k in prange(planes.shape[0]):
        _correct(planes[k], sets, sides, limit)


@inner
def _correct(plane: np.ndarray, sets: Sets, sides: Sides, limit: float) -> None:
    nrows, ncolumns = plane.shape
    by_column = _column_offsets(plane, sets, limit)
    by_row = np.zeros(nrows)
    if sides.gain != 0:
        left = _running_median(plane, sides.left, by_column, sides)
        right = _running_median(plane, sides.right, by_column, sides)
        for r in range(nrows):
            by_row[r] = sides.gain * _mean_of_two(left[r], right[r])
    for r in range(nrows):
        for c in range(ncolumns):
            plane[r, c] = plane[r, c] - by_column[c] - by_row[r]


@inner
def _column_offsets(plane: np.ndarray, sets: Sets, limit: float) -> np.ndarray:
    means = np.empty(sets.starts.size - 1)
    values = np.empty(sets.rows.size)
    for k in range(sets.rows.size):
        values[k] = plane[sets.rows[k], sets.columns[k]]
    for s in range(means.size):
        means[s] = clipped_mean(values[sets.starts[s] : sets.starts[s + 1]], limit)
    offsets = np.zeros(plane.shape[1])
    for c in range(offsets.size):
        first, second = sets.owners[c, 0], sets.owners[c, 1]
        offsets[c] = _mean_of_two(means[first] if first >= 0 else np.nan, means[second] if second >= 0 else np.nan)
    return offsets


@inner
def _mean_of_two(a: float, b: float) -> float:
    """Return the mean of the numbers among a and b, 0 where there is none."""
    if np.isnan(a):
        return 0.0 if np.isnan(b) else b
    return a if np.isnan(b) else (a + b) / 2


@inner
def clipped_mean(values: np.ndarray, limit: float) -> float:
    """Return the mean of `values`, without those beyond `limit` σ of the mean of the rest; NaN where there are none."""
    low, high, kept, before, middle = -np.inf, np.inf, values.size, -1, np.nan
    while 0 < kept != before:
        rest = values[(values >= low) & (values <= high)]
        before, middle = kept, rest.mean()
        reach = limit * rest.std()
        low, high = max(low, middle - reach), min(high, middle + reach)
        kept = int(np.count_nonzero((rest >= low) & (rest <= high)))
    return middle


@inner
def _running_median(plane: np.ndarray, columns: np.ndarray, by_column: np.ndarray, sides: Sides) -> np.ndarray:
    """Return, for each row, the median of the usable pixels in `columns` of the rows around, NaN without any.

    At the ends of the detector the rows are mirrored.
    """
    nrows, half = plane.shape[0], sides.length // 2
    total = nrows + sides.below + sides.above
    result = np.empty(nrows)
    window = np.empty((2 * half + 1) * columns.size)
    for r in range(nrows):
        n = 0
        for d in range(r + sides.below - half, r + sides.below + half + 1):
            mirrored = -d if d < 0 else (2 * (total - 1) - d if d >= total else d)
            row = mirrored - sides.below
            if 0 <= row < nrows:
                for c in columns:
                    if sides.usable[row, c]:
                        window[n] = plane[row, c] - by_column[c]
                        n += 1
        result[r] = np.median(window[:n]) if n else np.nan
    return result
