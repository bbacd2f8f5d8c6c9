"""Arrays of FITS files read piece by piece: an exposure may be larger than memory.

A piece is a box of the array, one slice along each axis. What is needed is read from the file; nothing stays mapped.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as combinations
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.errors import DataFault
from jwrules.kernels import stored as kernel

_SIGN = 1 << 31
AT_ONCE = 1 << 20
"""Bytes that are read before they are converted: they stay in the cache meanwhile."""


@dataclass(frozen=True)
class Stored:
    """An image extension: where its array begins, its shape and stored type, and what is added to its numbers."""

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    zero: float
    scale: float

    def read(self, box: Sequence[slice] = (), dtype: Any = np.float32) -> np.ndarray:
        """Return the piece in `box`, whole along axes that it does not name last, as a native array."""
        limits = bounds(box, self.shape)
        values = np.empty([stop - start for start, stop in limits], dtype)
        self.fill(values, box)
        return values

    def fill(self, values: np.ndarray, box: Sequence[slice] = ()) -> None:
        """Write the piece in `box` into `values`, of the same shape."""
        *outer, rows, columns = bounds(box, self.shape if len(self.shape) > 1 else (1, *self.shape))
        planes = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values.reshape(1, 1, -1)
        numbers = list(combinations(*(range(start, stop) for start, stop in outer)))
        lines, size = (rows[1] - rows[0], self.shape[-1]), self.dtype.itemsize
        together = max(1, min(len(planes), AT_ONCE // (lines[0] * lines[1] * size)))
        raw = np.empty((together, *lines), self.dtype)
        views = [memoryview(one.reshape(-1).view(np.uint8).data) for one in raw]
        with self.path.open("rb", buffering=0) as file:
            for first in range(0, len(planes), together):
                some = numbers[first : first + together]
                for view, number in zip(views, some, strict=False):
                    start = self.offset + index((*number, rows[0], 0), self.shape) * size
                    _read_into(file.fileno(), view, start, self.path)
                self._convert(raw[: len(some), :, columns[0] : columns[1]], planes[first : first + together])

    def _convert(self, raw: np.ndarray, plane: np.ndarray) -> None:
        shorts = raw.dtype == ">i2" and plane.dtype == np.float32 and self.scale == 1
        if shorts and plane.flags.c_contiguous:
            kernel.floats_from_shorts(
                np.ascontiguousarray(raw).view(np.uint16).reshape(-1), self.zero, plane.reshape(-1)
            )
        elif raw.dtype == ">i4" and plane.dtype == np.uint32 and self.zero == _SIGN:
            np.bitwise_xor(raw.view(">u4"), np.uint32(_SIGN), out=plane, casting="unsafe")
        elif self.zero or self.scale != 1:
            plane[...] = raw.astype(np.float64) * self.scale + self.zero
        else:
            plane[...] = raw


def index(number: Sequence[int], shape: Sequence[int]) -> int:
    """Return how many elements lie before the one with this number."""
    count = 0
    for k, size in zip(number[-len(shape) :], shape, strict=True):
        count = count * size + k
    return count


def bounds(box: Sequence[slice], shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return start and stop along each axis; the box may name the last axes only."""
    whole = [slice(None)] * (len(shape) - len(box)) + list(box)
    return [one.indices(size)[:2] for one, size in zip(whole, shape, strict=True)]


def _read_into(file: int, view: memoryview, offset: int, path: Path) -> None:
    while len(view):
        n = os.preadv(file, [view], offset)
        if n == 0:
            raise DataFault(f"{path}: ends too early (at byte {offset}); fetch or make it again")
        view, offset = view[n:], offset + n


def stored(path: Path, hdu: Any) -> Stored:
    """Return where the array of an image HDU, opened by astropy, lies in the file at `path`."""
    header = hdu.header
    shape = tuple(int(header[f"NAXIS{k}"]) for k in range(header["NAXIS"], 0, -1))
    dtype = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[header["BITPIX"]]
    zero, scale = getattr(hdu, "_orig_bzero", 0), getattr(hdu, "_orig_bscale", 1)
    return Stored(path, hdu.fileinfo()["datLoc"], shape, np.dtype(dtype), float(zero), float(scale))
