"""Pool x recipes x references -> the jobs of every stage, and every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jwrules
from jwrules import associations, names, recipes
from jwrules.errors import RecipeFault
from jwrules.plan import given, identity, jobs, planfile, twins
from jwrules.plan.choose import Planner
from jwrules.plan.faults import Faults
from jwrules.plan.jobs import FROM_RAMPS, Exposure
from jwrules.plan.rows import Job, LeftOut, Plan
from jwrules.pool import Pool
from jwrules.records.code import Code

if TYPE_CHECKING:
    from jwrules.associations import Association

EXCLUDED = "excluded: "
"""How the reason of an exposure begins that a person leaves out."""


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
    merged = _associated(pool, exposures, left_out, amiss or {}, planner, lying)
    for what, words in merged.faults:
        faults.add(what, words)
    made, refused = merged.made, merged.refused
    for product, words in twins.found(_with_stage(made, exposures), "image3"):
        faults.add(product, words)
        refused.add(("image3", product))
    every = {
        **{stage: dict(jobs.of_ramps(stage, exposures, planner, directory, faults)) for stage in FROM_RAMPS},
        "image2": dict(jobs.image2(exposures, made, planner, faults)),
        "image3": dict(jobs.image3(exposures, made, planner, faults)),
    }
    possible, blocked = _possible(_apart(_but(every, refused), faults))
    possible = _identified(possible, planner.code)
    asked = {job.association for job in possible["image3"].values()}
    kept = {path: one for one in made if one.type == "image3" and (path := jobs.file(one)) in asked}
    source = planner.references
    return Plan(
        possible,
        jwrules.__version__,
        (*left_out, *merged.left_out),
        kept,
        source.identity,
        (*source.consulted, *(planner.own.files if planner.own else ())),
        tuple(planner.absent),
        faults=faults.found,
        blocked=blocked,
    )


def _associated(
    pool: Pool,
    exposures: Mapping[str, Exposure],
    left_out: Sequence[LeftOut],
    amiss: Mapping[str, Sequence[str]],
    planner: Planner,
    lying: Sequence[Association],
) -> given.Merged:
    """Return the associations of the rules, with those among the data in their place, as the plan file groups them."""
    used = {one.recipe.name: one.recipe for one in exposures.values()}
    made = associations.make(pool, list(used.values()), planner.exclude)
    merged = given.merge(made, lying, _known(pool, exposures, left_out, amiss))
    if planner.listed is None:
        return merged
    gone = {names.stem(one.path) for one in left_out}
    made, wrong = planfile.regroup(merged.made, planner.listed, exposures, gone)
    return given.Merged(given.distinct(made), faults=list(wrong.items()))


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
    """Return the jobs without those that would write flagged exposures, or other files, under the names of others."""
    shared = {"image3": twins.sharing(job for job in jobs["image3"].values() if job.flags)}
    shared |= {stage: twins.naming(jobs[stage].values()) for stage in FROM_RAMPS}
    refused = set()
    for stage, its in shared.items():
        for product, words in its:
            faults.add(product, words)
            refused.add((stage, product))
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
            absent = [] if stage in FROM_RAMPS else [path for _, path in job.members if path not in made]
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


def _why_none(planner: Planner, header: Mapping[str, Any]) -> str:
    try:
        recipes.pick(header, planner.recipes)
    except RecipeFault as fault:
        return str(fault)
    return "no recipe is for it"
