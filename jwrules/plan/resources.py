"""Memory and time that a job needs, from the size of its exposures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

MEGABYTE = 2**20
BASE = 400
"""Megabytes of Python with its libraries, before the first pixel."""

RAMP = 10
"""Bytes for each group of a pixel at the peak of a stage on ramps: as read, as a ramp, its flags, and room to work."""

_ON_RAMPS = ("detector1", "dark", "guider")

FRAME = {"detector1": 160, "dark": 160, "guider": 160, "image2": 200, "image3": 110}
"""Bytes for each pixel of a frame at the peak of a stage: references, slopes, coordinates, maps.

With them full frames of 7 and 16 groups ask 1.4 and 1.6 times what they were seen to take, an image 1.4 times, a mosaic
of four 1.2 times; small subarrays ask 1.1 times.
"""


def memory(stage: str, headers: Iterable[Mapping[str, Any]]) -> int:
    """Return the megabytes that `stage` needs at its peak for these exposures together."""
    total = 0
    for header in headers:
        pixels = _pixels(header)
        total += pixels * FRAME[stage]
        if stage in _ON_RAMPS:
            total += pixels * _groups(header) * RAMP
    return BASE + ceil(total / MEGABYTE)


def minutes(stage: str, headers: Iterable[Mapping[str, Any]]) -> int:
    """Return the minutes after which a job of `stage` must have gone wrong: several times what it takes."""
    headers = list(headers)
    pixels = sum(_pixels(header) for header in headers) / 2048**2
    if stage in _ON_RAMPS:
        groups = sum(_pixels(header) * _groups(header) for header in headers) / 2048**2
        return 15 + ceil(2 * groups)
    return 15 + ceil(10 * pixels)


def _pixels(header: Mapping[str, Any]) -> int:
    return _count(header, "SUBSIZE1", 2048) * _count(header, "SUBSIZE2", 2048)


def _groups(header: Mapping[str, Any]) -> int:
    return _count(header, "NGROUPS", 1) * _count(header, "NINTS", 1)


def _count(header: Mapping[str, Any], keyword: str, usual: int) -> int:
    value = header.get(keyword)
    return int(value) if isinstance(value, int | float | str) and str(value).isdigit() else usual
