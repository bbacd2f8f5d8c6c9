"""The plan as text: products by stage, grouped where recipe, steps and reference files are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jwrules import names
from jwrules.cli.described import Content, disk_told, members_of, summary
from jwrules.cli.tally import clock
from jwrules.plan import disk

_MEMBERS = 4
"""How many members of a product are named."""


def table(content: Content) -> str:
    """Return the plan by stage and group: steps, options, reference files, products, and why each is to be made."""
    parts = [f"reference files: {content['references']}"] if "mappings" in content.get("references", "") else []
    jobs: dict[int, list[Content]] = {}
    for job in content["jobs"]:
        jobs.setdefault(job["group"], []).append(job)
    for total in content["stages"]:
        parts.append(f"{total['stage']}: {_count(total)}")
        for number, group in enumerate(content["groups"]):
            if group["stage"] == total["stage"]:
                parts.append("\n".join(_group(group, jobs[number])))
    parts += ["\n".join(_left_out(content))] if content["left_out"] else []
    parts += ["\n".join(_cannot(content))] if content["cannot"] else []
    parts += ["\n".join(_totals(content)), *([disk_told(content)] if "disk" in content else []), summary(content)]
    return "\n\n".join(parts)


def _count(total: Content) -> str:
    perhaps = f", perhaps {total['perhaps']} more" if total["perhaps"] else ""
    linked = f", {total['linked']} linked from another run" if total["linked"] else ""
    blocked = f", {total['blocked']} more cannot be made" if total["blocked"] else ""
    return f"{total['to_make']} of {total['jobs']} to be made{perhaps}{linked}{blocked}"


def _group(group: Content, jobs: Sequence[Content]) -> Iterator[str]:
    yield f"  {group['what']}: recipe {group['recipe']}"
    yield f"    steps       {', '.join(group['steps'])}"
    if group["skipped"]:
        yield f"    skipped     {', '.join(group['skipped'])}"
    for number, one in enumerate(one for one in group["options"] if one["parameter"] != "skip"):
        title = "options" if number == 0 else ""
        value = f"{one['step']}.{one['parameter']} = {one['value']}"
        yield f"    {title:<11} {value}  (default {one['default']}; {one['origin']})"
    for number, one in enumerate(group["references"]):
        title = "references" if number == 0 else ""
        yield f"    {title:<11} {one['type']:<13} {one['file']} ({one['sha256'][:8]}): {one['why']}"
    yield f"    cost        {_cost(jobs)}"
    for job in jobs:
        yield from _job(job)


def _cost(jobs: Sequence[Content]) -> str:
    memory, time = (max(job[key] for job in jobs) for key in ("mem_mb", "cpu_s"))
    return f"{memory} MB and about {time:.0f} s {'each' if len(jobs) > 1 else ''}".rstrip()


def _job(job: Content) -> Iterator[str]:
    science, background = (list(members_of(job, role)) for role in ("science", "background"))
    count = f"{len(science)} " if len(science) > 1 else ""
    gives = ", ".join(_suffix(one, job["name"]) for one in job["products"])
    yield f"    {job['name']}  {count}{_suffix(science[0])} -> {gives}: {_why(job)}"
    if len(science) > 1:
        yield f"      members   {_named(science)}"
    if job["given"]:
        yield f"      as said in  {job['given']}"
    if background:
        yield f"      background  {_named(background)}"


def _suffix(file: str, stem: str = "") -> str:
    return file.removeprefix(stem or names.stem(file))[1:].partition(".")[0]


def _why(job: Content) -> str:
    if job["state"] in ("perhaps", "linked"):
        return f"{job['state']}, {job['reason']}"
    return str(job["reason"] or job["state"])


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - _MEMBERS} more" if len(files) > _MEMBERS else ""
    return ", ".join(Path(file).name for file in files[:_MEMBERS]) + more


def _left_out(content: Content) -> Iterator[str]:
    yield f"left out: {len(content['left_out'])} files"
    for one in content["left_out"]:
        yield f"  {one['file']}: {one['why']}"


def _cannot(content: Content) -> Iterator[str]:
    """Yield what cannot be made and why: all of it, what lacks first, then what waits for that."""
    yield f"cannot be made: {len(content['cannot'])} {'reason' if len(content['cannot']) == 1 else 'reasons'}"
    for one in content["cannot"]:
        yield f"  {_named(one['files'])}: {one['why']}".replace("\n", "\n  ")
    waiting: dict[str, list[Content]] = {}
    for one in content["blocked"]:
        waiting.setdefault(one["stage"], []).append(one)
    for stage, jobs in waiting.items():
        yield from (f"  {stage} {one['name']}: {one['why']}" for one in jobs[:_MEMBERS])
        if len(jobs) > _MEMBERS:
            yield f"  {stage}: {len(jobs) - _MEMBERS} more wait for what cannot be made"


def _totals(content: Content) -> Iterator[str]:
    """Yield how much work there is, by stage: that of jobs that are sure to run."""
    counted = f"{'jobs':>7}{'to make':>9}{'perhaps':>9}{'linked':>8}{'cannot':>8}"
    yield f"{'':<11}{counted}{'CPU time':>11}{'peak memory':>13}{'disk':>10}"
    for one in content["stages"]:
        counts = f"{one['jobs']:>7}{one['to_make']:>9}{one['perhaps']:>9}{one['linked']:>8}{one['blocked']:>8}"
        peak = f"{one['peak_mb']} MB" if one["peak_mb"] else "-"
        yield f"{one['stage']:<11}{counts}{clock(one['cpu_s']):>11}{peak:>13}{disk.said(one['bytes']):>10}"
