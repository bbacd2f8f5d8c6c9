"""Pool x recipes x references -> the jobs of every stage, or every fault at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwrules
from jwrules import associations, names, recipes
from jwrules.errors import JwrulesError, RecipeFault, WorkflowFault
from jwrules.plan import identity
from jwrules.plan.choose import Planner
from jwrules.plan.links import with_links
from jwrules.plan.resources import memory, minutes, seconds
from jwrules.plan.rows import Job, LeftOut, Plan
from jwrules.pool import Pool
from jwrules.records.code import Code

if TYPE_CHECKING:
    from jwrules.associations import Association

_NEXT = re.compile(r"\n(?! )")
"""Where in a message the next fault begins: what belongs to one is indented below it."""

_FROM_RAMPS = {"detector1": ("rate", "rateints"), "dark": ("dark",), "guider": ("cal",)}
"""What the stages that start from raw exposures make."""

_NAMED = 3
"""How many files of one fault are named."""


@dataclass
class Faults:
    """Faults collected from everywhere, each with the files that it concerns."""

    found: dict[str, list[str]] = field(default_factory=dict)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Collect the fault that is raised inside, as one of `what`."""
        try:
            yield
        except JwrulesError as fault:
            for words in _NEXT.split(str(fault)):
                self._add(what, words.removeprefix(f"{what}: "))

    def _add(self, what: str, words: str) -> None:
        files = self.found.setdefault(words, [])
        if what not in files:
            files.append(what)

    def refuse(self) -> None:
        """Raise one WorkflowFault that says them all, where there are any."""
        if self.found:
            count = len(self.found)
            head = "1 thing is wrong" if count == 1 else f"{count} things are wrong"
            said = [f"- {_named(files)}: {words}" for words, files in self.found.items()]
            raise WorkflowFault("\n".join([f"{head}; nothing was run", *said]))


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(files[:_NAMED]) + more


@dataclass(frozen=True)
class Exposure:
    """A raw exposure for which there is a recipe."""

    name: str
    path: Path
    header: Mapping[str, Any]
    recipe: Any


def make(pool: Pool, planner: Planner, directory: Path) -> Plan:
    """Return the plan for the exposures of `pool`, to be run in the working directory `directory`.

    Raises WorkflowFault that lists every fault: no reference file, two recipes, a damaged header, ...
    """
    faults = Faults()
    exposures, left_out = _sorted_out(pool, planner, faults)
    used = {one.recipe.name: one.recipe for one in exposures.values()}
    made = associations.make(pool, list(used.values()), planner.exclude)
    jobs = {
        **{stage: dict(_of_ramps(stage, exposures, planner, directory, faults)) for stage in _FROM_RAMPS},
        "image2": dict(_image2(exposures, made, planner, faults)),
        "image3": dict(_image3(exposures, made, planner, faults)),
    }
    faults.refuse()
    jobs = _identified(jobs, planner.code)
    asked = {job.association for job in jobs["image3"].values()}
    kept = {path: one for one in made if (path := _file(one)) in asked}
    return Plan(jobs, jwrules.__version__, tuple(left_out), kept)


def _identified(jobs: Mapping[str, Mapping[str, Job]], code: Code) -> dict[str, dict[str, Job]]:
    """Return the jobs with their identities."""
    return {
        stage: {
            name: replace(job, identity=identity.of(job, code.version(stage, job.runs))) for name, job in its.items()
        }
        for stage, its in jobs.items()
    }


def _sorted_out(pool: Pool, planner: Planner, faults: Faults) -> tuple[dict[str, Exposure], list[LeftOut]]:
    exposures: dict[str, Exposure] = {}
    left_out: list[LeftOut] = []
    excluded = associations.exclusions(planner.exclude, planner.recipes)
    for row in pool.files:
        name, path = names.stem(row["filename"]), cast(Path, row.path)
        if reason := excluded.why(name):
            left_out.append(LeftOut(str(path), f"excluded: {reason}"))
            continue
        with faults.of(path.name):
            recipe = planner.recipe(row.header)
            if recipe is None:
                left_out.append(LeftOut(str(path), _why_none(planner, row.header)))
            else:
                exposures[name] = Exposure(name, path, row.header, recipe)
    return exposures, left_out


def _of_ramps(
    stage: str, exposures: Mapping[str, Exposure], planner: Planner, directory: Path, faults: Faults
) -> Iterator[tuple[str, Job]]:
    for exposure in exposures.values():
        if stage not in exposure.recipe.stages:
            continue
        with faults.of(exposure.path.name):
            science = (_seen_from(directory, exposure.path),)
            yield exposure.name, _job(stage, exposure.name, [exposure], planner, science, _FROM_RAMPS[stage])


def _image2(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    backgrounds = dict(_backgrounds(made))
    for exposure in exposures.values():
        if "image2" not in exposure.recipe.stages:
            continue
        with faults.of(exposure.path.name):
            sky = tuple(f"results/{name}_rate.fits" for name in backgrounds.get(exposure.name, ()))
            science = (f"results/{exposure.name}_rate.fits",)
            job = _job("image2", exposure.name, [exposure], planner, science, ())
            yield exposure.name, replace(job, gives=_image2_gives(job, sky), background=sky)


def _image2_gives(job: Job, sky: Sequence[str]) -> tuple[str, ...]:
    resampled = ("cal", "i2d") if "resample" in job.runs else ("cal",)
    return (*resampled, "bsub") if sky and "resample" in job.runs and "background" in job.runs else resampled


def _backgrounds(made: Sequence[Association]) -> Iterator[tuple[str, list[str]]]:
    for association in made:
        if association.type == "image2":
            members = [(names.stem(name), kind) for name, kind in association.members]
            sky = [name for name, kind in members if kind == "background"]
            yield from ((name, sky) for name, kind in members if kind == "science" and sky)


def _image3(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    for association in made:
        members = [names.stem(name) for name, kind in association.members if kind == "science"]
        if association.type != "image3" or any("image3" not in _stages(exposures, name) for name in members):
            continue
        with faults.of(association.product):
            science = tuple(f"results/{name}_cal.fits" for name in members)
            its = [exposures[name] for name in members]
            job = _job("image3", association.product, its, planner, science, ())
            gives = ("i2d", "cat", "segm") if "source_catalog" in job.runs else ("i2d",)
            yield (
                association.product,
                replace(
                    job, gives=gives, association=_file(association), acid=association.candidate, pool=association.pool
                ),
            )


def _stages(exposures: Mapping[str, Exposure], name: str) -> Collection[str]:
    """Return the stages of the recipe of an exposure; rules may name products that no stage makes yet."""
    return exposures[name].recipe.stages if name in exposures else ()


def _file(association: Association) -> str:
    return f"results/{association.file}"


def _job(
    stage: str,
    name: str,
    exposures: Sequence[Exposure],
    planner: Planner,
    science: tuple[str, ...],
    gives: tuple[str, ...],
) -> Job:
    headers = [exposure.header for exposure in exposures]
    choice = planner.choose(stage, headers[0])
    steps, files = with_links(choice.steps, planner.references.ledger)
    return Job(
        stage=stage,
        name=name,
        recipe=choice.recipe,
        science=science,
        gives=gives,
        steps=steps,
        files=files,
        runs=choice.runs,
        references=choice.references,
        mem_mb=memory(stage, headers),
        runtime=minutes(stage, headers),
        seconds=seconds(stage, headers),
        about=_about(headers[0]),
    )


def _about(header: Mapping[str, Any]) -> dict[str, str]:
    keywords = {
        "target": "TARGPROP",
        "instrument": "INSTRUME",
        "detector": "DETECTOR",
        "filter": "FILTER",
        "pupil": "PUPIL",
    }
    return {what: str(header[keyword]) for what, keyword in keywords.items() if header.get(keyword)}


def _why_none(planner: Planner, header: Mapping[str, Any]) -> str:
    try:
        recipes.pick(header, planner.recipes)
    except RecipeFault as fault:
        return str(fault)
    return "no recipe is for it"


def _seen_from(directory: Path, path: Path) -> str:
    """Return a path as the rules see it: from the working directory if it lies below it, so that both may move."""
    path = path.absolute()
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)
