"""Products of one name, or of which other files are: none is made, for one would take the place of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from jwrules import names
from jwrules.associations import Association
from jwrules.plan.extras import calls
from jwrules.plan.rows import Job


def found(made: Iterable[Association], stage: str) -> Iterator[tuple[str, str]]:
    """Yield each name that several associations of a stage give to their product, and how to tell them apart."""
    named: dict[str, list[Association]] = {}
    for one in made:
        if one.type == stage:
            named.setdefault(one.product, []).append(one)
    for product, its in named.items():
        if len(its) > 1:
            yield product, f"{len(its)} associations give a product this name: {_each(its)}\n  {_WAY_OUT}"


def _each(its: Iterable[Association]) -> str:
    return "; ".join(_told(one) for one in sorted(its, key=lambda one: one.file))


def _told(one: Association) -> str:
    """Return an association in words: its file, its rule, what its members have in common, and the first of them."""
    science = one.of("science")
    more = f" and {len(science) - 1} more" if len(science) > 1 else ""
    common = f": {one.constraints}" if one.constraints else ""
    return f"{one.file} (by {one.rule or 'hand'}{common}) of {science[0]}{more}"


_WAY_OUT = (
    "give one of them a name of its own: write both with `jwrules associate DATA --output DIR`, change 'name' in one,"
    " put that file into DATA; or say 'product' for its rule in a recipe for its exposures (docs/associations.md); or"
    " leave out the exposures of one with --exclude"
)


def sharing(jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    """Yield each product that shares a flagged exposure with others, by its candidate, and how to keep them apart.

    `jobs` are those of stage 3 that write flagged exposures.
    """
    makers: dict[tuple[str, str], dict[str, Job]] = {}
    for job in jobs:
        for path in job.science:
            makers.setdefault((path, job.acid), {})[job.name] = job
    shared: dict[tuple[str, ...], list[str]] = {}
    for (path, acid), its in makers.items():
        if len(its) > 1:
            shared.setdefault(tuple(sorted(its)), []).append(names.flagged(path, acid))
    by_name = {name: job for its in makers.values() for name, job in its.items()}
    for products, files in shared.items():
        alike = [by_name[name] for name in products]
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        said = (
            f"{_places(alike)} have the candidate {alike[0].acid} and exposures in common:"
            f" each would write {files[0]}{more}"
        )
        yield from ((name, f"{said}\n  {_WAY_APART}") for name in products)


def _places(its: Iterable[Job]) -> str:
    """Return the products in words, each with the file that its association is, or will be, in."""
    return " and ".join(f"{job.name} ({job.given or PurePath(job.association).name})" for job in its)


_WAY_APART = (
    "give one of them a candidate of its own, such as a3002: in its file 'asn_id' (that of rules is written by"
    " `jwrules associate DATA --output DIR`; put it into DATA), in a plan file 'candidate'; or leave one of them out"
)


_NAMES = {"dark_output": "dark_current", "opt_name": "ramp_fit"}
"""Parameters that name a file beside the products, and their steps."""


def naming(jobs: Iterable[Job]) -> Iterator[tuple[str, str]]:
    """Yield each product whose options give a file the same name as those of others do, and how to tell them apart."""
    named: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        for option, file in _named(job.steps).items():
            named.setdefault((option, file), []).append(job.name)
    for (option, file), its in named.items():
        if len(its) > 1:
            said = f"{_NAMES[option]}.{option}={file} is asked of {len(its)} exposures, and each would write it"
            yield from ((name, f"{said}\n  give each a name of its own by 'cases' in a recipe") for name in its)


def _named(steps: str) -> Mapping[str, str]:
    """Return the files that the options of a chain (JSON) name, by option."""
    return {
        option: params[option]
        for step, params in calls(steps)
        for option, its in _NAMES.items()
        if its == step and params.get(option) and (option != "opt_name" or params.get("save_opt"))
    }
