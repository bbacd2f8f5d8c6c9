"""Calibration steps, one file each. A file here (or an entry point in `jwrules.steps`) is a step; there is no list."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module, metadata
from pkgutil import iter_modules
from typing import Any, cast

from jwrules import house
from jwrules.steps.declare import Step

_NOT_STEPS = frozenset({"declare", "parts", "schema"})


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


@dataclass(frozen=True)
class Named:
    """What is known of a step that is not imported."""

    name: str
    status: str
    parameters: frozenset[str]


@cache
def named(name: str) -> Named:
    """Return what its card says of a step, without importing it: one that is skipped need not be loaded."""
    card = _cards().get(name)
    if card is None:
        step = find(name)
        return Named(name, step.status, frozenset(f.name for f in fields(step.params)))
    return Named(name, str(card["status"]), frozenset(card["params"]))


@cache
def _cards() -> dict[str, Any]:
    path = house.root() / "schemas/steps.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: card for name, card in known.items() if name in _here()}


def registry() -> dict[str, Step]:
    """Return every step by name; imports them all."""
    return {name: find(name) for name in names()}


@cache
def _here() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__)) - _NOT_STEPS


@cache
def _from_outside() -> dict[str, metadata.EntryPoint]:
    return {entry.name: entry for entry in metadata.entry_points(group="jwrules.steps")}
