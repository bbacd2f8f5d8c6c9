"""A raw exposure written plane by plane: the file may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits

BLOCK = 2880
HALF = 0x8000
"""What FITS takes off unsigned numbers, to store them as signed ones."""


class Planes:
    """An image extension of unsigned 16-bit planes at the end of a file that is being written, (..., ny, nx)."""

    def __init__(self, file: BinaryIO, name: str, shape: Sequence[int], header: fits.Header | None = None) -> None:
        hdu = fits.ImageHDU(np.broadcast_to(np.uint16(0), tuple(shape)), header=header, name=name)
        file.seek(0, 2)
        file.write(hdu.header.tostring().encode("ascii"))
        self._file, self._start, self._shape = file, file.tell(), tuple(shape)
        size = 2 * int(np.prod(shape, dtype=np.int64))
        file.truncate(self._start + size + -size % BLOCK)

    def write(self, plane: np.ndarray, *number: int) -> None:
        """Write the plane of this number (all axes but the last two, from 0)."""
        which = int(np.ravel_multi_index(number, self._shape[:-2]))
        self._file.seek(self._start + 2 * which * plane.size)
        self._file.write((plane ^ np.uint16(HALF)).astype(">u2").tobytes())


@contextmanager
def raw(
    path: Path, primary: fits.Header, science: fits.Header, shape: Sequence[int], tables: Sequence[Any]
) -> Iterator[tuple[Planes, Planes | None]]:
    """Write a raw exposure of this shape: give SCI and, where the header announces it, ZEROFRAME to be filled."""
    fits.PrimaryHDU(header=primary).writeto(path, overwrite=True)
    with path.open("r+b") as file:
        groups = Planes(file, "SCI", shape, science)
        yield groups, Planes(file, "ZEROFRAME", (shape[0], *shape[2:])) if primary["ZEROFRAM"] else None
    with fits.open(path, mode="append") as hdus:
        for table in tables:
            hdus.append(table)
