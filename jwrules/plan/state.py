"""Which jobs are up to date, which are to run and why, decided by content.

A job is up to date where its products are there, those too that only its record tells of, and this says the same
identity and the same content of every member. One that is not is `due`; but where the only reason is that a member is
being made again, that may come out as it was: it is then `perhaps` due, and known when the member is there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath

from jwrules.plan.reasons import changes, some
from jwrules.plan.rows import RESULTS, Job, Plan
from jwrules.records import Contents, record
from jwrules.records.known import Known, Summary

Key = tuple[str, str]
"""Stage and name of a job."""


class Is(Enum):
    """How a job stands."""

    UP_TO_DATE = "up to date"
    PERHAPS = "perhaps"
    DUE = "due"


@dataclass(frozen=True)
class State:
    """How a job stands, and why it is to run."""

    stands: Is
    reason: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether it is to run because what it makes is not there."""
        return self.stands is Is.DUE and self.reason.startswith(_MISSING)


FORCED = "forced"
_MISSING = "missing"


class States:
    """How every job of a plan stands in its working directory; `forced` are to run whatever is there."""

    def __init__(self, plan: Plan, directory: Path, contents: Contents, known: Known, forced: Collection[Key] = ()):
        self._plan, self._directory = plan, str(directory)
        self._contents, self._known, self._forced = contents, known, frozenset(forced)
        self._maker = {path: (job.stage, job.name) for job in plan.all() for path in job.products}
        self.of: dict[Key, State] = {}
        for job in plan.all():
            self.of[job.stage, job.name] = self._state(job)

    def _state(self, job: Job) -> State:
        if absent := [path for path in self._wanted(job) if self._contents.stat(self._at(path)) is None]:
            return State(Is.DUE, _missing(absent))
        if (job.stage, job.name) in self._forced:
            return State(Is.DUE, FORCED)
        summary = self._known.of(self._at(job.record))
        if summary is None:
            return State(Is.DUE, "no record says how it was made")
        if summary.identity != job.identity:
            return State(Is.DUE, changes(job, record.read(Path(self._at(job.record)))))
        if lost := list(self._lost(job, summary)):
            return State(Is.DUE, f"{_MISSING}: {some(lost)}")
        if changed := list(self._changed(job, summary)):
            return State(Is.DUE, f"changed: {some(changed)}")
        waiting = [PurePath(path).name for _, path in job.members if self._is_uncertain(path)]
        return State(Is.PERHAPS, f"if these come out different: {some(waiting)}") if waiting else State(Is.UP_TO_DATE)

    def _wanted(self, job: Job) -> Iterator[str]:
        """Yield the paths that are there where a job is done; flagged exposures are, or wait in their folder."""
        yield from job.products
        folder = self._plan.flagged_folder(job)
        for path in self._plan.flagged(job):
            if self._contents.stat(self._at(path)) is None:
                yield f"{folder}/{PurePath(path).name}"

    def _lost(self, job: Job, summary: Summary) -> Iterator[str]:
        """Yield what options asked for besides the products (`_fitopt`, ...) and is there no more."""
        known = {os.path.basename(path) for path in job.products}
        for name in summary.gave:
            is_flagged = os.path.dirname(name) != ""
            if name not in known and not is_flagged and self._contents.stat(self._at(f"{RESULTS}/{name}")) is None:
                yield name

    def _is_uncertain(self, path: str) -> bool:
        maker = self._maker.get(path)
        return maker is not None and self.of[maker].stands is not Is.UP_TO_DATE

    def _changed(self, job: Job, summary: Summary) -> Iterator[str]:
        for _, path in job.members:
            if not self._is_uncertain(path):
                name = os.path.basename(path)
                then = summary.members.get(name)
                if then is None or self._digest(path, then) != then[0]:
                    yield name

    def _digest(self, path: str, then: tuple[str, tuple[int, int, int, int]]) -> str | None:
        """Return the digest of a member, as it was learnt when it was last opened, or made."""
        there = self._at(path)
        maker = self._maker.get(path)
        made = self._known.of(self._at(self._plan.job(*maker).record)) if maker else None
        known = made.gave.get(os.path.basename(path)) if made else None
        for one in (then, known):
            if one and one[1] == self._contents.stat(there):
                return one[0]
        return self._contents.digest(Path(there))

    def _at(self, path: str) -> str:
        """Return where a path of the plan is; texts, for a program has a hundred thousand files."""
        return os.path.join(self._directory, path)

    def standing(self, *kinds: Is) -> dict[Key, str]:
        """Return the reasons of the jobs that stand so, stage by stage."""
        return {key: state.reason for key, state in self.of.items() if state.stands in kinds}

    def ready(self, failed: Collection[Key] = ()) -> list[Key]:
        """Return the jobs that can be handed to Snakemake now: due, and so is all that they wait for.

        What waits for a job that is only perhaps due, or for one that failed, is not ready.
        """
        found: dict[Key, bool] = {}
        for job in self._plan.all():
            key = (job.stage, job.name)
            if self.of[key].stands is Is.DUE and key not in failed:
                makers = [self._maker[path] for _, path in job.members if path in self._maker]
                found[key] = all(self.of[one].stands is Is.UP_TO_DATE or found.get(one) for one in makers)
        return [key for key, is_ready in found.items() if is_ready]


def _missing(absent: list[str]) -> str:
    return _MISSING if all(path.startswith(RESULTS) for path in absent) else f"{_MISSING}: {some(absent)}"
