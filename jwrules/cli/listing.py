"""The plan as text: products by stage, grouped where recipe, steps and reference files are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jwrules import names
from jwrules.plan import STAGES, Is, Job, Plan, State, summary

States = Mapping[tuple[str, str], State]
"""How each job stands, by stage and name."""

_MEMBERS = 4
"""How many members of a product are named."""


def table(plan: Plan, states: States) -> str:
    """Return the plan by stage and group: steps, reference files, products, and why each is to run."""
    parts = [f"reference files: {plan.rules}"] if plan.rules.mappings else []
    for stage in STAGES:
        jobs = list(plan.jobs[stage].values())
        if jobs:
            parts.append(f"{stage}: {_count(jobs, states)}")
            parts += ["\n".join(_group(group, states)) for group in _groups(jobs)]
    parts += ["\n".join(_left_out(plan))] if plan.left_out else []
    parts.append(summary(states, STAGES))
    return "\n\n".join(parts)


def _count(jobs: Sequence[Job], states: States) -> str:
    stand = [states[job.stage, job.name].stands for job in jobs]
    due, perhaps = stand.count(Is.DUE), stand.count(Is.PERHAPS)
    return f"{due} of {len(jobs)} to be made{f', perhaps {perhaps} more' if perhaps else ''}"


def _groups(jobs: Sequence[Job]) -> list[list[Job]]:
    groups: dict[tuple[str, ...], list[Job]] = {}
    for job in jobs:
        groups.setdefault((_what(job), job.recipe, job.steps, *job.links), []).append(job)
    return list(groups.values())


def _group(jobs: Sequence[Job], states: States) -> Iterator[str]:
    first = jobs[0]
    yield f"  {_what(first)}: recipe {first.recipe}"
    yield f"    steps       {_steps(first)}"
    for number, (kind, reference) in enumerate(sorted(first.references.items())):
        title = "references" if number == 0 else ""
        yield f"    {title:<11} {kind:<13} {reference.name} ({reference.sha256[:8]})"
    for job in jobs:
        yield f"    {job.name}  {_inputs(job)} -> {', '.join(job.gives)}: {_why(job, states)}"
        if len(job.science) > 1:
            yield f"      members   {_named(job.science)}"
        if job.background:
            yield f"      background  {_named(job.background)}"


def _what(job: Job) -> str:
    words = [job.about.get(key, "") for key in ("instrument", "detector", "filter", "pupil")]
    return " ".join(word for word in words if word)


def _steps(job: Job) -> str:
    """Return the chain with the options that differ from the declared defaults."""
    return ", ".join(_step(call) for call in json.loads(job.steps) if not call.get("skip"))


def _step(call: dict[str, object]) -> str:
    params = call.get("params")
    options = ", ".join(f"{name}={value}" for name, value in params.items()) if isinstance(params, dict) else ""
    return f"{call['step']}({options})" if options else str(call["step"])


def _why(job: Job, states: States) -> str:
    state = states[job.stage, job.name]
    return f"perhaps, {state.reason}" if state.stands is Is.PERHAPS else state.reason or "up to date"


def _inputs(job: Job) -> str:
    """Return what a job takes: the suffix of its files, and their number where there are several."""
    count = f"{len(job.science)} " if len(job.science) > 1 else ""
    first = Path(job.science[0]).name
    return count + first.removeprefix(names.stem(first))[1:].partition(".")[0]


def _named(paths: Sequence[str]) -> str:
    names = [Path(path).name for path in paths]
    more = f" and {len(names) - _MEMBERS} more" if len(names) > _MEMBERS else ""
    return ", ".join(names[:_MEMBERS]) + more


def _left_out(plan: Plan) -> Iterator[str]:
    yield f"left out: {len(plan.left_out)} files"
    for one in plan.left_out:
        yield f"  {one.path}: {one.reason}"
