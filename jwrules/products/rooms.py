"""Where the groups of an exposure are kept between steps: in memory, or in a scratch file that nobody else sees."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product as combinations
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jwrules.errors import DataFault
from jwrules.kernels import runs as kernel
from jwrules.products import lines
from jwrules.products.lines import bounds, write_from

AT_ONCE = 1 << 20
"""Bytes of packed flags that are read or written at once."""


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
    """Flags (nints, ngroups, ny, nx), each row of an integration packed as runs.

    What is put back is added at the end of a log, the first `LOG` bytes of which are in memory and the others in a
    scratch file in `folder`: however many integrations there are, it takes no more memory.
    """

    LOG = 16 * 2**20

    def __init__(self, shape: Sequence[int], folder: Path | None = None) -> None:
        self._shape, self._folder = tuple(shape), folder
        rows = (shape[0], shape[2])
        self._starts, self._sizes = np.zeros(rows, np.int64), np.zeros(rows, np.int32)
        self._log = _Log(self.LOG, folder)
        self._lock = threading.Lock()

    def read(self, box: Sequence[slice], piece: np.ndarray | None = None) -> np.ndarray:
        """Return the piece in `box`, which has all groups; written into `piece` where that is given."""
        ints, groups, rows, columns = bounds(box, self._shape)
        if piece is None:
            piece = np.empty((ints[1] - ints[0], groups[1], rows[1] - rows[0], columns[1] - columns[0]), np.uint8)
        here = (slice(*ints), slice(*rows))
        with self._lock:  # another thread may put back other columns
            starts, sizes = self._starts[here].copy(), self._sizes[here].copy()
        for i in range(len(starts)):
            content, places = self._log.read_all(starts[i], sizes[i])
            kernel.unpack_rows(content, places, sizes[i], piece, i, columns[0], self._shape[-1])
        return piece

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`, which has all groups."""
        ints, groups, rows, columns = bounds(box, self._shape)
        if columns != (0, self._shape[-1]):
            self._write_beside(ints, rows, columns, piece)
            return
        room = np.empty(max(AT_ONCE, 3 * groups[1] * self._shape[-1]), np.uint8)
        piece, sizes = np.ascontiguousarray(piece), np.empty(rows[1] - rows[0], np.int32)
        for i in range(*ints):
            done = 0
            while (first := done) < sizes.size:
                done = kernel.pack_rows(piece, i - ints[0], first, room, sizes)
                ends = np.cumsum(sizes[first:done], dtype=np.int64)
                start, here = self._log.add(room[: ends[-1]]), slice(rows[0] + first, rows[0] + done)
                with self._lock:
                    self._starts[i, here] = start + ends - sizes[first:done]
                    self._sizes[i, here] = sizes[first:done]

    def _write_beside(
        self, ints: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int], piece: np.ndarray
    ) -> None:
        """Put back some columns; others may be put back by another thread."""
        room = np.empty(3 * piece.shape[1] * self._shape[-1], np.uint8)
        row = np.zeros((1, piece.shape[1], 1, self._shape[-1]), np.uint8)
        for i, y in combinations(range(*ints), range(*rows)):
            with self._lock:
                if self._sizes[i, y]:
                    runs = self._log.read(int(self._starts[i, y]), int(self._sizes[i, y]))
                    kernel.unpack(runs, row, 0, 0, 0, self._shape[-1])
                row[0, :, 0, slice(*columns)] = piece[i - ints[0], :, y - rows[0]]
                runs = room[: kernel.pack(row, 0, 0, room)]
                self._starts[i, y], self._sizes[i, y] = self._log.add(runs), runs.size

    def as_it_is(self) -> Packed:
        """Return the flags as they are now, whatever is put back later."""
        frozen = Packed(self._shape, self._folder)
        frozen._log, frozen._starts, frozen._sizes = self._log, self._starts.copy(), self._sizes.copy()
        return frozen

    def close(self) -> None:
        """Give back what they take."""
        self._log.close()


class _Log:
    """Bytes, each of which is written once: the first `size` in memory, the others in a scratch file in `folder`."""

    def __init__(self, size: int, folder: Path | None) -> None:
        self._memory, self._folder, self._end = np.empty(size, np.uint8), folder, 0
        self._file: Any = None
        self._lock = threading.Lock()

    def add(self, content: np.ndarray) -> int:
        """Write bytes; return where they begin. DataFault where the disk is full."""
        with self._lock:
            start, last = self._end, self._end + content.size
            if last > self._memory.size:
                start = max(start, self._memory.size)
                last = start + content.size
                if self._file is None:
                    with _telling(self._folder, last):
                        self._file = _unnamed(self._folder)
            self._end = last
        if last <= self._memory.size:
            self._memory[start:last] = content
        else:
            with _telling(self._folder, last):
                write_from(self._file.fileno(), content, start - self._memory.size)
        return start

    def read(self, start: int, size: int) -> np.ndarray:
        """Return so many bytes from `start` on."""
        if start < self._memory.size:
            return self._memory[start : start + size]
        content = os.pread(self._file.fileno(), size, start - self._memory.size)
        return np.frombuffer(content, np.uint8)

    def read_all(self, starts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bytes that hold pieces which begin at `starts` (n,) and have `sizes` (n,), and where in them each is.

        Those that were written one after the other are read at once.
        """
        low, high = int(starts.min()), int((starts + sizes).max())
        if high <= self._memory.size:
            return self._memory, starts
        if high - low <= AT_ONCE and low >= self._memory.size:
            return self.read(low, high - low), starts - low
        pieces = [self.read(int(start), int(size)) for start, size in zip(starts, sizes, strict=True)]
        return np.concatenate(pieces), np.cumsum(sizes, dtype=np.int64) - sizes

    def close(self) -> None:
        """Give back what it takes."""
        self._memory = self._memory[:0]
        if self._file is not None:
            self._file.close()


def _unnamed(folder: Path | None) -> Any:
    """Return a file that has no name: it goes when the process ends, however that happens."""
    return tempfile.TemporaryFile(dir=folder, prefix=".jwrules.")


@contextmanager
def _telling(folder: Path | None, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        raise DataFault(
            f"{folder or tempfile.gettempdir()}: the groups of the exposure cannot be kept there ({reason.strerror});"
            f" they take {size / 2**20:.0f} MB of disk: free some, or give so much more --memory"
        ) from reason


class Scratch:
    """An array in a file in `folder` that has no name: it goes when the process ends, however that happens."""

    def __init__(self, shape: Sequence[int], dtype: Any, folder: Path | None = None) -> None:
        self._shape, self._dtype, self._folder = tuple(shape), np.dtype(dtype), folder
        self._size = prod(shape) * self._dtype.itemsize
        with _telling(folder, self._size):
            self._file = _unnamed(folder)
            os.ftruncate(self._file.fileno(), self._size)

    def _lines(self, box: Sequence[slice], piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where in the file what is contiguous both there and in `piece` begins, and the bytes of each."""
        starts, length = lines.places(box, self._shape)
        return starts * self._dtype.itemsize, piece.reshape(len(starts), length).view(np.uint8)

    def read(self, box: Sequence[slice]) -> np.ndarray:
        """Return the piece in `box`."""
        piece = np.empty([stop - start for start, stop in bounds(box, self._shape)], self._dtype)
        lines.read(self._file.fileno(), *self._lines(box, piece), Path(self._folder or tempfile.gettempdir()))
        return piece

    def write(self, box: Sequence[slice], piece: np.ndarray) -> None:
        """Put back the piece in `box`."""
        with _telling(self._folder, self._size):
            lines.write(self._file.fileno(), *self._lines(box, np.ascontiguousarray(piece, self._dtype)))

    def close(self) -> None:
        """Give back the disk."""
        self._file.close()
