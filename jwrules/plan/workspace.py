"""The working directory of a run: results/, logs/, pictures/, and .jwrules/ for what can be made again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwrules
from jwrules import associations, pool, recipes, references
from jwrules.house import SCRATCH, STORE
from jwrules.plan import ramps, remembered, settings
from jwrules.plan.choose import Planner
from jwrules.plan.links import link
from jwrules.plan.make import make
from jwrules.plan.rows import Plan
from jwrules.plan.settings import Settings

_SCRATCH = "scratch"
"""Key that a profile adds to the run file: where jobs write on the machines that they run on."""


def prepare(config: Mapping[str, Any]) -> Plan:
    """Return the plan of the run file `config`, for the rules; the working directory is the current one.

    The links to reference files and the associations that the rules name are brought up to date. Without a run file
    the plan is empty, which is enough for `snakemake --lint`.
    """
    _let_rules_find_commands()
    if not config:
        return Plan({}, jwrules.__version__)
    directory = Path.cwd()
    asked = {key: value for key, value in config.items() if key != _SCRATCH}
    if config.get(_SCRATCH):
        os.environ.setdefault(SCRATCH, str(config[_SCRATCH]))
    plan = of(settings.parse(asked), directory)
    _link_references(plan, directory)
    _write_associations(plan, directory)
    return plan


def of(asked: Settings, directory: Path) -> Plan:
    """Return the plan for what is asked, to be run in `directory`; raises WorkflowFault with every fault."""
    cache = cache_of(directory)

    def anew() -> Plan:
        exposures = pool.scan(asked.data, cache=cache / "headers.json", inspect=ramps.inspect)
        return make(exposures, planner(asked, cache), directory)

    return remembered.plan(asked, directory, cache, anew)


def planner(asked: Settings, cache: Path) -> Planner:
    """Return what chooses recipe, options and reference files, as is asked; `cache` is the folder of caches."""
    return Planner(
        house=recipes.all(),
        references=references.open(asked.references, cache / "references.json"),
        overrides=(*recipes.settings(asked.steps, "run file"), *recipes.parse_set(asked.sets)),
        own=recipes.read(asked.recipe) if asked.recipe else None,
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
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, lambda new, target=reference.path: new.symlink_to(target))


def _write_associations(plan: Plan, directory: Path) -> None:
    folder = directory / STORE / "associations"
    folder.mkdir(parents=True, exist_ok=True)
    for association in plan.associations.values():
        text = associations.text(association)
        path = folder / association.file
        if not path.is_file() or path.read_text() != text:
            _replace(path, lambda new, text=text: new.write_text(text))


def _replace(path: Path, make: Any) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    make(new)
    new.replace(path)


def _let_rules_find_commands() -> None:
    """Put the commands of this environment first: the rules call `jwrules`, and nobody need activate anything."""
    here = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != here:
        os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
