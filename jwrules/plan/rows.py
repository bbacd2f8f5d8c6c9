"""The rows of a plan: what is made, from what, with which options, reference files, memory and time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules import names
from jwrules.errors import WorkflowFault
from jwrules.house import STORE
from jwrules.plan.links import link
from jwrules.references import Chosen, Identity

STAGES = ("detector1", "dark", "guider", "image2", "image3")
_NAMES = {"guider": names.GUIDE_STAR, "image3": names.PRODUCT}
"""Patterns of what a stage makes, where that is no exposure."""

NO_NAME = r"(?!)"
"""A pattern that no name has."""


@dataclass(frozen=True)
class Job:
    """One run of one stage.

    `science`, `background`: paths of its input files, seen from the working directory; `gives`: suffixes of what
    it makes; `steps`: the chain as JSON; `runs`: its steps that are not skipped; `mem_mb` in megabytes, `runtime` in
    minutes; `association`: the path that its association file will have, and `acid` its candidate; `files`: those
    that options name, such as an astrometric catalogue; `about`: what a table or the report says of it (instrument,
    filter, target, ...).
    """

    stage: str
    name: str
    recipe: str
    science: tuple[str, ...]
    gives: tuple[str, ...]
    steps: str
    runs: tuple[str, ...]
    references: Mapping[str, Chosen]
    mem_mb: int
    runtime: int
    background: tuple[str, ...] = ()
    association: str = ""
    acid: str = ""
    files: tuple[Chosen, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def opened(self) -> list[Chosen]:
        """Every file that is opened besides the exposures: reference files, and files that options name."""
        return [*self.references.values(), *self.files]

    @property
    def target(self) -> str:
        """The name of the target, or that there is none."""
        return self.about.get("target", "no target")

    @property
    def labels(self) -> dict[str, str]:
        """What the report says of a picture, in order."""
        words = {key: value for key, value in self.about.items() if key != "target"}
        return {**words, "association": self.acid} if self.acid else {**words, "exposure": self.name}

    @property
    def products(self) -> list[str]:
        """The files that the job makes under their final names, without the flagged exposures."""
        return [f"results/{names.with_suffix(self.name + '_cal.fits', suffix)}" for suffix in self.gives]

    @property
    def links(self) -> list[str]:
        """The reference files as the command line takes them: TYPE=PATH, by type."""
        return [f"{kind}={link(reference)}" for kind, reference in sorted(self.references.items())]


@dataclass(frozen=True)
class LeftOut:
    """A file of the pool that no recipe, or no stage, wants, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """Every job by stage and name, the files left out, and the associations by the path that they will have.

    `rules`: the context that chose the reference files, by name and content; `consulted`: the parameter files that
    were read.
    """

    jobs: Mapping[str, Mapping[str, Job]]
    release: str
    left_out: tuple[LeftOut, ...] = ()
    associations: Mapping[str, Any] = field(default_factory=dict)
    rules: Identity = field(default_factory=Identity)
    consulted: tuple[Path, ...] = ()

    def job(self, stage: str, name: str) -> Job:
        """Return the job of `stage` that makes `name`."""
        return self.jobs[stage][name]

    def said(self, stage: str, name: str, field: str) -> Any:
        """Return one thing that the plan says of a job: steps, links, mem_mb, ..."""
        return getattr(self.job(stage, name), field)

    def all(self) -> list[Job]:
        """Return every job, stage by stage."""
        return [job for stage in STAGES for job in self.jobs.get(stage, {}).values()]

    @property
    def reference_files(self) -> dict[str, set[Chosen]]:
        """Every reference file that is opened, by type."""
        files: dict[str, set[Chosen]] = {}
        for kind, one in (pair for job in self.all() for pair in job.references.items()):
            files.setdefault(kind, set()).add(one)
        return files

    def names(self, stage: str, *gives: str) -> str:
        """Return the pattern of the names that `stage` makes, or of those of which it makes exactly `gives`."""
        jobs = self.jobs.get(stage, {})
        chosen = [name for name, job in jobs.items() if not gives or job.gives == gives]
        if not chosen:
            return NO_NAME
        if len(chosen) == len(jobs):
            return _NAMES.get(stage, names.EXPOSURE)
        return "|".join(re.escape(name) for name in sorted(chosen))

    def targets(self) -> list[str]:
        """Return every file that the workflow makes under its final name; pictures included.

        Raises WorkflowFault where that is none, with the reason.
        """
        if not self.all():
            raise WorkflowFault(self._why_nothing())
        made = [path for job in self.all() for path in job.products]
        return [*made, *self._flagged(), *self.associations, *self.pictures()]

    def _why_nothing(self) -> str:
        if not self.jobs:
            return (
                "there is no run file; `jwrules run DATA` writes one, --configfile DIR/run.yaml gives it to Snakemake"
            )
        reasons = [f"- {one.path}: {one.reason}" for one in self.left_out]
        return "\n".join(["no exposure can be processed", *reasons])

    def _flagged(self) -> Iterator[str]:
        return (f"results/{names.flagged(f'{exposure}_cal.fits', acid)}" for exposure, acid in self._flagged_in)

    def crf_folder(self, exposure: str, acid: str) -> str:
        """Return the folder where the flagged exposure of association candidate `acid` is made."""
        return f"{STORE}/crf/{self._flagged_in[exposure, acid]}"

    @cached_property
    def _flagged_in(self) -> dict[tuple[str, str], str]:
        """Product by exposure and association candidate, where its chain flags outliers."""
        jobs = [job for job in self.jobs.get("image3", {}).values() if "outlier_detection" in job.runs]
        return {(names.stem(path), job.acid): job.name for job in jobs for path in job.science}

    def pictures(self) -> list[str]:
        """Return the pictures of the report."""
        return [f"pictures/{Path(path).stem}.png" for job in self.all() for path in job.products if _drawn(job, path)]


def _drawn(job: Job, path: str) -> bool:
    """Tell whether the report shows a product: mosaics, their segments, and exposures on the sky."""
    return path.endswith(("_i2d.fits", "_segm.fits"))
