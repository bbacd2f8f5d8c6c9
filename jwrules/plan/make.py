"""Pool x recipes x references -> the jobs of every stage, and every fault at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwrules
from jwrules import associations, names, recipes
from jwrules.errors import JwrulesError, NameFault, RecipeFault
from jwrules.plan import disk, given, identity, planfile, twins
from jwrules.plan.choose import Planner
from jwrules.plan.resources import Size, memory, minutes, seconds, size_of
from jwrules.plan.rows import Job, LeftOut, Plan
from jwrules.pool import Pool
from jwrules.records.code import Code

if TYPE_CHECKING:
    from jwrules.associations import Association

_NEXT = re.compile(r"\n(?! )")
"""Where in a message the next fault begins: what belongs to one is indented below it."""

EXCLUDED = "excluded: "
"""How the reason of an exposure begins that a person leaves out."""

_FROM_RAMPS = {"detector1": ("rate", "rateints"), "dark": ("dark",), "guider": ("cal",)}
"""What the stages that start from raw exposures make."""


@dataclass
class Faults:
    """Faults collected from everywhere, each with the files that it concerns."""

    _of: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def found(self) -> dict[str, list[str]]:
        """The faults in words, each with its files, in the order in which they came."""
        return {words: list(files) for words, files in self._of.items()}

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
        self._of.setdefault(words, {})[what] = None


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


def make(
    pool: Pool,
    planner: Planner,
    directory: Path,
    amiss: Mapping[str, Sequence[str]] | None = None,
    lying: Sequence[Association] = (),
) -> Plan:
    """Return the plan for the exposures of `pool`, to be run in the working directory `directory`.

    It says what can be made, and every fault: no reference file, two recipes, ...; `amiss` are those of files that are
    not in the pool. `lying` are the associations among the data.
    """
    faults = Faults()
    for name, said in (amiss or {}).items():
        faults.add(name, "\n".join(said))
    exposures, left_out = _sorted_out(pool, planner, faults)
    used = {one.recipe.name: one.recipe for one in exposures.values()}
    made = associations.make(pool, list(used.values()), planner.exclude)
    merged = given.merge(made, lying, _known(pool, exposures, left_out, amiss or {}))
    made = merged.made
    if planner.listed is not None:
        gone = {names.stem(one.path) for one in left_out}
        made, wrong = planfile.regroup(made, planner.listed, exposures, gone)
        merged = given.Merged(given.distinct(made), faults=list(wrong.items()))
    for what, words in merged.faults:
        faults.add(what, words)
    left_out += merged.left_out
    made, refused = merged.made, merged.refused
    for product, words in twins.found(_with_stage(made, exposures), "image3"):
        faults.add(product, words)
        refused.add(("image3", product))
    jobs = {
        **{stage: dict(_of_ramps(stage, exposures, planner, directory, faults)) for stage in _FROM_RAMPS},
        "image2": dict(_image2(exposures, made, planner, faults)),
        "image3": dict(_image3(exposures, made, planner, faults)),
    }
    jobs, blocked = _possible(_apart(_but(jobs, refused), faults))
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


def _with_stage(made: Iterable[Association], exposures: Mapping[str, Exposure]) -> Iterator[Association]:
    """Yield the associations of which a stage makes a product: rules may name others."""
    for one in made:
        its = [exposures[name] for name in map(names.stem, one.of("science")) if name in exposures]
        if its and all(one.type in exposure.recipe.stages for exposure in its):
            yield one


def _but(jobs: Mapping[str, Mapping[str, Job]], refused: Collection[tuple[str, str]]) -> dict[str, dict[str, Job]]:
    return {
        stage: {name: job for name, job in its.items() if (stage, name) not in refused} for stage, its in jobs.items()
    }


def _apart(jobs: Mapping[str, Mapping[str, Job]], faults: Faults) -> dict[str, dict[str, Job]]:
    """Return the jobs without those that would write flagged exposures under the names of others."""
    refused = set()
    for product, words in twins.sharing(job for job in jobs["image3"].values() if job.flags):
        faults.add(product, words)
        refused.add(("image3", product))
    return _but(jobs, refused)


def _known(
    pool: Pool,
    exposures: Mapping[str, Exposure],
    left_out: Sequence[LeftOut],
    amiss: Mapping[str, Sequence[str]],
) -> given.Known:
    """Return what associations may name: exposures that are processed, excluded, or not processed and why."""
    reasons = {names.stem(Path(one.path).name): one.reason for one in left_out}
    excluded = {name for name, reason in reasons.items() if reason.startswith(EXCLUDED)}
    told = {names.stem(Path(path).name) for path in amiss} | {names.stem(row["filename"]) for row in pool.files}
    others = {name: reasons.get(name, "") for name in told - excluded - exposures.keys()}
    return given.Known({name: one.recipe for name, one in exposures.items()}, excluded, others)


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
            left_out.append(LeftOut(str(path), f"{EXCLUDED}{reason}"))
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
            job = _job(stage, exposure.name, [exposure], planner, science)
            yield exposure.name, _giving(job, _FROM_RAMPS[stage], [exposure])


def _image2(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    backgrounds, sources = dict(_backgrounds(made)), dict(_sources(made))
    for exposure in exposures.values():
        if "image2" not in exposure.recipe.stages:
            continue
        with faults.of(exposure.path.name):
            sky = tuple(f"results/{name}_rate.fits" for name in backgrounds.get(exposure.name, ()))
            science = (f"results/{exposure.name}_rate.fits",)
            job = _job("image2", exposure.name, [exposure], planner, science)
            job = replace(job, background=sky, given=sources.get(exposure.name, ""))
            yield exposure.name, _giving(job, _image2_gives(job, sky), [exposure])


def _image2_gives(job: Job, sky: Sequence[str]) -> tuple[str, ...]:
    resampled = ("cal", "i2d") if "resample" in job.runs else ("cal",)
    return (*resampled, "bsub") if sky and "resample" in job.runs and "background" in job.runs else resampled


def _backgrounds(made: Sequence[Association]) -> Iterator[tuple[str, list[str]]]:
    for association in made:
        sky = [names.stem(name) for name in association.of("background")] if association.type == "image2" else []
        if sky:
            yield from ((names.stem(name), sky) for name in association.of("science"))


def _sources(made: Sequence[Association]) -> Iterator[tuple[str, str]]:
    """Yield the exposures of stage 2 for which the data bring an association, and its path."""
    for association in made:
        if association.type == "image2" and association.source:
            yield from ((names.stem(name), association.source) for name in association.of("science"))


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
            job = replace(_job("image3", association.product, its, planner, science), **_told(association))
            gives = ("i2d", "cat", "segm") if "source_catalog" in job.runs else ("i2d",)
            yield association.product, _giving(job, gives, its)


def _giving(job: Job, gives: tuple[str, ...], exposures: Sequence[Exposure]) -> Job:
    """Return a job with the suffixes of what it makes, and the room that this takes."""
    again = ("crf",) if job.flags else ()
    sizes, headers = [one.size for one in exposures], [one.header for one in exposures]
    return replace(job, gives=gives, room=disk.room(job.stage, (*gives, *again), sizes, headers))


def _told(association: Association) -> dict[str, Any]:
    """Return what a job of stage 3 says of its association; of one among the data what it holds."""
    text = associations.text(association) if association.source else ""
    return {
        "association": _file(association),
        "acid": association.candidate,
        "pool": association.pool,
        "given": association.source,
        "given_sha256": hashlib.sha256(text.encode()).hexdigest() if text else "",
    }


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
) -> Job:
    first, sizes = exposures[0].header, [exposure.size for exposure in exposures]
    choice = planner.choose(stage, first)
    linked = planner.linked(choice.steps)
    return Job(
        stage=stage,
        name=name,
        recipe=choice.recipe,
        science=science,
        gives=(),
        steps=linked.steps,
        files=linked.files,
        runs=choice.runs,
        references=choice.references,
        against=choice.against,
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
