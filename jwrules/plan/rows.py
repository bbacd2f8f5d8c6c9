"""The rows of a plan: what is made, from what, with which options, reference files, memory and time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules import names, records
from jwrules.associations import Association, Member
from jwrules.errors import WorkflowFault
from jwrules.house import STORE
from jwrules.plan.links import link
from jwrules.references import Chosen, Identity
from jwrules.references.identity import NO_CONTEXT

STAGES = ("detector1", "dark", "guider", "image2", "image3")
_NAMES = {"guider": names.GUIDE_STAR, "image3": names.PRODUCT}
"""Patterns of what a stage makes, where that is no exposure."""

RESULTS = "results"
"""The folder of the products in a working directory."""

ENDING = "_asn.json"
_DRAWN = ("_i2d.fits", "_segm.fits")

NO_NAME = r"(?!)"
"""A pattern that no name has."""


def any_of(chosen: Iterable[str]) -> str:
    """Return a pattern of these names alone, in which they share their beginnings; '' for none.

    So ten thousand names that differ at their ends are told apart in a few steps.
    """
    tree: dict[str, Any] = {}
    for name in chosen:
        branch = tree
        for letter in name:
            branch = branch.setdefault(letter, {})
        branch[""] = {}
    return _pattern(tree) if tree else ""


def _pattern(tree: Mapping[str, Any]) -> str:
    letters = ""
    while len(tree) == 1 and "" not in tree:
        ((letter, tree),) = tree.items()
        letters += re.escape(letter)
    ends = "" in tree
    branches = [re.escape(letter) + _pattern(below) for letter, below in sorted(tree.items()) if letter]
    if not branches:
        return letters
    return f"{letters}(?:{'|'.join(branches)}){'?' if ends else ''}"


@dataclass(frozen=True)
class Job:
    """One run of one stage.

    `science`, `background`: paths of its input files, seen from the working directory; `gives`: suffixes of what
    it makes; `steps`: the chain as JSON; `runs`: its steps that are not skipped; `mem_mb` in megabytes, `runtime` in
    minutes, at most, `seconds` and `room` (bytes of its products) as estimated; `association`: the path that its
    association file will have, `acid` its candidate and `pool` the pool it is of; `given`: the file among the data that
    is the association, if one is, and the digest of what it says; `files`: those that options name, such as an
    astrometric catalogue; `about`: what a table or the report says of it (instrument, filter, target, ...); `context`:
    that which chose the reference files, and `against` what it says, by type, of those that are pinned and not for the
    exposures; `idle`: what is said, by step, of options for steps that are skipped; `identity`: a digest of all this
    but memory, time, context and what people read.
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
    seconds: float = 0.0
    room: int = 0
    background: tuple[str, ...] = ()
    association: str = ""
    acid: str = ""
    pool: str = ""
    given: str = ""
    given_sha256: str = ""
    identity: str = ""
    files: tuple[Chosen, ...] = ()
    context: str = NO_CONTEXT
    against: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> list[tuple[str, str]]:
        """Role and path of every input file."""
        return [*(("science", path) for path in self.science), *(("background", path) for path in self.background)]

    @property
    def opened(self) -> list[Chosen]:
        """Every file that is opened besides the exposures: reference files, and files that options name."""
        return [*self.references.values(), *self.files]

    @property
    def flags(self) -> bool:
        """Whether it flags outliers, and so writes its exposures again."""
        return self.stage == "image3" and "outlier_detection" in self.runs

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
        return [f"{RESULTS}/{names.with_suffix(f'{self.name}_cal.fits', suffix)}" for suffix in self.gives]

    @property
    def pictures(self) -> list[str]:
        """The pictures of its products in the report: mosaics, their segments, and exposures on the sky."""
        products = (path.removeprefix(f"{RESULTS}/") for path in self.products if path.endswith(_DRAWN))
        return [f"pictures/{name.removesuffix('.fits')}.png" for name in products]

    @property
    def record(self) -> str:
        """The file that says how its products were made (records.Record)."""
        return f"{RESULTS}/{records.file_of(self.name, self.stage)}"

    @property
    def inputs(self) -> list[str]:
        """The files that the command takes, as it takes them."""
        if self.stage == "image3":
            return [self.association, "--crf", f"{STORE}/crf/{self.name}"]
        return [*self.science, "--background", *self.background, "--save-bsub"] if self.background else [*self.science]

    @property
    def options(self) -> list[str]:
        """What the command takes besides: folder, chain, reference files, and what the record is to say."""
        return [
            *("--output", RESULTS, "--steps", self.steps),
            *(("--reference", *self.links) if self.references else ()),
            *("--record", self.identity),
        ]

    @property
    def told(self) -> list[str]:
        """What the command is told that decides nothing: the context that chose the reference files."""
        return ["--context", self.context]

    @property
    def links(self) -> list[str]:
        """The reference files as the command line takes them: TYPE=PATH, by type."""
        return [f"{kind}={link(reference)}" for kind, reference in sorted(self.references.items())]


@dataclass(frozen=True)
class Batch:
    """Small jobs of one stage that run one after the other in one process: `file` lists their commands."""

    stage: str
    number: int
    file: str
    jobs: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    mem_mb: int
    runtime: int


@dataclass(frozen=True)
class Wave:
    """What one call of Snakemake makes: jobs with a process of their own as (stage, name), batches, associations."""

    targets: tuple[str, ...]
    alone: frozenset[tuple[str, str]]
    batches: tuple[Batch, ...] = ()
    associations: frozenset[str] = frozenset()

    @property
    def jobs(self) -> frozenset[tuple[str, str]]:
        """Every job that is made, by stage and name."""
        return self.alone | {(batch.stage, name) for batch in self.batches for name in batch.jobs}


@dataclass(frozen=True)
class LeftOut:
    """An exposure, or an association among the data, that no recipe, or no stage, wants, and why."""

    path: str
    reason: str


_NAMED = 3
"""How many files of one fault are named."""


def few(files: Sequence[str]) -> str:
    """Return the first of some files, and how many more there are."""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(files[:_NAMED]) + more


@dataclass(frozen=True)
class Plan:
    """Every job by stage and name, the files left out, and the associations by the path that they will have.

    `rules`: the context that chose the reference files, by name and content; `consulted`: reference files and
    recipes that were looked at, there or not; `absent`: where files that options name were looked for in vain.
    `faults`: what cannot be made, or not be told, and why: words -> the files that they are said of; `blocked`: jobs
    that cannot run for want of a member, and which. Neither is among the jobs.
    `wave` is None for all that the data give; else the rules make what the wave holds, and nothing else.
    """

    jobs: Mapping[str, Mapping[str, Job]]
    release: str
    left_out: tuple[LeftOut, ...] = ()
    associations: Mapping[str, Any] = field(default_factory=dict)
    rules: Identity = field(default_factory=Identity)
    consulted: tuple[Path, ...] = ()
    absent: tuple[Path, ...] = ()
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    blocked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    wave: Wave | None = None

    def refuse(self) -> None:
        """Raise one WorkflowFault that says everything that cannot be made, where there is any."""
        if self.faults:
            head = "1 thing is wrong" if len(self.faults) == 1 else f"{len(self.faults)} things are wrong"
            said = [f"- {few(files)}: {words}" for words, files in self.faults.items()]
            way_out = "`jwrules run --partial` makes the rest; `jwrules plan` shows what that is"
            raise WorkflowFault("\n".join([f"{head}; nothing was run", *said, way_out]))

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
    def unfit(self) -> dict[str, list[str]]:
        """What is said of reference files that are pinned and not for the exposures, each with those of every job."""
        found: dict[str, dict[str, None]] = {}
        for job in self.all():
            for kind, words in job.against.items():
                its = found.setdefault(f"reference file {kind} {job.references[kind].name}: {words}", {})
                its.update(dict.fromkeys(names.stem(path) for path in job.science))
        return {words: list(its) for words, its in found.items()}

    @property
    def idle(self) -> list[str]:
        """What is said of options for steps that are skipped in every job that has them."""
        run = {key for job in self.all() for step in job.runs for key in (step, f"{job.stage}.{step}")}
        said = {words: key for job in self.all() for key, words in job.idle.items()}
        return [words for words, key in said.items() if key not in run]

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
        # Names that people give may be like no other.
        usual = re.compile(_NAMES.get(stage, names.EXPOSURE))
        return self._pattern(stage, chosen, whole=len(chosen) == len(jobs) and all(map(usual.fullmatch, chosen)))

    def made(self, stage: str, *gives: str) -> str:
        """Return the same pattern, in a wave that of the names that a job of its own makes."""
        if self.wave is None:
            return self.names(stage, *gives)
        jobs = self.jobs.get(stage, {})
        chosen = [name for one, name in self.wave.alone if one == stage and (not gives or jobs[name].gives == gives)]
        return self._pattern(stage, chosen, whole=False)

    @staticmethod
    def _pattern(stage: str, chosen: Sequence[str], *, whole: bool) -> str:
        if not chosen:
            return NO_NAME
        usual = re.compile(_NAMES.get(stage, names.EXPOSURE))
        return usual.pattern if whole and all(map(usual.fullmatch, chosen)) else any_of(chosen)

    @property
    def written(self) -> str:
        """The pattern of the associations that the rules write."""
        if self.wave is None:
            return ".*"
        return any_of(sorted(Path(path).name.removesuffix(ENDING) for path in self.wave.associations)) or NO_NAME

    @property
    def batches(self) -> Sequence[Batch]:
        """Jobs that share a process."""
        return self.wave.batches if self.wave else ()

    def targets(self) -> list[str]:
        """Return every file that the workflow makes under its final name; pictures included.

        Raises WorkflowFault where that is none, with the reason.
        """
        if self.wave is not None:
            return list(self.wave.targets)
        if not self.all():
            raise WorkflowFault(self._why_nothing())
        made = [path for job in self.all() for path in job.products]
        flagged = (path for job in self.jobs.get("image3", {}).values() for path in self.flagged(job))
        return [*made, *flagged, *self.associations, *self.pictures()]

    def _why_nothing(self) -> str:
        if not self.jobs:
            return (
                "there is no run file; `jwrules run DATA` writes one, --configfile DIR/run.yaml gives it to Snakemake"
            )
        reasons = [f"- {one.path}: {one.reason}" for one in self.left_out]
        return "\n".join(["no exposure can be processed", *reasons])

    def flagged(self, job: Job) -> list[str]:
        """Return the paths of the flagged exposures of a job; none where its chain flags no outliers."""
        if self.flagged_folder(job) is None:
            return []
        return [f"{RESULTS}/{names.flagged(path, job.acid)}" for path in job.science]

    def flagged_folder(self, job: Job) -> str | None:
        """Return the folder in which a job makes its flagged exposures; None where it makes none."""
        return f"{STORE}/crf/{job.name}" if job.flags else None

    def crf_folder(self, exposure: str, acid: str) -> str:
        """Return the folder where the flagged exposure of association candidate `acid` is made."""
        return f"{STORE}/crf/{self._flagged_in[exposure, acid]}"

    @cached_property
    def _flagged_in(self) -> dict[tuple[str, str], str]:
        """Product by exposure and association candidate, where its chain flags outliers."""
        jobs = [job for job in self.jobs.get("image3", {}).values() if self.flagged_folder(job)]
        return {(names.stem(path), job.acid): job.name for job in jobs for path in job.science}

    def pictures(self) -> list[str]:
        """Return the pictures of the report."""
        return [path for job in self.all() for path in job.pictures]


KEPT = (Plan, Job, Batch, Wave, LeftOut, Association, Member, Chosen, Identity, type(Path()))
"""The classes that a plan consists of."""
