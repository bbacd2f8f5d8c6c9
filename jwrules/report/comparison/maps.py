"""Maps of differences for pictures, drawn up piece by piece: coarse where the image is large."""

from __future__ import annotations

import numpy as np

from jwrules.report.comparison.opened import Box

_SIDE = 1000


class Maps:
    """Of each place in the image: the difference farthest from 0, the mean difference, the most telling class.

    A place is a pixel of all integrations and groups together, in large images a square of `step` pixels a side.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        ny, nx = shape[-2:] if len(shape) > 1 else (1, *shape)
        self.size = (ny, nx)
        self.planes = int(np.prod(shape[:-2], dtype=int))
        self.step = max(1, -(-max(ny, nx) // _SIDE))
        coarse = (-(-ny // self.step), -(-nx // self.step))
        self.low, self.high = np.full(coarse, np.nan), np.full(coarse, np.nan)
        self.total, self.number = np.zeros(coarse), np.zeros(coarse, np.int64)
        self.classes = np.zeros(coarse, np.int8)

    @property
    def of(self) -> str:
        """What a place stands for; nothing where that is a single pixel."""
        planes = [f"{self.planes} planes"] if self.planes > 1 else []
        return " and ".join([*planes, *([f"{self.step} x {self.step} pixels"] if self.step > 1 else [])])

    @property
    def farthest(self) -> np.ndarray:
        """The difference farthest from 0."""
        return np.where(self.high >= -self.low, self.high, self.low)

    @property
    def mean(self) -> np.ndarray:
        """The mean of all differences."""
        return np.where(self.number > 0, self.total / np.maximum(self.number, 1), np.nan)

    def add(self, box: Box, pulls: np.ndarray, kind: np.ndarray) -> None:
        """Add a piece: its differences, NaN where there is none, and classes."""
        rows = box[-2] if len(box) > 1 else slice(0, 1)
        for values, classes in zip(_planes(pulls), _planes(kind), strict=True):
            first = rows.start // self.step
            good = np.isfinite(values)
            low = self._squares(np.where(good, values, np.inf), rows.start, np.minimum)
            high = self._squares(np.where(good, values, -np.inf), rows.start, np.maximum)
            here = slice(first, first + len(low))
            self.low[here] = np.fmin(self.low[here], np.where(np.isfinite(low), low, np.nan))
            self.high[here] = np.fmax(self.high[here], np.where(np.isfinite(high), high, np.nan))
            self.total[here] += self._squares(np.where(good, values, 0.0), rows.start, np.add)
            self.number[here] += self._squares(good.astype(np.int64), rows.start, np.add)
            self.classes[here] = np.maximum(
                self.classes[here], self._squares(_telling(classes), rows.start, np.maximum)
            )

    def _squares(self, plane: np.ndarray, row: int, take: np.ufunc) -> np.ndarray:
        """Return what `take` makes of each square; rows are counted from the image's first."""
        edges = [0, *range(self.step - row % self.step, plane.shape[0], self.step)]
        columns = range(0, plane.shape[1], self.step)
        found: np.ndarray = take.reduceat(take.reduceat(plane, edges, axis=0), columns, axis=1)
        return found


TELLING = (0, 3, 4, 1, 2)
"""The classes of science.BY_FLAGS from the least telling to the most."""


def _telling(classes: np.ndarray) -> np.ndarray:
    """Return the place of each class in TELLING."""
    found: np.ndarray = np.argsort(TELLING).astype(np.int8)[classes]
    return found


def _planes(piece: np.ndarray) -> np.ndarray:
    return piece.reshape(-1, *piece.shape[-2:]) if piece.ndim > 1 else piece[None, None, :]
