"""How much room the products of a job take on disk, from the sizes of its exposures; about, before anything is made."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from jwrules.plan.resources import DETECTOR_ROWS, Size

_PIXEL = {"rate": 20, "bsub": 20, "cal": 28, "crf": 28, "i2d": 28, "segm": 4, "cat": 0.3}
"""Bytes for each pixel of a product: SCI, ERR, DQ and variances, or context and weights (products.kinds)."""
_INTEGRATION = {"rateints": 20}
"""Bytes for each pixel of each integration."""
_SAMPLE = {"dark": 5, "guider": 8}
"""Bytes for each pixel of each group: its counts and flags, or its rate and error."""

HEADERS = 60_000
"""Bytes of a file beside its arrays: keywords, tables, coordinates."""
_GROWS = 1.01
"""How much larger an image is once its distortion is taken out."""
_PLANE = 32
"""Members that share a plane of the context of a mosaic."""
_DITHERED = 100
"""Pixels over which a target is dithered, where XOFFSET and YOFFSET do not say it."""
_SCALES = {"MIRI": 0.11, "NIRISS": 0.065, "FGS": 0.069, "NIRSPEC": 0.1}
_NIRCAM = {"SHORT": 0.031, "LONG": 0.063}
"""Arc seconds of a pixel (JWST documentation)."""


def room(stage: str, suffixes: Sequence[str], sizes: Sequence[Size], headers: Sequence[Mapping[str, Any]]) -> int:
    """Return the bytes of the products with these suffixes, `crf` among them where members are written again."""
    if stage == "image3":
        return sum(_of_mosaic(suffix, sizes, headers) for suffix in suffixes)
    return sum(_of_exposure(stage, suffix, sizes[0]) for suffix in suffixes)


def _of_mosaic(suffix: str, sizes: Sequence[Size], headers: Sequence[Mapping[str, Any]]) -> int:
    if suffix == "crf":
        return sum(_of_exposure("image2", suffix, size) for size in sizes)
    bytes_of_pixel = _PIXEL[suffix] + (4 * (ceil(len(sizes) / _PLANE) - 1) if suffix == "i2d" else 0)
    return HEADERS + ceil(bytes_of_pixel * _pixels(sizes, headers))


def _of_exposure(stage: str, suffix: str, size: Size) -> int:
    rows = DETECTOR_ROWS if size.is_interleaved else size.rows
    frame = rows * size.columns
    if suffix in _INTEGRATION:
        return HEADERS + _INTEGRATION[suffix] * frame * size.integrations
    if stage in _SAMPLE:
        return HEADERS + _SAMPLE[stage] * frame * size.integrations * size.groups + 4 * frame
    return HEADERS + ceil(_PIXEL[suffix] * frame * (_GROWS if suffix == "i2d" else 1))


def _pixels(sizes: Sequence[Size], headers: Sequence[Mapping[str, Any]]) -> int:
    """Return the pixels of a mosaic: those of the frames side by side, by detector and tile, each with its dithers."""
    places = {(one.get("DETECTOR"), one.get("TARGPROP"), one.get("MOSTILNO")) for one in headers}
    rows, columns = max(size.rows for size in sizes), max(size.columns for size in sizes)
    across, along = (_spread(keyword, headers) if len(headers) > 1 else 0 for keyword in ("XOFFSET", "YOFFSET"))
    return len(places) * (columns + across) * (rows + along)


def _spread(keyword: str, headers: Sequence[Mapping[str, Any]]) -> int:
    offsets = [float(one[keyword]) for one in headers if isinstance(one.get(keyword), int | float)]
    if len(offsets) < len(headers):
        return _DITHERED
    first = headers[0]
    scale = _SCALES.get(str(first.get("INSTRUME")), _NIRCAM.get(str(first.get("CHANNEL")), _NIRCAM["SHORT"]))
    return ceil((max(offsets) - min(offsets)) / scale)


def free(directory: Path) -> int:
    """Return the bytes that are free where a folder is, or will be."""
    there = next(place for place in (directory, *directory.parents) if place.exists())
    return shutil.disk_usage(there).free


def told(products: int, missing: int, free: int, directory: Path | str) -> str:
    """Return in one line how many bytes products take, how many are still to come, and whether that many are free."""
    room = f"disk: products take about {said(products)}, {said(missing)} of it still to come"
    enough = ": not enough" if missing > free else ""
    return f"{room}; {said(free)} are free in {directory}{enough}"


def said(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
