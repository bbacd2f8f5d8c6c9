"""Drifts of outputs that read every fourth column, by the reference pixels at both ends of the rows.

Column x belongs to output x modulo 4. The first and the last four columns see no light: one of each output. What the
reference pixels of an output have in common, at either end, is their mean after clipping; the ends count alike.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.refpix import clipped_mean

OUTPUTS = 4


def drifts(planes: np.ndarray, usable: np.ndarray, parities: int, limit: float) -> np.ndarray:
    """Return what each output of `planes` (n, ny, nx) is too high, (n, parities, 4).

    With `parities` 2 the even and the odd rows are apart (counted from 0), with 1 they are together. Means are clipped
    at `limit` σ over the pixels that are `usable` (ny, nx); where an end of the rows has none the other one serves, and
    NaN says that neither has.
    """
    result = np.empty((len(planes), parities, OUTPUTS))
    over_rows(_drifts, len(planes), as_input(planes), as_input(usable), limit, result)
    return result


@compiled
def _drifts(start: int, stop: int, planes: np.ndarray, usable: np.ndarray, limit: float, result: np.ndarray) -> None:
    parities, values = result.shape[1], np.empty(usable.shape[0])
    for k in range(start, stop):
        for parity in range(parities):
            for output in range(OUTPUTS):
                result[k, parity, output] = _drift(planes[k], usable, (parity, parities), output, limit, values)


@compiled
def _drift(
    plane: np.ndarray, usable: np.ndarray, rows: tuple[int, int], output: int, limit: float, values: np.ndarray
) -> float:
    """Return the mean of an output's two ends, in every rows[1]-th row from rows[0] on."""
    total, ends = 0.0, 0
    for column in (output, plane.shape[1] - OUTPUTS + output):
        n = 0
        for row in range(rows[0], plane.shape[0], rows[1]):
            if usable[row, column]:
                values[n] = plane[row, column]
                n += 1
        mean = clipped_mean(values, 0, n, limit)
        if not np.isnan(mean):
            total += mean
            ends += 1
    return total / ends


def subtract(planes: np.ndarray, excess: np.ndarray, corner: tuple[int, int] = (0, 0)) -> None:
    """Take `excess` (n, parities, 4) off the rows and columns of `planes` (n, ny, nx) that it belongs to, in place.

    `corner` is row and column of the first pixel of the planes.
    """
    parities = excess.shape[1]
    for row in range(parities):
        for column in range(OUTPUTS):
            own = excess[:, (corner[0] + row) % parities, (corner[1] + column) % OUTPUTS]
            planes[:, row::parities, column::OUTPUTS] -= own[:, np.newaxis, np.newaxis]
