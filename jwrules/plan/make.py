"""Pool x recipes x references -> the jobs of every stage, and every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwrules
from jwrules import associations, names, recipes
from jwrules.errors import JwrulesError, NameFault, RecipeFault
from jwrules.plan import identity, planfile
from jwrules.plan.choose import Planner
from jwrules.plan.resources import Size, memory, minutes, seconds, size_of
from jwrules.plan.rows import Job, LeftOut, Plan
from jwrules.pool import Pool
from jwrules.records.code import Code

if TYPE_CHECKING:
    from jwrules.associations import Association

_NEXT = re.compile(r"\n(?! )")
"""Where in a message the next fault begins: what belongs to one is indented below it."""

_FROM_RAMPS = {"detector1": ("rate", "rateints"), "dark": ("dark",), "guider": ("cal",)}
"""What the stages that start from raw exposures make."""


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
            self.add(what, str(fault))

    def add(self, what: str, said: str) -> None:
        """Collect what is said of `what`, one fault to a line and its indented ones."""
        for words in _NEXT.split(said):
            self._add(what, words.removeprefix(f"{what}: "))

    def _add(self, what: str, words: str) -> None:
        files = self.found.setdefault(words, [])
        if what not in files:
            files.append(what)


@dataclass(frozen=True)
class Exposure:
    """A raw exposure for which there is a recipe."""

    name: str
    path: Path
    header: Mapping[str, Any]
    recipe: Any

    @cached_property
    def size(self) -> Size:
        """How large it is."""
        return size_of(self.header)


def make(pool: Pool, planner: Planner, directory: Path, amiss: Mapping[str, Sequence[str]] | None = None) -> Plan:
    """Return the plan for the exposures of `pool`, to be run in the working directory `directory`.

    It says what can be made, and every fault: no reference file, two recipes, ...; `amiss` are those of files that are
    not in the pool.
    """
    faults = Faults()
    for name, said in (amiss or {}).items():
        faults.add(name, "\n".join(said))
    exposures, left_out = _sorted_out(pool, planner, faults)
    used = {one.recipe.name: one.recipe for one in exposures.values()}
    made = associations.make(pool, list(used.values()), planner.exclude)
    if planner.listed is not None:
        gone = {names.stem(one.path) for one in left_out}
        made, wrong = planfile.regroup(made, planner.listed, exposures, gone)
        for product, words in wrong.items():
            faults.add(product, words)
    jobs = {
        **{stage: dict(_of_ramps(stage, exposures, planner, directory, faults)) for stage in _FROM_RAMPS},
        "image2": dict(_image2(exposures, made, planner, faults)),
        "image3": dict(_image3(exposures, made, planner, faults)),
    }
    jobs, blocked = _possible(jobs)
    jobs = _identified(jobs, planner.code)
    asked = {job.association for job in jobs["image3"].values()}
    kept = {path: one for one in made if one.type == "image3" and (path := _file(one)) in asked}
    source = planner.references
    return Plan(
        jobs,
        jwrules.__version__,
        tuple(left_out),
        kept,
        source.identity,
        (*source.consulted, *(planner.own.files if planner.own else ())),
        tuple(planner.absent),
        faults=faults.found,
        blocked=blocked,
    )


def _possible(
    jobs: Mapping[str, Mapping[str, Job]],
) -> tuple[dict[str, dict[str, Job]], dict[tuple[str, str], str]]:
    """Return the jobs all of whose members are made, and of the others which members are not."""
    possible: dict[str, dict[str, Job]] = {}
    blocked: dict[tuple[str, str], str] = {}
    made: set[str] = set()
    for stage, its in jobs.items():
        possible[stage] = {}
        for name, job in its.items():
            absent = [] if stage in _FROM_RAMPS else [path for _, path in job.members if path not in made]
            if absent:
                more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
                blocked[stage, name] = f"{Path(absent[0]).name}{more} cannot be made"
            else:
                possible[stage][name] = job
                made.update(job.products)
    return possible, blocked


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
        sky = [names.stem(name) for name in association.of("background")] if association.type == "image2" else []
        if sky:
            yield from ((names.stem(name), sky) for name in association.of("science"))


def _image3(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    for association in made:
        if association.type != "image3":
            continue
        members = [names.stem(name) for name in association.of("science")]
        with faults.of(association.product):
            science = tuple(f"results/{name}_cal.fits" for name in members)
            its = [exposures[name] for name in members if name in exposures]
            if not its or any("image3" not in one.recipe.stages for one in its):
                continue  # rules may name products that no stage makes yet
            _check_name(association.product, its[0])
            job = _job("image3", association.product, its, planner, science, ())
            gives = ("i2d", "cat", "segm") if "source_catalog" in job.runs else ("i2d",)
            yield (
                association.product,
                replace(
                    job, gives=gives, association=_file(association), acid=association.candidate, pool=association.pool
                ),
            )


def _check_name(product: str, first: Exposure) -> None:
    if not names.is_one_name(product):
        subarray = first.header.get("SUBARRAY")
        raise NameFault(f"is no file name; it is made from keywords: look at SUBARRAY = {subarray!r} of {first.path}")


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
    first, sizes = exposures[0].header, [exposure.size for exposure in exposures]
    choice = planner.choose(stage, first)
    linked = planner.linked(choice.steps)
    return Job(
        stage=stage,
        name=name,
        recipe=choice.recipe,
        science=science,
        gives=gives,
        steps=linked.steps,
        files=linked.files,
        runs=choice.runs,
        references=choice.references,
        mem_mb=memory(stage, sizes),
        runtime=minutes(stage, sizes),
        seconds=seconds(stage, sizes),
        context=planner.references.name,
        about=_about(first),
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
