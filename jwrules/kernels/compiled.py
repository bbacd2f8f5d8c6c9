"""How kernels are compiled, and spread over threads.

A compiled function holds no lock of the interpreter, so that threads of Python run it side by side. (Loops that numba
itself makes parallel take ten times as long to compile, which every first run would feel.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, cast

import numba
import numpy as np

from jwrules.kernels.cache import KernelStore

Function = TypeVar("Function", bound=Callable[..., Any])

_thread = threading.local()

PARTS_PER_THREAD = 4
"""More parts than threads, so that one slow part does not keep the others waiting."""


def compiled(function: Function) -> Function:
    """Compile a function at its first call, keep the result on disk; divisions by 0 give what numpy gives."""
    dispatcher: Any = numba.njit(nogil=True, error_model="numpy")(function)
    if dispatcher is not function:
        dispatcher._cache = KernelStore(function)
    return cast(Function, dispatcher)


def inner(function: Function) -> Function:
    """Compile a function that other compiled ones alone call: it is kept as a part of these, and Python has no way in.

    That way in takes as long to compile as the rest, where there are many arrays to hand over.
    """
    options: Any = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Function, numba.njit(**options)(function))


def allowed_threads() -> int:
    """Return how many threads a kernel may use: NUMBA_NUM_THREADS, else the number of processors."""
    settings: Any = numba.config
    return int(settings.NUMBA_NUM_THREADS)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let kernels that are called by this thread run on it alone: others are as busy."""
    before = getattr(_thread, "alone", False)
    _thread.alone = True
    try:
        yield
    finally:
        _thread.alone = before


def over_rows(kernel: Callable[..., None], rows: int, *arguments: Any) -> None:
    """Call `kernel(start, stop, *arguments)` for parts of range(rows), on as many threads as are allowed.

    Rows are independent: no call may write what another one reads, and so the number of threads changes nothing.
    """
    threads = 1 if getattr(_thread, "alone", False) else min(allowed_threads(), rows)
    if threads <= 1:
        kernel(0, rows, *arguments)
        return
    bounds = np.linspace(0, rows, min(PARTS_PER_THREAD * threads, rows) + 1).astype(int).tolist()
    for part in [_pool(threads).submit(kernel, start, stop, *arguments) for start, stop in pairwise(bounds)]:
        part.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)


def as_input(array: np.ndarray) -> np.ndarray:
    """Return a contiguous read-only view, or copy, so that a kernel is compiled for one kind of array only."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
