"""The jobs of each stage: exposures and associations, with what the planner chooses for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwrules import associations, names
from jwrules.errors import NameFault
from jwrules.plan import disk, extras
from jwrules.plan.choose import Planner
from jwrules.plan.faults import Faults
from jwrules.plan.resources import Size, memory, minutes, seconds, size_of
from jwrules.plan.rows import Job

if TYPE_CHECKING:
    from jwrules.associations import Association

FROM_RAMPS = {"detector1": ("rate", "rateints"), "dark": ("dark",), "guider": ("cal",)}
"""What the stages that start from raw exposures make."""


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


def of_ramps(
    stage: str, exposures: Mapping[str, Exposure], planner: Planner, directory: Path, faults: Faults
) -> Iterator[tuple[str, Job]]:
    """Yield the jobs of a stage that starts from raw exposures, by name."""
    for exposure in exposures.values():
        if stage not in exposure.recipe.stages:
            continue
        with faults.of(exposure.path.name):
            science = (_seen_from(directory, exposure.path),)
            job = _job(stage, exposure.name, [exposure], planner, science)
            yield exposure.name, _giving(job, FROM_RAMPS[stage], [exposure])


def image2(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    """Yield the jobs of stage 2, one for each exposure."""
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


def image3(
    exposures: Mapping[str, Exposure], made: Sequence[Association], planner: Planner, faults: Faults
) -> Iterator[tuple[str, Job]]:
    """Yield the jobs of stage 3, one for each product."""
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
    room = disk.room(job.stage, (*gives, *again), sizes, headers) + extras.written(job.steps, sizes)
    return replace(job, gives=gives, room=room)


def _told(association: Association) -> dict[str, Any]:
    """Return what a job of stage 3 says of its association; of one among the data what it holds."""
    text = associations.text(association) if association.source else ""
    return {
        "association": file(association),
        "acid": association.candidate,
        "pool": association.pool,
        "given": association.source,
        "given_sha256": hashlib.sha256(text.encode()).hexdigest() if text else "",
    }


def _check_name(product: str, first: Exposure) -> None:
    if not names.is_one_name(product):
        subarray = first.header.get("SUBARRAY")
        raise NameFault(f"is no file name; it is made from keywords: look at SUBARRAY = {subarray!r} of {first.path}")


def file(association: Association) -> str:
    """Return the path of an association file in the working directory."""
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
        idle=choice.idle,
        mem_mb=memory(stage, sizes, extras.held(choice.steps)),
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


def _seen_from(directory: Path, path: Path) -> str:
    """Return a path as the rules see it: from the working directory if it lies below it, so that both may move."""
    path = path.absolute()
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)
