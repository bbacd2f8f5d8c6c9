"""Why a job is to run anew, in the words of an astronomer: how its record differs from what the plan says now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

import jwrules
from jwrules.plan.rows import Job
from jwrules.records import Record

_SHOWN = 3
"""How many files or changes are named before it says how many more there are."""


def changes(job: Job, record: Record | None) -> str:
    """Return what changed since a job was recorded: options, reference files, members, or the code."""
    if record is None:
        return "no record says how it was made"
    said = [
        *_changed_options(_by_step(record.told.get("steps", [])), _by_step(json.loads(job.steps))),
        *_changed_references(record.told.get("references", {}), job),
        *_changed_members(record, job),
        *_changed_association(record.told, job),
    ]
    release = record.told.get("release", "?")
    return some(said) if said else f"made by the code of release {release}, now {jwrules.__version__} differs"


def some(things: Iterable[str]) -> str:
    """Return the first of some things, and how many more there are."""
    things = list(things)
    more = f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
    return ", ".join(things[:_SHOWN]) + more


def _by_step(calls: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {call["step"]: call for call in calls}


def _changed_members(record: Record, job: Job) -> Iterator[str]:
    before, now = ({one.file for one in record.members}, {PurePath(path).name for _, path in job.members})
    yield from (f"{name} is a new member" for name in sorted(now - before))
    yield from (f"{name} is no longer a member" for name in sorted(before - now))


def _changed_association(told: Mapping[str, Any], job: Job) -> Iterator[str]:
    before, now = told.get("association", ""), PurePath(job.association).name
    if before != now:
        yield f"its association is {now or 'none'}, was {before or 'none'}"
    elif job.given_sha256 and told.get("association_sha256") != job.given_sha256:
        yield f"its association {now} says something else"


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


def _changed_references(before: Mapping[str, Mapping[str, str]], job: Job) -> Iterator[str]:
    then = {kind: f"{one['file']} ({one['sha256'][:8]})" for kind, one in before.items()}
    now = {kind: f"{one.name} ({one.sha256[:8]})" for kind, one in job.references.items()}
    for kind in dict.fromkeys([*now, *then]):
        if then.get(kind) != now.get(kind):
            yield f"{kind} {then.get(kind, 'none')} -> {now.get(kind, 'none')}"
