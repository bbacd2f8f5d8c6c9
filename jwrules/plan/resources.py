"""Memory and time that a job needs, from the size of its exposures.

Stages on ramps send an exposure through their steps block by block, in the memory that they are given: they ask for as
much as makes them fast. Up to ROOM that is the whole exposure; a longer one comes from disk more than once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

MEGABYTE = 2**20
BASE = 400
"""Megabytes of Python with its libraries, before the first pixel."""

FRAME = {"image2": 200, "image3": 110}
"""Bytes for each pixel of a frame at the peak of a stage: references, slopes, coordinates, maps.

With them an image asks 1.4 times what it was seen to take, a mosaic of four 1.2 times.
"""
_IN_BLOCKS = ("detector1", "dark", "guider")

STREAM = 280
"""Megabytes of a stage on ramps before the first pixel: Python, libraries and compiled kernels."""
MAPS = 50
"""Bytes for each pixel of a frame: flags, reference files, rates."""
SAMPLE = 5
"""Bytes for each group of a pixel: its counts and its flags."""
WORKED_ON, INTEGRATION, RAMP = 7, 40, 300
"""Bytes in a block for each group, each integration, and each ramp of a pixel."""
BLOCKS = 4 * 48 * MEGABYTE
"""Blocks that are worked on by four threads."""
ROOM = 1024 * MEGABYTE
"""What an exposure may fill."""
LEAST = 4.5 * 9 * 9
"""Pixels of the least blocks of four threads, and some air: each is a pixel and those beside it that decide on it."""
INTERLEAVED_ROWS, DETECTOR_ROWS = 3200, 2048
SPECTRA = 40
"""More bytes for each pixel of a frame in IRS2 readout (NIRSpec): its outputs wave by wave, and their weights."""


@dataclass(frozen=True)
class Size:
    """How large an exposure is as it is read; frames of superstripes lie side by side."""

    integrations: int
    groups: int
    rows: int
    columns: int
    is_interleaved: bool = False
    is_superstriped: bool = False

    @property
    def frame(self) -> int:
        """Pixels of a frame."""
        return self.rows * self.columns

    @property
    def samples(self) -> int:
        """Groups of all pixels."""
        return self.integrations * self.groups * self.frame


def memory(stage: str, sizes: Sequence[Size], beside: int = 0) -> int:
    """Return the megabytes that `stage` needs at its peak for exposures of these sizes together.

    `beside` are bytes for each group of a pixel in an integration that is worked on.
    """
    if stage == "guider":
        return max(STREAM + ceil(_of_reads(size) / MEGABYTE) for size in sizes)
    if stage in _IN_BLOCKS:
        return max(STREAM + ceil(_in_blocks(size, beside) / MEGABYTE) for size in sizes)
    return BASE + ceil(sum(size.frame * FRAME[stage] for size in sizes) / MEGABYTE)


def _of_reads(size: Size) -> float:
    """Return the bytes with which a guide star is fast: nothing is kept of it, and at least an integration fits."""
    one = size.frame * (size.groups * SAMPLE + INTEGRATION)
    return size.frame * MAPS + max(one, min(size.integrations * one, BLOCKS))


def _in_blocks(size: Size, beside: int) -> float:
    """Return the bytes with which an exposure is fast; at least an integration fits, and the ramps of some pixels."""
    resized = 1 + DETECTOR_ROWS / INTERLEAVED_ROWS if size.is_interleaved else 2 if size.is_superstriped else 1
    whole = resized * size.samples * SAMPLE
    one = whole / size.integrations
    ramp = size.integrations * (size.groups * WORKED_ON + INTEGRATION) + RAMP
    kept = max(min(whole, ROOM), min(whole, 1.5 * one), ramp * LEAST)
    maps = MAPS + (SPECTRA if size.is_interleaved else 0)
    return size.frame * (maps + size.groups * beside) + kept + BLOCKS


def minutes(stage: str, sizes: Sequence[Size]) -> int:
    """Return the minutes after which a job of `stage` must have gone wrong: several times what it takes."""
    if stage in FRAME:
        return 15 + ceil(10 * sum(size.frame for size in sizes) / 2048**2)
    return 15 + ceil(0.25 * sum(size.samples for size in sizes) / 2048**2)


START = 1.2
"""Seconds of a process before the first pixel."""
_SECONDS = {"detector1": 6e-8, "dark": 4e-8, "guider": 2e-8, "image2": 1e-6, "image3": 4e-6}
"""Seconds for each group of a pixel, in stages 2 and 3 for each pixel."""


def seconds(stage: str, sizes: Sequence[Size]) -> float:
    """Return about how many seconds a job of `stage` takes on one processor, start included."""
    units = sum(size.samples if stage in _IN_BLOCKS else size.frame for size in sizes)
    return START + _SECONDS[stage] * units


def size_of(header: Mapping[str, Any]) -> Size:
    """Return the size of a file by its header; one that is a segment holds some integrations of its exposure."""
    integrations = _count(header, "NINTS", 1)
    first, last = (_count(header, keyword, 0) for keyword in ("INTSTART", "INTEND"))
    if 0 < first <= last <= integrations:
        integrations = last - first + 1
    rows, columns = _count(header, "SUBSIZE2", 2048), _count(header, "SUBSIZE1", 2048)
    is_interleaved = header.get("INSTRUME") == "NIRSPEC" and "IRS2" in str(header.get("READPATT", ""))
    rows = INTERLEAVED_ROWS if is_interleaved else rows
    superstripes = max(_count(header, "SSTR_NST", 0), 1)
    groups, integrations = max(_count(header, "NGROUPS", 1), 1), max(integrations // superstripes, 1)
    return Size(integrations, groups, rows * superstripes, columns, is_interleaved, superstripes > 1)


def _count(header: Mapping[str, Any], keyword: str, usual: int) -> int:
    value = header.get(keyword)
    return int(value) if isinstance(value, int | float | str) and str(value).isdigit() else usual
