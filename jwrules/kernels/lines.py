"""Many small reads or writes of a file, none of which waits for the lock of the interpreter.

The only kernels that do not work on arrays alone: they are given the number of an open file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from jwrules.kernels.compiled import compiled

_pread: Any = types.ExternalFunction("pread", types.int64(types.int32, types.intp, types.uint64, types.int64))
_pwrite: Any = types.ExternalFunction("pwrite", types.int64(types.int32, types.intp, types.uint64, types.int64))


@compiled
def read(file: int, place: int, size: int, starts: np.ndarray, first: int) -> int:
    """Read lines of `size` bytes of an open file, from the `first` on, into memory at `place`, one after the other.

    `starts` (n,) int64 tell where they begin. Return the number of the one that is not read whole; n if all are.
    """
    for k in range(first, starts.size):
        if _pread(file, place + k * size, size, starts[k]) != size:
            return k
    return starts.size


@compiled
def write(file: int, place: int, size: int, starts: np.ndarray, first: int) -> int:
    """Write lines to an open file, as `read` reads them."""
    for k in range(first, starts.size):
        if _pwrite(file, place + k * size, size, starts[k]) != size:
            return k
    return starts.size
