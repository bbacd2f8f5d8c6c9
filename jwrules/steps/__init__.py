"""Calibration steps, one file each. A file here (or an entry point in `jwrules.steps`) is a step; there is no list."""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import cast

from jwrules.steps.declare import Step

_NOT_STEPS = frozenset({"declare", "schema"})


@cache
def names() -> tuple[str, ...]:
    """Return the names of all steps, without importing them: the files of this folder and the entry points."""
    return tuple(sorted(_here() | _from_outside().keys()))


@cache
def find(name: str) -> Step:
    """Return the step called `name`, importing it alone; KeyError where there is none."""
    if name in _here():
        return cast(Step, getattr(import_module(f"{__name__}.{name}"), name))
    return cast(Step, _from_outside()[name].load())


def registry() -> dict[str, Step]:
    """Return every step by name; imports them all."""
    return {name: find(name) for name in names()}


@cache
def _here() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__)) - _NOT_STEPS


@cache
def _from_outside() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group="jwrules.steps")}
