"""The plan as plain values, for the table, `--json` and the page: products, how they are made, how they stand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from jwrules import plan as planning
from jwrules.plan import STAGES, Is, Job, Plan, Settings, State, disk
from jwrules.plan.details import Details, Teller
from jwrules.plan.state import Key

States = Mapping[Key, State]
Content = dict[str, Any]

MISSING, STALE, PERHAPS, LINKED, UP_TO_DATE = "missing", "stale", "perhaps", "linked", "up to date"
"""How a product stands: not there; there, but not as it would be made now; perhaps so; there elsewhere; as it is."""


def of(plan: Plan, asked: Settings, directory: Path) -> Content:
    """Return a plan and how it stands in its working directory."""
    states = planning.states(plan, asked, directory)
    places = {(one.job.stage, one.job.name): one.place for one in planning.shared(plan, directory).offers(states)}
    cache = planning.cache_of(directory)
    amiss: dict[str, list[str]] = {}
    teller = Teller(planning.planner(asked, cache, directory), planning.exposures(asked, cache, amiss))
    content = described(plan, states.of, teller.of, places)
    return {
        "release": plan.release,
        "directory": str(directory),
        "data": str(asked.data),
        "references": str(plan.rules) if plan.rules.mappings else asked.references,
        "recipe": str(asked.recipe or ""),
        "set": list(asked.sets),
        "disk": _disk(content["jobs"], directory),
        **content,
    }


def described(
    plan: Plan, states: States, details: Callable[[Job], Details], places: Mapping[Key, Path] | None = None
) -> Content:
    """Return the jobs of a plan, grouped by how they are made; `places`: where some can be linked from."""
    groups: list[Content] = []
    jobs: list[Content] = []
    for stage in STAGES:
        for its in _groups(list(plan.jobs.get(stage, {}).values())):
            jobs += [_job(job, len(groups), states[job.stage, job.name], (places or {})) for job in its]
            groups.append(_group(its[0], details(its[0])))
    return {
        "stages": [_total(stage, plan, jobs) for stage in STAGES if _has(stage, plan)],
        "groups": groups,
        "jobs": jobs,
        "cannot": [{"files": list(files), "why": words} for words, files in plan.faults.items()],
        "blocked": [{"stage": stage, "name": name, "why": why} for (stage, name), why in plan.blocked.items()],
        "left_out": [{"file": one.path, "why": one.reason} for one in plan.left_out],
    }


def _has(stage: str, plan: Plan) -> bool:
    return bool(plan.jobs.get(stage)) or any(blocked == stage for blocked, _ in plan.blocked)


def _groups(jobs: Sequence[Job]) -> list[list[Job]]:
    """Return jobs together that are made in the same way: recipe, steps, reference files."""
    groups: dict[tuple[str, ...], list[Job]] = {}
    for job in jobs:
        groups.setdefault((_what(job), job.recipe, job.steps, *job.links), []).append(job)
    return list(groups.values())


def _what(job: Job) -> str:
    words = [job.about.get(key, "") for key in ("instrument", "detector", "filter", "pupil")]
    return " ".join(word for word in words if word)


def _group(job: Job, details: Details) -> Content:
    calls = json.loads(job.steps)
    return {
        "stage": job.stage,
        "what": _what(job),
        "recipe": job.recipe,
        "steps": [call["step"] for call in calls if not call.get("skip")],
        "skipped": [call["step"] for call in calls if call.get("skip")],
        "options": [asdict(one) for one in details.options],
        "references": [
            {"type": kind, "file": one.name, "sha256": one.sha256, "why": details.why.get(kind, "")}
            for kind, one in sorted(job.references.items())
        ],
    }


def _job(job: Job, group: int, state: State, places: Mapping[Key, Path]) -> Content:
    place = places.get((job.stage, job.name))
    return {
        "stage": job.stage,
        "name": job.name,
        "group": group,
        "target": job.target,
        "products": [PurePath(path).name for path in job.products],
        "members": [{"file": PurePath(path).name, "role": role} for role, path in job.members],
        "association": PurePath(job.association).name,
        "candidate": job.acid,
        "given": job.given,
        "mem_mb": job.mem_mb,
        "cpu_s": round(job.seconds, 1),
        "bytes": job.room,
        "at_most_min": job.runtime,
        "state": LINKED if place else _stands(state),
        "reason": f"{place} has it" if place else state.reason,
    }


def _stands(state: State) -> str:
    if state.stands is Is.DUE:
        return MISSING if state.is_missing else STALE
    return PERHAPS if state.stands is Is.PERHAPS else UP_TO_DATE


def _total(stage: str, plan: Plan, jobs: Sequence[Content]) -> Content:
    own = [job for job in jobs if job["stage"] == stage]
    made = [job for job in own if job["state"] in (MISSING, STALE)]
    count = Counter(job["state"] for job in own)
    return {
        "stage": stage,
        "jobs": len(own),
        "to_make": len(made),
        "perhaps": count[PERHAPS],
        "linked": count[LINKED],
        "up_to_date": count[UP_TO_DATE],
        "blocked": sum(blocked == stage for blocked, _ in plan.blocked),
        "cpu_s": round(sum(job["cpu_s"] for job in made), 1),
        "peak_mb": max((job["mem_mb"] for job in made), default=0),
        "bytes": sum(job["bytes"] for job in own),
    }


def _disk(jobs: Sequence[Content], directory: Path) -> Content:
    """Return the bytes that products take, those of products that are not there yet, and those that are free."""
    absent = sum(job["bytes"] for job in jobs if job["state"] == MISSING)
    return {"products": sum(job["bytes"] for job in jobs), "missing": absent, "free": disk.free(directory)}


def disk_told(content: Content) -> str:
    """Return in one line how much room products take, and whether there is enough."""
    return disk.told(**content["disk"], directory=content["directory"])


def is_short(content: Content) -> bool:
    """Return whether less is free than products that are to come take."""
    return bool(content["disk"]["missing"] > content["disk"]["free"])


def summary(content: Content) -> str:
    """Return in one line what is to be made."""
    counts = [_counted(one) for one in content["stages"] if one["to_make"] or one["perhaps"]]
    said = [f"to be made: {', '.join(counts)}" if counts else "everything else is up to date"]
    if linked := sum(one["linked"] for one in content["stages"]):
        said.append(f"{linked} jobs are linked from another run")
    if count := len(content["cannot"]):
        said.append(f"{count} {'thing is' if count == 1 else 'things are'} wrong")
    return "; ".join(said if counts or len(said) > 1 else ["everything is up to date"])


def _counted(one: Content) -> str:
    perhaps = f"(perhaps {one['perhaps']} more)" if one["perhaps"] else ""
    return " ".join(filter(None, [one["stage"], str(one["to_make"] or ""), perhaps]))


def members_of(job: Content, role: str) -> Iterator[str]:
    """Yield the files of a job that have a role."""
    yield from (one["file"] for one in job["members"] if one["role"] == role)
