"""How a product was made, and whether it is up to date, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jwrules import plan as planning
from jwrules.errors import DataFault


def tell(product: Path) -> str:
    """Return members, steps, reference files and versions of a product, and whether it is up to date."""
    how = read(product)
    stages = [how, *reversed(how.get("before", []))]
    parts = ["\n".join(_stage(stage)) for stage in stages]
    return "\n\n".join([str(product), *parts, _state(product)])


def read(product: Path) -> Mapping[str, Any]:
    """Return how a product says that it was made; DataFault where it says nothing."""
    how = _of_table(product) if product.suffix == ".ecsv" else _of_fits(product)
    if not how:
        raise DataFault(f"{product}: it does not say how it was made; was it made by jwrules?")
    return how


def _of_table(path: Path) -> Mapping[str, Any]:
    from astropy.table import Table

    return dict(Table.read(path, format="ascii.ecsv").meta.get("jwrules", {}))


def _of_fits(path: Path) -> Mapping[str, Any]:
    from jwrules.products import asdf, fits

    with fits.opened(path) as hdus:
        return dict(asdf.extract(hdus).get("jwrules", {}))


def _stage(how: Mapping[str, Any]) -> Iterator[str]:
    context = f", {how['context']}" if how.get("context", "N/A") != "N/A" else ""
    yield f"{how.get('stage', '?')} (jwrules {how.get('release', '?')}{context})"
    members = how.get("members", [])
    for number, member in enumerate(members):
        role = "" if member.get("role", "science") == "science" else f" ({member['role']})"
        yield f"  {'members' if number == 0 else '':<11} {member['file']}{role}  {member.get('date', '')}".rstrip()
    for number, step in enumerate(how.get("steps", [])):
        yield f"  {'steps' if number == 0 else '':<11} {_step(step)}"
    for number, (kind, reference) in enumerate(sorted(how.get("references", {}).items())):
        title = "references" if number == 0 else ""
        yield f"  {title:<11} {kind:<13} {reference['file']}  sha256 {reference['sha256']}"


def _step(step: Mapping[str, Any]) -> str:
    options = ", ".join(f"{name}={value}" for name, value in step.get("params", {}).items())
    reason = f": {step['reason']}" if step.get("reason") else ""
    return f"{step['step']:<18} {step['status']}{reason}" + (f"  ({options})" if options else "")


def _state(product: Path) -> str:
    directory = product.resolve().parent.parent
    run_file = directory / planning.RUN_FILE
    if not run_file.is_file():
        return "up to date? It does not lie in the working directory of a run, so that cannot be told."
    asked = planning.read(run_file)
    plan = planning.of(asked, directory)
    states = planning.states(plan, asked, directory).of
    waiting = [(job, states[job.stage, job.name]) for job in _behind(plan, product)]
    waiting = [(job, state) for job, state in waiting if state.stands is not planning.Is.UP_TO_DATE]
    if not waiting:
        return f"It is up to date with {run_file}."
    jobs = [f"  {job.stage} {job.name}: {_said(state)}" for job, state in waiting]
    return "\n".join(["It is not up to date; a run would make again", *jobs])


def _said(state: planning.State) -> str:
    return f"perhaps, {state.reason}" if state.stands is planning.Is.PERHAPS else state.reason


def _behind(plan: planning.Plan, product: Path) -> list[planning.Job]:
    """Return the jobs that a product comes from, the first stage first."""
    maker = {Path(path).name: job for job in plan.all() for path in [*job.products, *plan.flagged(job)]}
    waiting, found = [product.name], dict[tuple[str, str], planning.Job]()
    while waiting:
        job = maker.get(waiting.pop())
        if job:
            found[job.stage, job.name] = job
            waiting += [Path(path).name for _, path in job.members]
    return sorted(found.values(), key=lambda job: (planning.STAGES.index(job.stage), job.name))
