"""Which reference pixels of a frame belong together, and which columns they serve.

Rows and columns are in the order of readout; `corner` is the row and the column, on the detector, of the first pixel
of the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from jwrules.kernels.refpix import Sets, Sides

DETECTOR, BORDER, AMPLIFIER = 2048, 4, 512
"""Pixels along a side of the detector, of its border of reference pixels, and of an amplifier's columns."""


class Readout(NamedTuple):
    """The slow and the fast direction (1 along x, 2 along y, negative towards lower pixels), and the first x and y."""

    slow: int
    fast: int
    x: int
    y: int

    def as_read(self, planes: np.ndarray) -> np.ndarray:
        """Return a view (..., nrows, ncolumns) of `planes` (..., ny, nx): its last axis is the fast direction."""
        if abs(self.fast) == 2:
            planes = np.swapaxes(planes, -2, -1)
        return self.turned(self.turned(planes, self.fast).swapaxes(-2, -1), self.slow).swapaxes(-2, -1)

    @staticmethod
    def turned(array: np.ndarray, axis: int) -> np.ndarray:
        """Return the array with its last axis from readout to pixels, or back."""
        return array if axis > 0 else array[..., ::-1]

    def first(self, axis: int, size: int) -> int:
        """Return the row or column, on the detector in order of readout, of the first of `size` that were read."""
        start = (self.x, self.y)[abs(axis) - 1]
        return start if axis > 0 else DETECTOR - start - size

    def corner(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return row and column of the first pixel of a frame (nrows, ncolumns), as read."""
        return self.first(self.slow, shape[0]), self.first(self.fast, shape[1])

    def amplifier(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the amplifier of each column, or row, of frames (..., ny, nx): along the fast direction."""
        size = shape[-abs(self.fast)]
        return self.turned((self.first(self.fast, size) + np.arange(size)) // AMPLIFIER, self.fast)


def of_amplifiers(
    usable: np.ndarray, corner: tuple[int, int], amplifiers: Sequence[np.ndarray], parities: Sequence[np.ndarray]
) -> Sets:
    """Return the `usable` pixels of the first and of the last four rows, by amplifier and by parity.

    `amplifiers` and `parities` are masks of columns. An amplifier that lacks one of its parities at both ends is left
    alone.
    """
    rows = corner[0] + np.arange(usable.shape[0])
    ends = [np.flatnonzero(end) for end in (rows < BORDER, rows >= DETECTOR - BORDER)]
    parts = []
    for amplifier in amplifiers:
        served = [amplifier & parity for parity in parities if (amplifier & parity).any()]
        if all(any((usable[end] & columns).any() for end in ends) for columns in served):
            parts += [(end, usable[end] & columns, columns) for end in ends for columns in served]
    return _sets(parts, usable.shape[1])


def together(usable: np.ndarray, parities: Sequence[np.ndarray]) -> Sets:
    """Return all the `usable` pixels by parity."""
    everywhere = np.arange(len(usable))
    return _sets([(everywhere, usable & parity, parity) for parity in parities], usable.shape[1])


def of_stripes(usable: np.ndarray, amplifiers: Sequence[np.ndarray], parities: Sequence[np.ndarray]) -> Sets:
    """Return all the `usable` pixels by amplifier and by parity; an amplifier that lacks one of these is left alone."""
    everywhere, parts = np.arange(len(usable)), []
    for amplifier in amplifiers:
        served = [amplifier & parity for parity in parities if (amplifier & parity).any()]
        if all(usable[:, columns].any() for columns in served):
            parts += [(everywhere, usable & columns, columns) for columns in served]
    return _sets(parts, usable.shape[1])


def _sets(references: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], ncolumns: int) -> Sets:
    """Return the sets of pixels that are given as the numbers of rows, a mask of these, and the columns served."""
    owners = np.full((ncolumns, 2), -1)
    rows, columns, starts = [np.empty(0, int)], [np.empty(0, int)], [0]
    for numbers, pixels, served in references:
        y, x = np.nonzero(pixels)
        if y.size:
            number = len(starts) - 1
            owners[served & (owners[:, 0] >= 0), 1] = number
            owners[served & (owners[:, 0] < 0), 0] = number
            rows.append(numbers[y])
            columns.append(x)
            starts.append(starts[-1] + y.size)
    pairs, kind = np.unique(owners, axis=0, return_inverse=True)
    return Sets(np.concatenate(rows), np.concatenate(columns), np.array(starts), pairs, kind.reshape(-1))


def amplifiers(first_column: int, ncolumns: int) -> Iterator[np.ndarray]:
    """Yield, for each amplifier of the detector, the mask of the columns that it reads."""
    columns = first_column + np.arange(ncolumns)
    for first in range(0, DETECTOR, AMPLIFIER):
        yield (columns >= first) & (columns < first + AMPLIFIER)


def parities(first_column: int, ncolumns: int, apart: bool) -> list[np.ndarray]:
    """Return the masks of even and odd columns, or one of all."""
    columns = first_column + np.arange(ncolumns)
    return [columns % 2 == 0, columns % 2 == 1] if apart else [columns >= 0]


def sides(usable: np.ndarray, corner: tuple[int, int], length: int, gain: float) -> Sides:
    """Return the `usable` pixels of the first and of the last four columns of the detector; none where `gain` is 0."""
    columns = corner[1] + np.arange(usable.shape[1])
    return Sides(
        left=np.flatnonzero(columns < BORDER),
        right=np.flatnonzero(columns >= DETECTOR - BORDER),
        usable=usable & ((columns < BORDER) | (columns >= DETECTOR - BORDER)) & (gain != 0),
        below=corner[0],
        above=DETECTOR - corner[0] - usable.shape[0],
        length=length | 1,
        gain=gain,
    )
