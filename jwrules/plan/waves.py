"""What is handed to Snakemake at once: jobs that are sure to run, small ones together in one process."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jwrules import associations, kept
from jwrules.errors import WorkflowFault
from jwrules.house import STORE
from jwrules.plan.resources import START
from jwrules.plan.rows import KEPT, STAGES, Batch, Job, Plan, Wave
from jwrules.plan.state import Key

FILE = f"{STORE}/wave.pickle"
"""The plan of a wave, as the rules read it."""
WAVE = "wave"
"""Key under which the run file, or one beside it, names the plan of a wave."""

BATCHED = ("detector1", "dark", "guider", "image2")
_SMALL = 1.0
"""Seconds of work below which a job is small: less than to start a process."""
_MOST, _LONGEST = 100, 60.0
"""Jobs in a batch, and the seconds that they may take."""
_LARGEST, _EACH = 1000, 4
"""Jobs in a wave: so many, or so many for each processor where there are many."""


def make(plan: Plan, directory: Path, ready: Sequence[Key], cores: int) -> Plan | None:
    """Return the plan of the jobs that are ready, and of what lacks beside finished ones; None where that is nothing.

    Of very many jobs the first are taken, product by product: Snakemake needs time and memory for each that it knows.
    Flagged exposures, pictures and association files are made again where they lack, and after their job.
    """
    due = frozenset(_first(plan, ready, max(_LARGEST, _EACH * cores)))
    later = frozenset(ready) - due
    lacking = {
        (job.stage, job.name): _lacking(plan, job, directory, due)
        for job in plan.all()
        if (job.stage, job.name) not in later
    }
    held = [job for job in plan.all() if (job.stage, job.name) in due or lacking.get((job.stage, job.name))]
    if not held:
        return None
    written = frozenset(path for path in _associations(held) if not _stands(plan, path, directory))
    batches = tuple(_batches([job for job in held if (job.stage, job.name) in due], directory, cores))
    batched = {(batch.stage, name) for batch in batches for name in batch.jobs}
    products = [path for job in held if (job.stage, job.name) in due for path in job.products]
    beside = [path for paths in lacking.values() for path in paths]
    wave = Wave((*products, *beside, *written), due - batched, batches, written)
    jobs = {stage: {job.name: job for job in held if job.stage == stage} for stage in plan.jobs}
    kept = {path: plan.associations[path] for path in _associations(held) if path in plan.associations}
    return replace(plan, jobs=jobs, associations=kept, wave=wave)


def _first(plan: Plan, ready: Sequence[Key], most: int) -> Sequence[Key]:
    """Return about so many of the jobs, in their order: whole products with all that is to be made for them."""
    if len(ready) <= most:
        return ready
    makers = {path: key for key in ready for path in plan.job(*key).products}
    taken: set[Key] = set()
    for key in sorted(ready, key=lambda key: -STAGES.index(key[0])):
        waiting = [key] if len(taken) < most else []
        while waiting:
            one = waiting.pop()
            if one not in taken:
                taken.add(one)
                waiting += [makers[path] for _, path in plan.job(*one).members if path in makers]
    return [key for key in ready if key in taken]


def _lacking(plan: Plan, job: Job, directory: Path, due: Collection[Key]) -> list[str]:
    """Return what goes with a job and lacks, or will be out of date: flagged exposures, pictures, association."""
    beside = [*plan.flagged(job), *job.pictures, *_associations([job])]
    if (job.stage, job.name) in due:
        return beside
    lacking = [path for path in beside if not os.path.exists(f"{directory}/{path}")]
    # What goes with a job that failed, or waits for one that did, cannot be made.
    is_made = lacking and all(os.path.exists(f"{directory}/{path}") for path in job.products)
    return lacking if is_made else []


def _associations(jobs: Iterable[Job]) -> list[str]:
    return [job.association for job in jobs if job.association]


def _stands(plan: Plan, path: str, directory: Path) -> bool:
    place = directory / path
    return place.is_file() and place.read_text(encoding="utf-8") == associations.text(plan.associations[path])


def _batches(jobs: Sequence[Job], directory: Path, cores: int) -> Iterator[Batch]:
    """Yield batches of the small jobs of each stage, so many that every processor has some."""
    for stage in BATCHED:
        small = [job for job in jobs if job.stage == stage and job.seconds - START < _SMALL]
        if len(small) < 2:
            continue
        size = max(1, min(_MOST, -(-len(small) // cores)))
        for number, part in enumerate(_parts(small, size), start=1):
            yield _batch(stage, number, part, directory)


def _parts(jobs: Sequence[Job], size: int) -> Iterator[list[Job]]:
    part: list[Job] = []
    for job in jobs:
        took = sum(one.seconds - START for one in part)
        if part and (len(part) == size or took > _LONGEST):
            yield part
            part = []
        part.append(job)
    if part:
        yield part


def _batch(stage: str, number: int, jobs: Sequence[Job], directory: Path) -> Batch:
    file = f"{STORE}/batches/{stage}_{number}.json"
    entries = [{"log": log(job), "words": [stage, *job.inputs, *job.options, *job.told]} for job in jobs]
    place = directory / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    return Batch(
        stage=stage,
        number=number,
        file=file,
        jobs=tuple(job.name for job in jobs),
        inputs=tuple(dict.fromkeys(path for job in jobs for _, path in job.members)),
        outputs=tuple(path for job in jobs for path in job.products),
        mem_mb=max(job.mem_mb for job in jobs),
        runtime=max(job.runtime for job in jobs) + int(sum(job.seconds for job in jobs) // 30),
    )


def log(job: Job) -> str:
    """Return where the log of a job goes."""
    return f"logs/{job.stage}/{job.name}.log"


def write(wave: Plan, directory: Path) -> Path:
    """Write the plan of a wave for the rules, complete or not at all; return the file that names it to Snakemake."""
    path = directory / FILE
    kept.save(path, wave)
    named = path.with_suffix(".yaml")
    named.write_text(f"{WAVE}: {json.dumps(str(path))}\n", encoding="utf-8")
    return named


def read(path: Path) -> Plan:
    """Return the plan of a wave; WorkflowFault where the file holds none."""
    plan = kept.load(path, KEPT)
    if not isinstance(plan, Plan):
        raise WorkflowFault(f"{path}: there is no plan of a wave in it; `jwrules run` writes it anew")
    return plan
