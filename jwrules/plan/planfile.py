"""The plan file: a run file that also lists exposures, associations and the content of reference files.

A run of it makes exactly that. An exposure that is not listed is not taken; one that is listed and not there, another
recipe, and a reference file with another content are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from jwrules import names, whole
from jwrules.associations import Association, Member, exclusions
from jwrules.associations.files import ROLES
from jwrules.errors import did_you_mean
from jwrules.plan import given
from jwrules.plan.jobs import FROM_RAMPS
from jwrules.plan.rows import ENDING, Job, Plan
from jwrules.plan.settings import Settings
from jwrules.recipes import source
from jwrules.references import pins

NOT_LISTED = "it is not in the plan file"

_HEAD = """\
# A plan: `jwrules run {name}` makes exactly this. It is yours to edit and to keep under version control.
# exclude: exposures that are left out, and why: to drop one, add it there.
# pin: reference files by name and SHA-256: no other is taken, and a run stops where one holds something else.
# associations: members and roles of each product; delete a product, or a member, or give it another role.
"""


def write(plan: Plan, asked: Settings, path: Path) -> None:
    """Write the plan file of a plan, complete or not at all."""
    text = source.written(content(plan, asked, path.parent))
    whole.write(path, _HEAD.format(name=path.name) + text)


def content(plan: Plan, asked: Settings, folder: Path) -> dict[str, Any]:
    """Return a plan as plain values; paths below the `folder` of the file are seen from there."""
    raw = [job for stage in FROM_RAMPS for job in plan.jobs.get(stage, {}).values()]
    said = exclusions(asked.exclude)
    exposures = [one for one in plan.left_out if not one.path.endswith(ENDING)]
    reasons = {names.stem(Path(one.path).name): " ".join(one.reason.split()) for one in exposures}
    left_out = {name: why.removeprefix("excluded: ") for name, why in reasons.items()}
    pinned = pins.of(plan.rules, plan.reference_files)
    return {
        "data": _seen_from(folder, str(asked.data)),
        "references": _seen_from(folder, asked.references),
        **({"recipe": _seen_from(folder, str(asked.recipe))} if asked.recipe else {}),
        "steps": {step: dict(values) for step, values in asked.steps.items()},
        "set": list(asked.sets),
        "exclude": {**asked.exclude, **{name: why for name, why in left_out.items() if not said.why(name)}},
        "exposures": {job.name: job.recipe for job in raw},
        "associations": [*map(_entry, plan.jobs.get("image3", {}).values()), *_with_background(plan)],
        "pin": pinned,
    }


def _seen_from(folder: Path, place: str) -> str:
    path = Path(place)
    here = folder.resolve()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else place


def _entry(job: Job) -> dict[str, Any]:
    members: dict[str, list[str]] = {}
    for role, path in job.members:
        members.setdefault(role, []).append(PurePath(path).name)
    candidate = {"candidate": job.acid} if job.acid else {}
    return {"product": job.name, "type": job.stage, **candidate, "members": members}


def _with_background(plan: Plan) -> Iterator[dict[str, Any]]:
    yield from (_entry(job) for job in plan.jobs.get("image2", {}).values() if job.background)


def faults(entries: Any, where: str) -> Iterator[str]:
    """Yield everything that is wrong with the associations of a plan file."""
    if not isinstance(entries, list):
        yield f"{where}: expected a list of products, each with product, type and members"
        return
    first: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        found = list(_entry_faults(entry, f"{where}[{number}]"))
        yield from found
        before = number if found else first.setdefault((entry["type"], entry["product"]), number)
        if before != number:
            yield f"{where}[{number}].product: {entry['product']} is {where}[{before}] already; give one of them"


_KEYS = ("product", "type", "candidate", "members")
_OF_TYPE = {kind: of["science"] for kind, of in given.TAKEN.items()}
"""What the members of an association are, by its type."""


def _entry_faults(entry: Any, where: str) -> Iterator[str]:
    if not isinstance(entry, Mapping):
        yield f"{where}: expected the keys {', '.join(_KEYS)}"
        return
    yield from (f"{where}.{key}: no such key; there are {', '.join(_KEYS)}" for key in entry if key not in _KEYS)
    yield from (
        f"{where}.{key}: missing, or no text"
        for key in ("product", "type")
        if not (isinstance(entry.get(key), str) and entry[key])
    )
    if isinstance(entry.get("type"), str) and entry["type"] and entry["type"] not in _OF_TYPE:
        yield f"{where}.type: {entry['type']} is none of {', '.join(_OF_TYPE)}{did_you_mean(entry['type'], _OF_TYPE)}"
    candidate = entry.get("candidate", "a3001")
    if not (isinstance(candidate, str) and re.fullmatch(names.ACID, candidate)):
        yield f"{where}.candidate: {candidate!r} is no candidate of an association, such as o001, c1001, a3001"
    members = entry.get("members")
    if not isinstance(members, Mapping) or not all(isinstance(files, list) for files in members.values()):
        yield f"{where}.members: expected role -> list of files"
        return
    for role in members:
        if role not in ROLES:
            yield f"{where}.members.{role}: no role of a member{did_you_mean(str(role), ROLES)}"
    if not members.get("science"):
        yield f"{where}.members: there are none with the role science"
    yield from _member_faults([file for files in members.values() for file in files], entry.get("type"), where)


def _member_faults(files: Sequence[Any], kind: Any, where: str) -> Iterator[str]:
    suffix = _OF_TYPE.get(kind) if isinstance(kind, str) else None
    for number, file in enumerate(files):
        if not isinstance(file, str) or PurePath(file).name != file:
            yield f"{where}.members: {file!r} is no name of a file, without folders"
        elif file in files[:number]:
            yield f"{where}.members: {file} stands there twice"
        elif suffix and not file.endswith(f"_{suffix}.fits"):
            yield f"{where}.members: {file}: {kind} is made of files that end in _{suffix}.fits"


def regroup(
    made: Sequence[Association], listed: Sequence[Mapping[str, Any]], exposures: Iterable[str], excluded: Iterable[str]
) -> tuple[list[Association], dict[str, str]]:
    """Return the associations that a plan file lists, and by product what is wrong with them.

    `made` are those that the rules make: one that is listed with the members that it has is that. Members that are
    excluded are left out.
    """
    by_name = {(one.type, one.product): one for one in made}
    known, gone = set(exposures), set(excluded)
    grouped, amiss = [], {}
    for entry in listed:
        members = [
            (file, role) for role, files in entry["members"].items() for file in files if names.stem(file) not in gone
        ]
        if absent := [file for file, _ in members if names.stem(file) not in known]:
            amiss[entry["product"]] = (
                f"is listed in the plan file with {', '.join(absent)}, which is of no listed exposure"
            )
        elif any(role == "science" for _, role in members):
            grouped.append(_association(entry, members, by_name.get((entry["type"], entry["product"])), made))
    return grouped, amiss


def _association(
    entry: Mapping[str, Any], members: Sequence[tuple[str, str]], like: Association | None, made: Sequence[Association]
) -> Association:
    """Return what an entry says: an association of the rules, with its members where they were edited; or a new one."""
    if like and sorted(tuple(one) for one in like.members if one.exptype in entry["members"]) == sorted(members):
        return like
    told = {member.expname: member for one in made for member in one.members}
    its = tuple(replace(told[file], exptype=role) if file in told else Member(file, role) for file, role in members)
    if like:
        return replace(like, members=its)
    candidate = entry.get("candidate") or "a3001"
    same = [one.sequence for one in made if (one.type, one.candidate) == (entry["type"], candidate)]
    program = members[0][0][2:7]
    pool = made[0].pool if made else "none"
    rule = "plan file"
    return Association(
        entry["type"], program, candidate, entry["product"], its, rule, pool=pool, sequence=max(same, default=0) + 1
    )


def other_recipes(plan: Plan, listed: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the exposures that would go by another recipe than the plan file says, by what is wrong."""
    found: dict[str, list[str]] = {}
    for job in (job for stage in FROM_RAMPS for job in plan.jobs.get(stage, {}).values()):
        if listed.get(job.name, job.recipe) != job.recipe:
            words = f"the plan file says recipe {listed[job.name]}, by its header it goes by {job.recipe}"
            found.setdefault(words, []).append(job.name)
    return found
