"""Exposures that read stripes of a detector and lay them side by side (multistripe subarrays), and reference files.

A stripe is MSTR_RD1 lines, mostly reference pixels, MSTR_SK1 lines that are passed over, and MSTR_RD2 lines of light.
More stripes follow until the frame is full: with MSTR_RPT = 0 the readout goes on, by MSTR_SK2 lines that are passed
over and MSTR_RD2 that are read; else it begins anew with each stripe, at the same light, or (MSTR_ILV = 1) further on
by what lies between. Lines are counted along the slow direction of the readout. A superstripe exposure moves on by
SSTR_STP lines from integration to integration, and begins anew after SSTR_NST of them (see `superstripes`). Source:
JWST keyword dictionary; documentation, NIRCam Detector Subarrays (DHS), NIRISS SOSS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from jwrules.errors import HeaderFault
from jwrules.products.kinds import Meta
from jwrules.products.stored import Stored

DETECTOR, BORDER = 2048, 4
"""Lines of a detector, and how many at either end are reference pixels."""
REQUIRED = ("MSTR_RD1", "MSTR_SK1", "MSTR_RD2", "MSTR_SK2", "MSTR_RPT", "MSTR_ILV")
SUPERSTRIPES = ("SSTR_STP", "SSTR_NST")
KEYWORDS = (*REQUIRED, *SUPERSTRIPES)

Box = tuple[slice | np.ndarray, ...]
"""A piece of an array: along the last axes a slice each, or the numbers of lines in their order."""


class Readout(NamedTuple):
    """What the keywords say; `first` is the line of the detector, in order of readout from 0, where it begins."""

    reads1: int
    skips1: int
    reads2: int
    skips2: int
    repeats: int
    interleaves: int
    step: int
    superstripes: int
    first: int
    slow: int


@dataclass(frozen=True)
class Stripes:
    """Where the lines of a frame lie on the detector.

    `axis`, -2 or -1, is the slow direction in arrays (..., rows, columns). `lines` (n,) are the rows, or columns, of
    the detector in the order of the frame, counted from 0 in science pixels; `heads` (n,), bool, are those that a
    stripe begins with. Of a superstripe exposure the frames of `superstripes` integrations lie side by side; else that
    is 0.
    """

    axis: int
    lines: np.ndarray
    heads: np.ndarray
    superstripes: int

    def frames(self) -> Iterator[tuple[Any, ...]]:
        """Yield the index of each frame as it was read, one or one for each superstripe, in (..., rows, columns)."""
        size = self.lines.size // max(self.superstripes, 1)
        for first in range(0, self.lines.size, size):
            yield self.index(slice(first, first + size))

    def neighbours(self) -> Iterator[slice]:
        """Yield each set of lines of a frame that see light and lie side by side on the detector too."""
        size = self.lines.size // max(self.superstripes, 1)
        for first in range(0, self.lines.size, size):
            for run in runs(self.lines[first : first + size]):
                low, high = self.lines[first + run.start], self.lines[first + run.stop - 1]
                start = first + run.start + max(0, BORDER - int(low))
                stop = first + run.stop - max(0, int(high) - (DETECTOR - BORDER - 1))
                if start < stop:
                    yield slice(start, stop)

    def index(self, lines: slice | np.ndarray) -> tuple[Any, ...]:
        """Return the index of these lines in an array (..., rows, columns)."""
        return (..., lines, slice(None)) if self.axis == -2 else (..., lines)


def is_striped(meta: Meta) -> bool:
    """Return whether an exposure reads stripes of the detector."""
    return any(meta.get(keyword) for keyword in KEYWORDS)


def is_superstriped(meta: Meta) -> bool:
    """Return whether the frames of an exposure hold a stripe of the detector each, another one in each integration."""
    return bool(meta.get("SSTR_NST"))


def stripes_of(meta: Meta, shape: Sequence[int]) -> Stripes | None:
    """Return what whole frames of `shape` (..., rows, columns) hold, None for an exposure that reads no stripes.

    Raises HeaderFault where a keyword is missing, or the stripes that they tell do not fill the frames.
    """
    if not is_striped(meta):
        return None
    readout = readout_of(meta)
    size = shape[-2 if abs(readout.slow) == 2 else -1] // max(readout.superstripes, 1)
    stripes = _stripes(readout, size)
    reason = f"stripes {_lengths(readout, size)}, not of {size}" if stripes is None else _beyond(stripes.lines)
    if stripes is None or reason:
        values = ", ".join(f"{keyword} = {meta.get(keyword)}" for keyword in (*KEYWORDS, _keyword(readout.slow)))
        raise HeaderFault(f"{_named(meta)}: {reason} ({values}); correct the header, or get the file again")
    return stripes


def readout_of(meta: Meta) -> Readout:
    """Return what the keywords of a multistripe exposure say; HeaderFault where one is missing."""
    of_superstripes = SUPERSTRIPES if is_superstriped(meta) else ()
    missing = [keyword for keyword in (*REQUIRED, *of_superstripes, "SLOWAXIS") if meta.get(keyword) is None]
    if not missing and not meta.get("MSTR_RD2") and not (is_superstriped(meta) and meta.get("SSTR_STP")):
        missing = ["lines to read (MSTR_RD2)"]
    if missing:
        known = ", ".join(f"{k} = {meta.get(k)}" for k in KEYWORDS if meta.get(k))
        raise HeaderFault(
            f"{_named(meta)}: without {' and '.join(missing)} it is not known which stripes of the detector were read"
            f" ({known}); correct the header, or get the file again"
        )
    numbers = [int(meta.get(keyword) or 0) for keyword in KEYWORDS]
    numbers[2] = numbers[2] or numbers[6]
    return Readout._make([*numbers, _first(meta), int(meta["SLOWAXIS"])])


def _first(meta: Meta) -> int:
    """Return the line where the readout begins.

    SUBSTRT is where it begins, also where it runs backwards; 1 is then a mistake of early files, as is anything but
    the edge of the detector for DHS.
    """
    slow = int(meta["SLOWAXIS"])
    start = int(meta[_keyword(slow)])
    if "DHS" in str(meta.get("SUBARRAY", "")) or start == 1:
        return 0
    return start - 1 if slow > 0 else DETECTOR - start


def _keyword(slow: int) -> str:
    return f"SUBSTRT{abs(slow)}"


def _named(meta: Meta) -> str:
    return meta.source or "the exposure"


@lru_cache
def _stripes(readout: Readout, size: int) -> Stripes | None:
    """Return what frames of `size` lines hold, None where stripes do not fill them."""
    found = [_order(readout, size, readout.step * number) for number in range(max(readout.superstripes, 1))]
    lines, heads = (np.concatenate(parts) for parts in zip(*found, strict=True))
    for array in (lines, heads):
        array.flags.writeable = False
    return Stripes(-abs(readout.slow), lines, heads, readout.superstripes) if found[0][0].size == size else None


def _order(readout: Readout, size: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines of a frame, and which are heads of stripes, in science pixels: at least `size`."""
    head, light = np.arange(readout.reads1), np.arange(readout.reads2)
    place = readout.reads1 + readout.skips1 + offset
    lines, is_head = [head, place + light], [head >= 0, light < 0]
    between = readout.reads2 + readout.skips2
    while sum(map(len, lines)) < size:
        if readout.repeats:
            place += between if readout.interleaves else 0
            lines.append(head)
            is_head.append(head >= 0)
        else:
            place += between
        lines.append(place + light)
        is_head.append(light < 0)
    found, heads = readout.first + np.concatenate(lines), np.concatenate(is_head)
    return (found, heads) if readout.slow > 0 else (DETECTOR - 1 - found[::-1], heads[::-1])


def _lengths(readout: Readout, size: int) -> str:
    later = readout.reads2 + (readout.reads1 if readout.repeats else 0)
    more = max(0, size - readout.reads1 - readout.reads2) // later
    low = readout.reads1 + readout.reads2 + more * later
    return f"make up frames of {low} or {low + later} lines"


def _beyond(lines: np.ndarray) -> str:
    low, high = int(lines.min()), int(lines.max())
    if low >= 0 and high < DETECTOR:
        return ""
    return f"stripes reach from line {low} to {high} of a detector that has lines 0 to {DETECTOR - 1}"


def runs(lines: np.ndarray) -> Iterator[slice]:
    """Yield which of the lines follow each other, as slices."""
    edges = [0, *(np.flatnonzero(np.diff(lines) != 1) + 1).tolist(), lines.size]
    yield from (slice(first, last) for first, last in pairwise(edges))


def boxes(box: Box) -> Iterator[tuple[slice, ...]]:
    """Yield the pieces that make up a box, along the axis on which it names lines; itself where there is none."""
    named = [(k, one) for k, one in enumerate(box) if isinstance(one, np.ndarray)]
    sliced = [one if isinstance(one, slice) else slice(None) for one in box]
    for axis, lines in named:
        for run in runs(lines):
            sliced[axis] = slice(int(lines[run.start]), int(lines[run.stop - 1]) + 1)
            yield tuple(sliced)
    if not named:
        yield tuple(sliced)


def read(array: Stored, box: Box, dtype: Any = np.float32) -> np.ndarray:
    """Return a piece of an array on disk, its lines in the order that the box names."""
    pieces = [array.read(piece, dtype) for piece in boxes(box)]
    axis = next((k - len(box) for k, one in enumerate(box) if isinstance(one, np.ndarray)), 0)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis)
