"""The working directory of a run: results/, logs/, pictures/, and .jwrules/ for what can be made again."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwrules
from jwrules import associations, names, pool, recipes, references, whole
from jwrules.house import SCRATCH, STORE
from jwrules.plan import given, planfile, ramps, remembered, settings, waves
from jwrules.plan.choose import Planner
from jwrules.plan.links import link
from jwrules.plan.make import make
from jwrules.plan.rows import LeftOut, Plan
from jwrules.plan.settings import Settings
from jwrules.plan.shared import Shared
from jwrules.plan.state import Key, States
from jwrules.pool import Pool
from jwrules.recipes import source
from jwrules.records import Contents
from jwrules.records.known import Known
from jwrules.references import pins
from jwrules.references.ledger import Ledger

_SCRATCH = "scratch"
"""Key that a profile adds to the run file: where jobs write on the machines that they run on."""


def prepare(config: Mapping[str, Any], files: Iterable[Path] = ()) -> Plan:
    """Return the plan of the run file `config`, for the rules; the working directory is the current one.

    `files` are those from which Snakemake has it; they are read once more, as `jwrules run` reads them.

    The links to reference files and the associations that the rules name are brought up to date. Without a run file
    the plan is empty, which is enough for `snakemake --lint`; with `wave` it is what `jwrules run` found to be due.
    """
    _let_rules_find_commands()
    if not config:
        return Plan({}, jwrules.__version__)
    if config.get(_SCRATCH):
        os.environ.setdefault(SCRATCH, str(config[_SCRATCH]))
    if waves.WAVE in config:
        return waves.read(Path(config[waves.WAVE]))
    said = source.as_ours({key: value for key, value in config.items() if key != _SCRATCH}, files)
    plan = of(settings.parse(said), Path.cwd())
    lay_out(plan, Path.cwd())
    return plan


def lay_out(plan: Plan, directory: Path) -> None:
    """Bring up to date what the rules name besides data and products: links to reference files, associations."""
    _link_references(plan, directory)
    _write_associations(plan, directory)


def states(plan: Plan, asked: Settings, directory: Path, forced: Collection[Key] = ()) -> States:
    """Return how the jobs of a plan stand; `forced` are to run whatever is there."""
    cache = cache_of(directory)
    contents, known = Contents(Ledger(cache / "contents.json")), Known.load(cache / "records.pickle")
    found = States(plan, directory, contents, known, forced)
    contents.save()
    known.save()
    return found


def shared(plan: Plan, directory: Path) -> Shared:
    """Return what other working directories of the same data have of the jobs of a plan."""
    cache = cache_of(directory)
    return Shared(plan, directory, Contents(Ledger(cache / "contents.json")), Known.load(cache / "beside.pickle"))


def of(asked: Settings, directory: Path) -> Plan:
    """Return the plan for what is asked, to be run in `directory`.

    Raises WorkflowFault with everything that cannot be made; where `partial` is asked, the plan says it.
    """
    cache = cache_of(directory)

    def anew() -> Plan:
        pinned, chosen_by = pins.read(asked.pin or {}, directory), planner(asked, cache, directory)
        try:
            pins.check_context(pinned, chosen_by.references.name)
            amiss: dict[str, list[str]] = {}
            others: list[Path] = []
            # A plan file says itself what belongs together: of the data it only takes names.
            lying = given.read(asked.data, {} if asked.exposures else amiss)
            made = make(exposures(asked, cache, amiss, others), chosen_by, directory, amiss, lying)
        finally:
            chosen_by.references.ledger.save()
        pins.check(pinned, made.rules, made.reference_files)
        left_out = (*made.left_out, *(LeftOut(str(path), planfile.NOT_LISTED) for path in others))
        return replace(made, left_out=left_out, faults={**made.faults, **planfile.other_recipes(made, asked.exposures)})

    made = remembered.plan(replace(asked, partial=True), directory, cache, anew)
    if not asked.partial:
        made.refuse()
    return made


def exposures(
    asked: Settings, cache: Path, amiss: dict[str, list[str]] | None = None, others: list[Path] | None = None
) -> Pool:
    """Return the pool of what is to be reduced; `cache` is the folder of caches.

    `amiss` takes what is wrong with files, and `others` those that a plan file does not list.
    """
    found: set[str] = set()
    excluded = associations.exclusions(asked.exclude)

    def wanted(path: Path) -> bool:
        name = names.stem(path)
        found.add(name)
        if not asked.exposures or name in asked.exposures or excluded.why(name):
            return True
        if others is not None:
            others.append(path)
        return False

    scanned = pool.scan(asked.data, cache=cache / "headers.pickle", read=ramps.read, amiss=amiss, wanted=wanted)
    if amiss is not None:
        amiss |= {
            name: [f"is in the plan file, and not in {asked.data}"] for name in asked.exposures if name not in found
        }
    return scanned


def planner(
    asked: Settings, cache: Path, directory: Path | None = None, header: Mapping[str, Any] | None = None
) -> Planner:
    """Return what chooses recipe, options and reference files, as is asked; `cache` is the folder of caches.

    `directory` is the working directory, from which pins that are a file of their own are seen, and files of options.
    With a `header` it serves the exposure that has it alone, in less time.
    """
    chooser = references.open(asked.references, cache / "references.json")
    chooser.pinned = pins.read(asked.pin or {}, directory or Path()).files
    return Planner(
        house=recipes.all() if header is None else recipes.suited(header),
        references=chooser,
        overrides=(*recipes.settings(asked.steps, "run file"), *recipes.parse_set(asked.sets)),
        own=recipes.read(asked.recipe) if asked.recipe else None,
        exclude=asked.exclude,
        listed=asked.associations if asked.exposures else None,
        folder=directory,
    )


def cache_of(directory: Path | None) -> Path:
    """Return the folder of caches: that of the working directory, or the user's where there is none yet."""
    if directory and directory.is_dir():
        return directory / STORE
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jwrules"


def _link_references(plan: Plan, directory: Path) -> None:
    for reference in {one for job in plan.all() for one in job.opened}:
        place = directory / link(reference)
        if not (place.is_symlink() and place.readlink() == reference.path):
            with whole.beside(place) as fresh:
                fresh.symlink_to(reference.path)


def _write_associations(plan: Plan, directory: Path) -> None:
    folder = directory / STORE / "associations"
    folder.mkdir(parents=True, exist_ok=True)
    for association in plan.associations.values():
        text = associations.text(association)
        path = folder / association.file
        if not path.is_file() or path.read_text() != text:
            whole.write(path, text)


def _let_rules_find_commands() -> None:
    """Put the commands of this environment first: the rules call `jwrules`, and nobody need activate anything."""
    here = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
