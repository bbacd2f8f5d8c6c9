"""How a kernel is compiled: kept on disk, without the interpreter's lock, with numpy's rules of arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def inner(function: Function) -> Function:
    """Compile a function that other kernels call for one pixel or one plane."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel(function: Function) -> Function:
    """Compile a kernel whose `prange` loop runs on all threads; no turn may write what another one reads."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy", parallel=True)(function))
