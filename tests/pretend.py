"""Jobs that are pretended: products of a few bytes with true records, so that a program runs in no time."""

import hashlib
import json
import os
from pathlib import Path

from jwrules import plan as planning
from jwrules import records
from jwrules.plan import waves


def content(job, digests, same=()):
    """What a product holds: it depends on all that the job depends on, or (of a stage in `same`) on its name alone."""
    if job.stage in same:
        return f"{job.stage} {job.name}".encode()
    return hashlib.sha256("\n".join([job.identity, *digests]).encode()).hexdigest().encode()


class Killed(Exception):
    """What ends a pretended run in the middle."""


def nothing(moment, job):
    """What happens at the moments of a job where nothing does."""


def make(plan, job, directory, same=(), at=nothing):
    """Make the products of a job, what goes with them, and its record; `at` is called between, and may raise Killed."""
    members = []
    at("begun", job)
    for role, path in job.members:
        there = directory / path
        members.append(records.Member(there.name, role, records.digest_of(there), records.stat(there)))
    folder = plan.flagged_folder(job)
    if folder:
        (directory / folder).mkdir(parents=True, exist_ok=True)
    what, gave = content(job, [one.digest for one in members], same), []
    for path in job.products:
        (directory / path).unlink(missing_ok=True)
    records.forget(directory / "results", job.name, job.stage)
    at("emptied", job)
    for path in job.products:
        there = directory / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(what)
        at("half", job)
        gave.append(records.Gave(there.name, records.digest(there), records.stat(there)))
    for path in plan.flagged(job):
        there = directory / folder / Path(path).name
        there.write_text("flagged")
        gave.append(records.Gave(f"../{folder}/{there.name}", records.digest(there), records.stat(there)))
    references = {kind: {"file": one.name, "sha256": one.sha256} for kind, one in job.references.items()}
    told = {"release": plan.release, "steps": json.loads(job.steps), "references": references}
    told["association"], told["association_sha256"] = Path(job.association).name, job.given_sha256
    records.write(
        records.Record(job.stage, job.name, job.identity, tuple(members), tuple(gave), told), directory / "results"
    )
    at("done", job)


def beside(plan, directory):
    """Make the associations, flagged exposures and pictures that a wave wants."""
    for path in plan.wave.targets:
        there = directory / path
        if path in plan.associations:
            there.write_text((directory / ".jwrules/associations" / there.name).read_text())
        elif not there.exists():
            there.parent.mkdir(exist_ok=True)
            there.write_bytes(b"")


def run(asked, directory, same=(), at=nothing):
    """Run a program to its end as `jwrules run` does; return the jobs that ran, in order.

    Products of the stages `same` come out as they were; `at(moment, job)` may raise Killed in the middle of a job.
    """
    ran = []
    plan = planning.of(asked, Path(directory))
    planning.lay_out(plan, directory)
    while True:
        states = planning.states(plan, asked, directory)
        shared = planning.shared(plan, directory)
        if shared.take(list(shared.offers(states))):
            states = planning.states(plan, asked, directory)
        ready = states.ready()
        wave = waves.make(plan, directory, ready, cores=2)
        if wave is None or not (ready or _lacks(wave, directory)):
            return ran
        for stage, name in (key for key in ready if key in wave.wave.jobs):
            make(plan, plan.job(stage, name), directory, same, at)
            ran.append((stage, name))
        beside(wave, directory)


def _lacks(wave, directory):
    return any(not (directory / path).exists() for path in wave.wave.targets)


def command(words):
    """Do as `jwrules` does where a rule calls it: pretend the jobs of the wave, and note them in ran.txt."""
    here = Path.cwd()
    if words[0] == "picture":
        (here / words[words.index("--output") + 1]).write_bytes(b"")
        return
    plan, same = waves.read(here / waves.FILE), os.environ["SAME"].split()
    if words[0] == "batch":
        jobs = [plan.job(batch.stage, name) for batch in plan.batches if batch.file == words[1] for name in batch.jobs]
    else:
        jobs = [job for job in plan.all() if job.identity == words[words.index("--record") + 1]]
    for job in jobs:
        make(plan, job, here, same)
        with (here / "ran.txt").open("a") as file:
            file.write(f"{job.stage} {job.name}\n")
