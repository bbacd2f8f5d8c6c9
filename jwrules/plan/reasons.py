"""Why a job is to run, in the words of an astronomer, from what Snakemake says of it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_SHOWN = 3
"""How many files or changes are named before it says how many more there are."""

_CLAUSES = (
    ("Missing output files: ", "missing"),
    ("Incomplete output files: ", "not finished last time"),
    ("Forced execution", "forced"),
    ("Set of input files has changed", "its members changed"),
    ("Code has changed", "its rule changed"),
)
_FILES = (
    ("Updated input files: ", "newer than it: "),
    ("Input files updated by another job: ", "made anew: "),
)
_PARAMS = re.compile(r"before: (?P<before>.*?) now: (?P<now>.*?)\s*$", re.DOTALL)


def explained(reason: str) -> str:
    """Return the reason that Snakemake gives for a job, in short and with the change itself where it is an option."""
    return "; ".join(dict.fromkeys(said for clause in _clauses(reason) if (said := _said(clause))))


def _clauses(reason: str) -> list[str]:
    """Split where a clause begins, not at every semicolon: options may contain one."""
    starts = [start for start, _ in (*_CLAUSES, *_FILES)] + ["Params have changed"]
    return re.split(r"; (?=" + "|".join(re.escape(start) for start in starts) + ")", reason)


def _said(clause: str) -> str:
    for start, words in _CLAUSES:
        if clause.startswith(start):
            return words
    for start, words in _FILES:
        if clause.startswith(start):
            files = [Path(name).name for name in clause.removeprefix(start).split(", ") if name]
            return words + _some(files) if files else ""
    if clause.startswith("Params have changed"):
        return _some(list(_changes(clause)) or ["options or references changed"])
    return clause


def _some(things: list[str]) -> str:
    more = f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
    return ", ".join(things[:_SHOWN]) + more


def _changes(clause: str) -> Iterator[str]:
    match = _PARAMS.search(clause)
    if not match:
        return
    before, now = (_values(match[side]) for side in ("before", "now"))
    yield from _changed_options(_steps(before), _steps(now))
    yield from _changed_references(_references(before), _references(now))
    if (old := _release(before)) != (new := _release(now)):
        yield f"release {old} -> {new}"


def _values(text: str) -> list[Any]:
    """Return the values that Snakemake printed, as they were: it joins their Python form with commas."""
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (SyntaxError, ValueError):
        return []


def _steps(values: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
    for value in values:
        if isinstance(value, str) and value.startswith("["):
            return {entry["step"]: entry for entry in json.loads(value)}
    return {}


def _references(values: Iterable[Any]) -> dict[str, str]:
    """Return type -> 'name (start of its hash)'."""
    for value in values:
        if isinstance(value, list):
            pairs = [text.partition("=") for text in value]
            return {kind: f"{Path(link).name} ({Path(link).parent.name[:8]})" for kind, _, link in pairs}
    return {}


def _release(values: Iterable[Any]) -> str:
    return next((v for v in values if isinstance(v, str) and not v.startswith("[")), "")


def _changed_options(before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for step in [*now, *(step for step in before if step not in now)]:
        old, new = before.get(step), now.get(step)
        if old is None or new is None:
            yield f"{step} {'is new' if old is None else 'is gone'}"
        elif old != new:
            yield from _changed_step(step, old, new)


def _changed_step(step: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    flat_old, flat_new = ({**entry, **entry.get("params", {})} for entry in (old, new))
    for name in dict.fromkeys([*flat_new, *flat_old]):
        if name != "params" and flat_old.get(name) != flat_new.get(name):
            then, now = (flat.get(name, "default") for flat in (flat_old, flat_new))
            yield f"{step}.{name} {then} -> {now}"


def _changed_references(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for kind in dict.fromkeys([*now, *before]):
        if before.get(kind) != now.get(kind):
            yield f"{kind} {before.get(kind, 'none')} -> {now.get(kind, 'none')}"
