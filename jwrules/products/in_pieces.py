"""Products written piece by piece: an exposure may be larger than memory.

A product in pieces has its final size from the start, under a temporary name; its checksums are summed up while the
pieces arrive.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from jwrules.errors import DataFault
from jwrules.kernels import stored as kernel
from jwrules.products import lines
from jwrules.products.lines import write_from

UNIT = 2880
"""Bytes of a block of a FITS file."""
CARDS = UNIT // 80
AT_ONCE = 16 << 20
"""Bytes of an array that are turned into what is stored at a time."""
SPARE = 4
"""Cards that a header may grow by while the pieces arrive."""
WHEN = "when written"
_SIGN = 1 << 31
_PUNCTUATION = frozenset((*range(0x3A, 0x41), *range(0x5B, 0x61)))


@dataclass
class _Unit:
    """An HDU of a product in pieces: its header, where it begins, and the sum of the words of its array so far."""

    header: fits.Header
    blocks: int
    start: int
    shape: tuple[int, ...] = ()
    dtype: np.dtype = field(default_factory=lambda: np.dtype("u1"))
    size: int = 0
    words: int = 0

    @property
    def data(self) -> int:
        """Where the array begins."""
        return self.start + self.blocks * UNIT


class InPieces:
    """A product whose arrays arrive piece by piece, in a file at `path`.

    `arrays` gives, by extension name, the header without what describes the array, its shape and type; `tail` are HDUs
    that are written as they are, after the arrays.
    """

    def __init__(
        self,
        path: Path,
        primary: fits.Header,
        arrays: Mapping[str, tuple[fits.Header, tuple[int, ...], str]],
        tail: Sequence[Any],
    ) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        self._lock = threading.Lock()
        self._primary = _unit(_as_written(fits.PrimaryHDU(header=primary)), 0)
        end, self._units = self._primary.data, {}
        for name, (header, shape, dtype) in arrays.items():
            tiny = fits.ImageHDU(np.zeros((1,) * len(shape), dtype), header=header, name=name)
            unit = _unit(_as_written(tiny), end)
            for k, size in enumerate(reversed(shape), 1):
                unit.header[f"NAXIS{k}"] = size
            unit.shape, unit.dtype = shape, np.dtype(dtype)
            unit.size = prod(shape) * unit.dtype.itemsize
            self._units[name] = unit
            end = unit.data + -(-unit.size // UNIT) * UNIT
        os.ftruncate(self._file, end)
        self._end, self._tail = end, list(tail)

    def put(self, name: str, piece: np.ndarray, box: Sequence[slice]) -> None:
        """Write a piece of the array of extension `name`; every element is to be written once."""
        unit = self._units[name]
        whole = [slice(*one) for one in lines.bounds(box, unit.shape)]
        for bit, place in _bits(piece, whole):
            raw, words = _as_stored(np.ascontiguousarray(bit, unit.dtype))
            starts, length = lines.places(place, unit.shape)
            content = raw.reshape(len(starts), length).view(np.uint8)
            lines.write(self._file, unit.data + starts * unit.dtype.itemsize, content)
            with self._lock:
                unit.words += words

    def finish(self, primary: fits.Header, first: fits.Header | None = None) -> None:
        """Write headers and checksums; `primary` are the final keywords, `first` those of the first array.

        They may have a few more cards than at the start.
        """
        _renew(self._primary.header, primary)
        for k, unit in enumerate(self._units.values()):
            if k == 0 and first is not None:
                _renew(unit.header, first)
            if unit.dtype.itemsize < 4:
                unit.words = _sum_on_disk(self._file, unit.data, unit.size)
        for unit in (self._primary, *self._units.values()):
            write_from(self._file, np.frombuffer(_sealed(unit), np.uint8), unit.start)
        end = self._end
        for hdu in self._tail:
            content = _bytes(hdu)
            write_from(self._file, np.frombuffer(content, np.uint8), end)
            end += len(content)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _bits(piece: np.ndarray, box: Sequence[slice]) -> Iterator[tuple[np.ndarray, Sequence[slice]]]:
    """Yield a piece bit by bit, AT_ONCE bytes at most but whole frames, and where each belongs: they are copied."""
    axis = next((k for k in range(piece.ndim - 2) if piece.shape[k] > 1), None)
    if axis is None or piece.nbytes <= AT_ONCE:
        yield piece, box
        return
    together = max(1, AT_ONCE * piece.shape[axis] // piece.nbytes)
    for first in range(0, piece.shape[axis], together):
        bit = piece[(*[slice(None)] * axis, slice(first, first + together))]
        start = box[axis].start + first
        yield from _bits(bit, (*box[:axis], slice(start, start + bit.shape[axis]), *box[axis + 1 :]))


def _bytes(hdu: Any) -> bytes:
    """Return an HDU as astropy writes it, with its checksums."""
    hdu.add_checksum(when=WHEN)
    buffer = BytesIO()
    extension = not isinstance(hdu, fits.PrimaryHDU)
    fits.HDUList([fits.PrimaryHDU(), hdu] if extension else [hdu]).writeto(buffer)
    return buffer.getvalue()[UNIT if extension else 0 :]


def _as_written(hdu: Any) -> fits.Header:
    return fits.Header.fromstring(_bytes(hdu))


def _unit(header: fits.Header, start: int) -> _Unit:
    return _Unit(header, -(-(len(header) + 1 + SPARE) // CARDS), start)


def _renew(header: fits.Header, now: fits.Header) -> None:
    """Set the keywords of `header` that have other values now, and add those that are new."""
    for card in now.cards:
        if card.keyword not in ("", "COMMENT", "HISTORY") and header.get(card.keyword) != card.value:
            if card.keyword in header:
                header[card.keyword] = (card.value, card.comment)
            else:
                header.insert("CHECKSUM", card)


def _as_stored(piece: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a piece as FITS stores it, and the sum of its words where they have 32 bits."""
    if piece.dtype.itemsize != 4:
        return (piece if piece.dtype.itemsize == 1 else piece.byteswap()), 0
    words = piece.view(np.uint32)
    words = words ^ np.uint32(_SIGN) if piece.dtype == np.uint32 else words
    raw = np.empty_like(words)
    return raw, int(kernel.swap_and_sum(words.reshape(-1), raw.reshape(-1)))


def _sum_on_disk(file: int, start: int, size: int) -> int:
    """Return the sum of the big-endian words of a data unit, its end filled up with zeros."""
    total, step = 0, 1 << 22
    for begin in range(0, size, step):
        content = os.pread(file, min(step, size - begin), start + begin)
        total += int(np.frombuffer(content + bytes(-len(content) % 4), ">u4").sum(dtype=np.uint64))
    return total


def _folded(total: int) -> int:
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _sealed(unit: _Unit) -> bytes:
    """Return the header of a unit with DATASUM and CHECKSUM, in as many blocks as it was given.

    Source: FITS standard 4.0, appendix J.
    """
    unit.header["DATASUM"] = str(_folded(unit.words))
    unit.header["CHECKSUM"] = "0" * 16
    cards = "".join(str(card).ljust(80) for card in unit.header.cards)
    text = (cards.ljust((unit.blocks - 1) * UNIT) + "END".ljust(80)).ljust(unit.blocks * UNIT)
    if len(text) > unit.blocks * UNIT:
        spill = len(text) - unit.blocks * UNIT
        raise DataFault(f"{unit.header.get('EXTNAME', 'the primary header')} is {spill} bytes longer than foreseen")
    content = text.encode("ascii")
    words = int(np.frombuffer(content, ">u4").sum(dtype=np.uint64)) + unit.words
    return content.replace(b"'" + b"0" * 16 + b"'", b"'" + _encoded(0xFFFFFFFF - _folded(words)) + b"'", 1)


def _encoded(value: int) -> bytes:
    """Return 16 characters that add up to `value`, none of them punctuation, turned right by one."""
    result = np.zeros(16, np.uint8)
    for k in range(4):
        byte = (value >> (24 - 8 * k)) & 0xFF
        parts = [byte // 4 + byte % 4 + 48, *(byte // 4 + 48,) * 3]
        while any(one in _PUNCTUATION for one in parts):
            for a, b in ((0, 1), (2, 3)):
                if parts[a] in _PUNCTUATION or parts[b] in _PUNCTUATION:
                    parts[a] += 1
                    parts[b] -= 1
        result[k::4] = parts
    return np.roll(result, 1).tobytes()
