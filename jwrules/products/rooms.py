"""Where the groups of an exposure are kept between steps: in memory, or in a scratch file that nobody else sees."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Sequence
from itertools import product as combinations
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jwrules.kernels import runs as kernel
from jwrules.products.stored import bounds, index


class Room(Protocol):
    """An array that is read and written in pieces; a piece that is read may be written into until it is put back."""

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return the piece in `box`."""

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`."""

    def close(self) -> None:
        """Give back what it takes."""


class Memory:
    """An array in memory. Whole frames are lent, other pieces, whose margins overlap, are copied."""

    def __init__(self, shape: Sequence[int], dtype: Any) -> None:
        self.array = np.empty(shape, dtype)

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return the piece in `box`."""
        piece = self.array[tuple(box)]
        return piece if piece.shape[-2:] == self.array.shape[-2:] else piece.copy()

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`."""
        target = self.array[tuple(box)]
        if target.__array_interface__["data"] != piece.__array_interface__["data"]:
            target[...] = piece

    def close(self) -> None:
        """Give back the memory."""
        self.array = self.array[:0]


class Packed:
    """Flags (nints, ngroups, ny, nx) in memory, each row of an integration packed as runs."""

    def __init__(self, shape: Sequence[int]) -> None:
        self._shape = tuple(shape)
        self._rows: dict[tuple[int, int], np.ndarray] = {}
        self._lock = threading.Lock()

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return the piece in `box`, which has all groups."""
        ints, groups, rows, columns = bounds(box, self._shape)
        piece = np.empty((ints[1] - ints[0], groups[1], rows[1] - rows[0], columns[1] - columns[0]), np.uint8)
        for i, y in combinations(range(*ints), range(*rows)):
            kernel.unpack(self._rows[i, y], piece, i - ints[0], y - rows[0], columns[0], self._shape[-1])
        return piece

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`, which has all groups."""
        ints, groups, rows, columns = bounds(box, self._shape)
        if columns != (0, self._shape[-1]):
            self._write_beside(ints, rows, columns, piece)
            return
        room, piece = np.empty(3 * groups[1] * self._shape[-1], np.uint8), np.ascontiguousarray(piece)
        for i, y in combinations(range(*ints), range(*rows)):
            n = kernel.pack(piece, i - ints[0], y - rows[0], room)
            self._rows[i, y] = room[:n].copy()

    def _write_beside(
        self, ints: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int], piece: np.ndarray
    ) -> None:
        """Put back some columns; others may be put back by another thread."""
        room = np.empty(3 * piece.shape[1] * self._shape[-1], np.uint8)
        row = np.zeros((1, piece.shape[1], 1, self._shape[-1]), np.uint8)
        for i, y in combinations(range(*ints), range(*rows)):
            with self._lock:
                if (i, y) in self._rows:
                    kernel.unpack(self._rows[i, y], row, 0, 0, 0, self._shape[-1])
                row[0, :, 0, slice(*columns)] = piece[i - ints[0], :, y - rows[0]]
                self._rows[i, y] = room[: kernel.pack(row, 0, 0, room)].copy()

    def as_it_is(self) -> Packed:
        """Return the flags as they are now, whatever is put back later."""
        frozen = Packed(self._shape)
        frozen._rows = dict(self._rows)
        return frozen

    def close(self) -> None:
        """Give back the memory."""
        self._rows = {}


class Scratch:
    """An array in a file in `folder` that has no name: it goes when the process ends, however that happens."""

    def __init__(self, shape: Sequence[int], dtype: Any, folder: Path | None = None) -> None:
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self._file = tempfile.TemporaryFile(dir=folder, prefix=".jwrules.")  # noqa: SIM115
        os.ftruncate(self._file.fileno(), prod(shape) * self._dtype.itemsize)

    def _lines(self, box: Sequence[slice], piece: np.ndarray) -> Any:
        """Yield what is contiguous both in the file and in `piece`, with where it begins in the file."""
        *outer, rows, columns = bounds(box, self._shape)
        whole = columns == (0, self._shape[-1])
        planes = piece.reshape(-1, *piece.shape[-2:])
        for plane, number in zip(planes, combinations(*(range(*one) for one in outer)), strict=True):
            for row, line in [(rows[0], plane)] if whole else zip(range(*rows), plane, strict=True):
                yield line, index((*number, row, columns[0]), self._shape) * self._dtype.itemsize

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return the piece in `box`."""
        piece = np.empty([stop - start for start, stop in bounds(box, self._shape)], self._dtype)
        for line, offset in self._lines(box, piece):
            os.preadv(self._file.fileno(), [memoryview(line.reshape(-1).view(np.uint8))], offset)
        return piece

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`."""
        for line, offset in self._lines(box, np.ascontiguousarray(piece, self._dtype)):
            os.pwrite(self._file.fileno(), memoryview(line.reshape(-1).view(np.uint8)), offset)

    def close(self) -> None:
        """Give back the disk."""
        self._file.close()
