"""Where things lie in a frame that interleaves light and reference pixels, and when each was read.

A frame is stored (rows, lines): along its rows five outputs follow each other, the reference output first (the last
one, and everything else the other way round, where the frame is stored `backwards`). All read at the same time, one
line after the other, and every second one backwards. An output reads `normal`/2 pixels, then by turns `reference` and
`normal` ones, `normal`/2 at last. Stepping to reference pixels and back takes the time of a pixel each, the end of a
line that of eight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

OUTPUTS = 5
AMPLIFIER = 512
END_OF_LINE = 8


@dataclass(frozen=True)
class Layout:
    """How many normal and how many reference pixels follow each other, the number of lines, the order of storage."""

    normal: int = 16
    reference: int = 4
    backwards: bool = False
    lines: int = 2048

    @property
    def steps(self) -> int:
        """How often an output steps to reference pixels in a line."""
        return AMPLIFIER // self.normal

    @property
    def width(self) -> int:
        """Pixels of one output in a line."""
        return AMPLIFIER + self.steps * self.reference

    @property
    def rows(self) -> int:
        """Rows of the frame."""
        return OUTPUTS * self.width

    @property
    def period(self) -> int:
        """Time from one line to the next, in pixels."""
        return (self.normal + self.reference + 2) * self.steps + END_OF_LINE

    @cached_property
    def is_reference(self) -> np.ndarray:
        """Which of the pixels (width,) of an output's line are reference pixels; it is the same backwards."""
        place = np.arange(self.width) - self.normal // 2
        return (place >= 0) & (place % (self.normal + self.reference) < self.reference)

    @cached_property
    def time(self) -> np.ndarray:
        """Time (width,) from the start of the line at which an output reads each of its pixels, in order."""
        order = np.arange(self.width)
        rounds = (order - self.normal // 2) // (self.normal + self.reference)
        return order + 2 * rounds + np.where(self.is_reference, 1, 2)

    @cached_property
    def row(self) -> np.ndarray:
        """Row (5, width) of the frame in which each output's pixels lie, in order of time; the reference's first."""
        rows = np.arange(self.rows).reshape(OUTPUTS, -1)
        rows[::2] = rows[::2, ::-1].copy()
        return self.rows - 1 - rows if self.backwards else rows

    @cached_property
    def interleaved(self) -> np.ndarray:
        """Which rows hold interleaved reference pixels, and what the reference output reads at the same time."""
        return np.tile(self.is_reference, OUTPUTS)

    @cached_property
    def light(self) -> np.ndarray:
        """The rows, in order, that make the frame of the detector."""
        return np.sort(self.row[1:, ~self.is_reference].ravel())

    @cached_property
    def blind(self) -> np.ndarray:
        """The other rows, in order."""
        return np.setdiff1d(np.arange(self.rows), self.light)

    @cached_property
    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """Times in a line that reference pixels stand for, and which of an output's pixels (in order) stands there.

        A reference pixel is read twice in a row and stands for twice its time: the two halves of a step by turns.
        """
        half, cycle = self.reference // 2, self.normal + self.reference + 2
        halves = np.arange(self.reference).reshape(2, half).T
        which = np.hstack([halves, halves]).ravel()
        if half % 2:
            which = which.reshape(-1, 2)[:, ::-1].ravel()
        first = cycle * np.arange(self.steps)[:, np.newaxis] + self.normal // 2 + 1
        times = first - half + np.arange(2 * self.reference)
        order = np.full(self.period, -1)
        order[self.time] = np.arange(self.width)
        return times.ravel(), order[(first + which).ravel()]

    def parity(self) -> np.ndarray:
        """Return which columns of the detector (rows,) are even: light by turns, the first two of four others."""
        place = np.arange(self.rows)
        return np.where(self.interleaved, place % 4 < 2, place % 2 == 0)

    def lines_in_time(self) -> np.ndarray:
        """Return when (lines,) each line, in the order of storage, was read: its number."""
        number = np.arange(self.lines)
        return number[::-1] if self.backwards else number
