"""Many lines of a file read or written at once: compiled, so that threads do not wait for the interpreter's lock.

A block of an exposure lies on disk as lines, one or a few rows of each group, thousands of them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jwrules.errors import DataFault
from jwrules.kernels import lines as kernel


def bounds(box: Sequence[slice], shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return start and stop along each axis; the box may name the last axes only."""
    whole = [slice(None)] * (len(shape) - len(box)) + list(box)
    return [one.indices(size)[:2] for one, size in zip(whole, shape, strict=True)]


def numbers(limits: Sequence[tuple[int, int]], shape: Sequence[int]) -> np.ndarray:
    """Return which elements of an array of this shape lie within limits along each axis, (n,) int64, ascending."""
    found = np.zeros(1, np.int64)
    for (start, stop), size in zip(limits, shape, strict=True):
        found = (found[:, np.newaxis] * size + np.arange(start, stop)).ravel()
    return found


def places(box: Sequence[slice], shape: Sequence[int]) -> tuple[np.ndarray, int]:
    """Return with which element of an array each contiguous line of a piece of it begins, (n,) int64, and its length.

    That is a row, or all rows of a plane where they are whole.
    """
    *outer, columns = bounds(box, shape)
    length = columns[1] - columns[0]
    if outer and length == shape[-1]:
        top, bottom = outer[-1]
        outer[-1], length = (top, top + 1), length * (bottom - top)
    return numbers(outer, shape[:-1]) * shape[-1] + columns[0], length


def read(file: int, starts: np.ndarray, lines: np.ndarray, path: Path) -> None:
    """Read `lines` (n, bytes) uint8, contiguous, from an open file, each from its place in `starts` (n,) int64 on.

    OSError where it cannot be read, DataFault where it ends too early; `path` is its name.
    """
    done = 0
    while (done := kernel.read(file, lines.ctypes.data, lines.shape[1], starts, done)) < len(starts):
        _read_one(file, memoryview(lines[done].data), int(starts[done]), path)
        done += 1


def _read_one(file: int, view: memoryview, offset: int, path: Path) -> None:
    while len(view):
        n = os.preadv(file, [view], offset)
        if n == 0:
            raise DataFault(f"{path}: ends too early (at byte {offset}); fetch or make it again")
        view, offset = view[n:], offset + n


def write(file: int, starts: np.ndarray, lines: np.ndarray) -> None:
    """Write `lines` (n, bytes) uint8, contiguous, to an open file, each from its place in `starts` (n,) int64 on.

    OSError where the disk is full.
    """
    done = 0
    while (done := kernel.write(file, lines.ctypes.data, lines.shape[1], starts, done)) < len(starts):
        write_from(file, lines[done], int(starts[done]))
        done += 1


def write_from(file: int, array: np.ndarray, offset: int) -> None:
    """Write all of an array to a file, from `offset` on; OSError where the disk is full."""
    view = memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    while len(view):
        n = os.pwrite(file, view, offset)
        view, offset = view[n:], offset + n
