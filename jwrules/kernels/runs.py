"""Flags packed as runs of one value: most groups of most pixels have none."""

from __future__ import annotations

from typing import Any

import numpy as np

from jwrules.kernels.compiled import compiled

LONGEST = 0xFFFF
ALIKE = 64
"""How many flags are compared at once."""


@compiled
def pack(flags: np.ndarray, i: int, y: int, runs: np.ndarray) -> int:
    """Write row `y` of all groups of integration `i` of `flags` (nints, ngroups, ny, nx) as runs; return their size.

    A run is three bytes: its length, lower byte first, and the value. `runs` has room for three bytes for each pixel.
    """
    n, length, value = 0, 0, flags[i, 0, y, 0]
    for g in range(flags.shape[1]):
        for first in range(0, flags.shape[3], ALIKE):
            part, other = flags[i, g, y, first : first + ALIKE], np.uint8(0)
            for x in range(part.size):
                other |= part[x] ^ value
            if other == 0 and length + part.size <= LONGEST:
                length += part.size
                continue
            for x in range(part.size):
                if part[x] != value or length == LONGEST:
                    n = _end(runs, n, length, value)
                    value, length = part[x], 0
                length += 1
    return _end(runs, n, length, value)


@compiled
def pack_rows(flags: np.ndarray, i: int, first: int, runs: np.ndarray, sizes: np.ndarray) -> int:
    """Write rows of integration `i` from the `first` on as `pack` does, one after the other, as many as have room.

    `sizes` (ny,) int32 are told how many bytes each takes. Return the number of the row that comes next. `runs` has
    room for three bytes for each flag of a row at least, so that one row fits.
    """
    most, n, y = 3 * flags.shape[1] * flags.shape[3], 0, first
    while y < flags.shape[2] and n + most <= runs.size:
        sizes[y] = pack(flags, i, y, runs[n:])
        n, y = n + sizes[y], y + 1
    return y


@compiled
def _end(runs: np.ndarray, n: int, length: int, value: int) -> int:
    if length == 0:
        return n
    runs[n], runs[n + 1], runs[n + 2] = length & 0xFF, length >> 8, value
    return n + 3


@compiled
def unpack(runs: np.ndarray, flags: np.ndarray, i: int, y: int, first: int, nx: int) -> None:
    """Write what `pack` made of rows of `nx` pixels back, columns from `first` on, as many as `flags` has."""
    x: Any = 0
    g, last = 0, first + flags.shape[3]
    for k in range(0, runs.size, 3):
        left, value = np.int64(runs[k]) | np.int64(runs[k + 1]) << 8, runs[k + 2]
        while left > 0:
            n = min(left, nx - x)
            low, high = max(x, first), min(x + n, last)
            if low < high:
                flags[i, g, y, low - first : high - first] = value
            left, x = left - n, x + n
            if x == nx:
                g, x = g + 1, 0


@compiled
def unpack_rows(
    content: np.ndarray, starts: np.ndarray, sizes: np.ndarray, flags: np.ndarray, i: int, first: int, nx: int
) -> None:
    """Write rows of integration `i` back as `unpack` does; `starts`, `sizes` (ny,): where in `content` each lies."""
    for y in range(starts.size):
        unpack(content[starts[y] : starts[y] + sizes[y]], flags, i, y, first, nx)
