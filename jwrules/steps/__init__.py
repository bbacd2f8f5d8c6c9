"""Calibration steps, one file each. A file here (or an entry point in `jwrules.steps`) is a step; there is no list."""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from pkgutil import iter_modules

from jwrules.steps.declare import Step

_NOT_STEPS = {"declare", "schema"}


@cache
def registry() -> dict[str, Step]:
    """Return every step by name: the files of this folder, then what other packages add by entry point."""
    names = sorted(module.name for module in iter_modules(__path__) if module.name not in _NOT_STEPS)
    steps = {name: getattr(import_module(f"{__name__}.{name}"), name) for name in names}
    for entry in metadata.entry_points(group="jwrules.steps"):
        steps.setdefault(entry.name, entry.load())
    return steps
