"""Arrays of FITS files read piece by piece: an exposure may be larger than memory.

A piece is a box of the array, one slice along each axis. What is needed is read from the file; nothing stays mapped.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product as combinations
from math import prod
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from jwrules.errors import DataFault
from jwrules.kernels import stored as kernel
from jwrules.products import lines

_SIGN = 1 << 31
_GZIP = b"\x1f\x8b"
AT_ONCE = 1 << 20
"""Bytes that are read before they are converted: they stay in the cache meanwhile."""
BETWEEN = 8192
"""Bytes between the rows of a piece that are read along with them: one long read takes less than many short ones."""


class Unpacked:
    """The content of a gzipped file, in a file without a name; it goes when nobody uses it any more."""

    def __init__(self, packed: IO[bytes]) -> None:
        with tempfile.TemporaryFile(prefix=".jwrules.") as file, gzip.open(packed) as content:
            shutil.copyfileobj(content, file, 1 << 20)
            file.flush()
            self._number = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._number)

    @classmethod
    def of(cls, file: IO[bytes]) -> Unpacked | None:
        """Return what is in a file, None where it is not gzipped."""
        start = file.read(2)
        file.seek(0)
        return cls(file) if start == _GZIP else None

    def open(self) -> IO[bytes]:
        """Return a file object at the beginning of the content."""
        file = os.fdopen(os.dup(self._number), "rb")
        file.seek(0)
        return file


class Source(Protocol):
    """An array that is read piece by piece."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""

    def read(self, box: Sequence[slice] = (), dtype: Any = np.float32) -> np.ndarray:
        """Return the piece in `box`, whole along axes that it does not name last, as a native array."""

    def fill(self, values: np.ndarray, box: Sequence[slice] = ()) -> None:
        """Write the piece in `box` into `values`, of the same shape."""


@dataclass(frozen=True)
class Stored:
    """An image extension: where its array begins, its shape and stored type, and what is added to its numbers."""

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    zero: float
    scale: float
    unpacked: Unpacked | None = None

    def read(self, box: Sequence[slice] = (), dtype: Any = np.float32) -> np.ndarray:
        """Return the piece in `box`, whole along axes that it does not name last, as a native array."""
        limits = lines.bounds(box, self.shape)
        values = np.empty([stop - start for start, stop in limits], dtype)
        self.fill(values, box)
        return values

    def fill(self, values: np.ndarray, box: Sequence[slice] = ()) -> None:
        """Write the piece in `box` into `values`, of the same shape."""
        planes = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values.reshape(1, 1, -1)
        for raw, place in self.parts(box):
            self._convert(raw, planes[place])

    def parts(self, box: Sequence[slice] = ()) -> Iterator[tuple[np.ndarray, tuple[slice, slice]]]:
        """Yield what is stored of the piece in `box`, bit by bit, and which of its planes and rows that is.

        The next one is written over the last.
        """
        *outer, rows, columns = lines.bounds(box, self.shape if len(self.shape) > 1 else (1, *self.shape))
        item, width, pitch = self.dtype.itemsize, columns[1] - columns[0], self.shape[-1]
        apart = (pitch - width) * item > BETWEEN
        step = width if apart else pitch
        starts = self.offset + (lines.numbers(outer, self.shape[:-2]) * prod(self.shape[-2:]) + columns[0]) * item
        height = max(1, min(rows[1] - rows[0], AT_ONCE // (step * item)))
        together = max(1, min(len(starts), AT_ONCE // (height * step * item)))
        room = np.empty(together * height * step, self.dtype)
        with self._opened() as file:
            for first, top in combinations(range(0, len(starts), together), range(*rows, height)):
                some, count = starts[first : first + together], min(height, rows[1] - top)
                length = (count - 1) * step + width
                raw = room[: len(some) * length]
                places = some[:, np.newaxis] + np.arange(top, top + (count if apart else 1)) * pitch * item
                lines.read(file.fileno(), places.ravel(), raw.view(np.uint8).reshape(places.size, -1), self.path)
                rows_of = as_strided(raw, (len(some), count, width), (length * item, step * item, item))
                yield rows_of, (slice(first, first + len(some)), slice(top - rows[0], top - rows[0] + count))

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.unpacked.open() if self.unpacked else self.path.open("rb", buffering=0) as file:
                yield file
        except OSError as reason:
            why = reason.strerror or reason
            raise DataFault(f"{self.path}: cannot be read any more ({why}); give it back and run again") from reason

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


def stored(path: Path, hdu: Any, unpacked: Unpacked | None = None) -> Stored:
    """Return where the array of an image HDU, opened by astropy, lies in the file at `path`, or what is `unpacked`."""
    header = hdu.header
    shape = tuple(int(header[f"NAXIS{k}"]) for k in range(header["NAXIS"], 0, -1))
    dtype = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[header["BITPIX"]]
    zero, scale = getattr(hdu, "_orig_bzero", 0), getattr(hdu, "_orig_bscale", 1)
    return Stored(path, hdu.fileinfo()["datLoc"], shape, np.dtype(dtype), float(zero), float(scale), unpacked)
