"""Which part of an exposure a block holds: whole frames of some integrations, or whole ramps of some pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Box:
    """Which integrations, rows and columns a block holds, and which of its rows and columns are not margin."""

    i: slice
    y: slice
    x: slice
    own: tuple[slice, slice] = (slice(None), slice(None))

    def of(self, axes: str) -> tuple[slice, ...]:
        """Return the index of the block in an array with these axes."""
        return tuple({"i": self.i, "y": self.y, "x": self.x}.get(letter, slice(None)) for letter in axes)

    def inner(self, axes: str) -> tuple[slice, ...]:
        """Return the index of what is not margin in an array of the block."""
        return tuple({"y": self.own[0], "x": self.own[1]}.get(letter, slice(None)) for letter in axes)

    def without_margin(self) -> Box:
        """Return the box of what is not margin."""
        y, x = (_within(outer, own) for outer, own in zip((self.y, self.x), self.own, strict=True))
        return Box(self.i, y, x)

    def widened(self, margin: int, shape: tuple[int, int]) -> Box:
        """Return the box with a margin on all sides, as far as the frame reaches."""
        y, x = (
            slice(max(one.start - margin, 0), min(one.stop + margin, size))
            for one, size in zip((self.y, self.x), shape, strict=True)
        )
        own = tuple(
            slice(one.start - wide.start, one.stop - wide.start)
            for one, wide in zip((self.y, self.x), (y, x), strict=True)
        )
        return Box(self.i, y, x, (own[0], own[1]))


def _within(outer: slice, inner: slice) -> slice:
    start, stop, _ = inner.indices(outer.stop - outer.start)
    return slice(outer.start + start, outer.start + stop)


@dataclass(frozen=True)
class Seam:
    """What lay on both sides of an edge between blocks, which runs across `axis`, before they were worked on."""

    axis: str
    edge: int
    strip: Box
    kept: Mapping[str, np.ndarray]

    def mend(self, name: str, piece: np.ndarray, box: Box) -> None:
        """Put back the margin of a piece beyond the edge, where the edge is one of the block's own."""
        outer, own = getattr(box, self.axis), getattr(box.without_margin(), self.axis)
        if name not in self.kept or self.edge not in (own.start, own.stop):
            return
        low, high = (outer.start, own.start) if self.edge == own.start else (own.stop, outer.stop)
        y, x = (slice(low, high) if axis == self.axis else getattr(box, axis) for axis in "yx")
        source = self.kept[name][..., _from(y, self.strip.y), _from(x, self.strip.x)]
        piece[..., _from(y, box.y), _from(x, box.x)] = source


def _from(one: slice, outer: slice) -> slice:
    return slice(one.start - outer.start, one.stop - outer.start)


def frames(shape: Sequence[int], together: int) -> Iterator[Box]:
    """Yield boxes of whole frames of an exposure (nints, ngroups, ny, nx), of `together` integrations at most."""
    nints, _, ny, nx = shape
    for start in range(0, nints, together):
        yield Box(slice(start, min(start + together, nints)), slice(0, ny), slice(0, nx))


def ramps(shape: Sequence[int], rows: int, columns: int, margin: int) -> Iterator[Box]:
    """Yield boxes of whole ramps, of `rows` and `columns` at most, beside a margin; `shape` as of frames."""
    nints, _, ny, nx = shape
    for y in range(0, ny, rows):
        for x in range(0, nx, columns):
            inner = Box(slice(0, nints), slice(y, min(y + rows, ny)), slice(x, min(x + columns, nx)))
            yield inner.widened(margin, (ny, nx))
