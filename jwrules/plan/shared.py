"""What another working directory of the same data has made already, from the same: it is linked, not made again.

A hard link costs no room. No run writes into a product that is there: a new one comes under a temporary name and takes
the place of the link, so what is shared stays as it was for the others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from jwrules import associations, records, whole
from jwrules.errors import DataFault, WorkflowFault
from jwrules.plan import lock
from jwrules.plan.rows import RESULTS, Job, Plan
from jwrules.plan.state import Is, Key, States
from jwrules.plan.variants import beside
from jwrules.records import Contents, Gave, Member, Record, Stat
from jwrules.records.known import Known, Summary


@dataclass(frozen=True)
class Offer:
    """A job that the working directory `place` has done; `gave`: its products as they stand there now."""

    job: Job
    place: Path
    gave: Mapping[str, Stat]


class Shared:
    """What the working directories beside `directory` have of the jobs of a plan."""

    def __init__(self, plan: Plan, directory: Path, contents: Contents, known: Known) -> None:
        self._plan, self._directory = plan, directory
        self._contents, self._known = contents, known
        self._others = [one for one in beside(directory) if not lock.is_busy(one)]
        self._maker = {path: job for job in plan.all() for path in job.products}

    def offers(self, states: States, but: Collection[Key] = ()) -> Iterator[Offer]:
        """Yield what is offered of the jobs that are not up to date, but for some; first stages first."""
        held: dict[str, str | None] = {}
        for job in self._plan.all() if self._others else ():
            if states.of[job.stage, job.name].stands is not Is.UP_TO_DATE:
                offer = None if (job.stage, job.name) in but else self._offer(job, held)
                made = self._known.of(offer.place / job.record) if offer else None
                held |= {path: made.gave[PurePath(path).name][0] if made else None for path in job.products}
                if offer:
                    yield offer
        self._contents.save()
        self._known.save()

    def _offer(self, job: Job, held: Mapping[str, str | None]) -> Offer | None:
        for other in self._others:
            summary = self._known.of(other / job.record)
            is_same = summary is not None and summary.identity == job.identity
            if summary and is_same and self._opens(job, summary, held):
                gave = self._gave(other, summary)
                if gave:
                    return Offer(job, other, gave)
        return None

    def _opens(self, job: Job, summary: Summary, held: Mapping[str, str | None]) -> bool:
        """Return whether the members hold what the record says."""
        for _, path in job.members:
            then = summary.members.get(PurePath(path).name)
            if then is None or self._content(path, then, held) != then[0]:
                return False
        return True

    def _content(self, path: str, then: tuple[str, Stat], held: Mapping[str, str | None]) -> str | None:
        """Return what a member holds: one that is offered, that was made here, or that lies where the other has it."""
        if path in held:
            return held[path]
        maker = self._maker.get(path)
        own = self._known.of(self._directory / maker.record) if maker else None
        content, stat = own.gave.get(PurePath(path).name, then) if own else then
        return self._contents.digest(self._directory / path, (stat, content))

    def _gave(self, other: Path, summary: Summary) -> dict[str, Stat]:
        """Return the products as they stand, where each still holds what was made; else nothing."""
        found: dict[str, Stat] = {}
        for name, (content, then) in summary.gave.items():
            path = other / RESULTS / name
            now = self._contents.stat(path)
            if now is None or self._contents.digest(path, (then, content)) != content:
                return {}
            found[name] = now
        return found

    def take(self, offers: Iterable[Offer]) -> list[Offer]:
        """Link products, and all that goes with them, with their records; return what was taken.

        A link changes a file's inode, by which records tell it from one that was written to. So nothing is taken from a
        directory where a run is at work, whose jobs read the files; and the records of all directories that hold them
        are brought up to date too, but where a run is at work.
        """
        taken = []
        for offer in offers:
            with _at_rest(offer.place) as is_at_rest:
                if not (is_at_rest and self._take(offer)):
                    continue
                _look_again(offer.place, offer)
            taken.append(offer)
            for other in self._others:
                if other != offer.place and _gave_the_same(other, offer):
                    with _at_rest(other) as is_at_rest:
                        if is_at_rest:
                            _look_again(other, offer)
        return taken

    def _take(self, offer: Offer) -> bool:
        """Link one offer; return False where its products, or its members, were being made anew meanwhile."""
        record = records.read(offer.place / offer.job.record)
        lacks = any(records.stat(self._directory / path) is None for _, path in offer.job.members)
        if record is None or lacks:
            return False
        self._make_room(offer.job)
        for name, stat in offer.gave.items():
            if not _linked(offer.place / RESULTS / name, self._directory / RESULTS / name, stat):
                return False
        self._link_beside(offer)
        records.write(self._here(record, offer), self._directory / RESULTS)
        return True

    def _make_room(self, job: Job) -> None:
        """Remove what would speak of products that were here before: their record, flagged exposures and pictures."""
        records.forget(self._directory / RESULTS, job.name, job.stage)
        for path in (*self._plan.flagged(job), *job.pictures):
            (self._directory / path).unlink(missing_ok=True)

    def _link_beside(self, offer: Offer) -> None:
        """Link flagged exposures and pictures, where there are any and they are no older than their product."""
        job, there, here = offer.job, offer.place, self._directory
        for path in self._plan.flagged(job):
            crf = f"{self._plan.flagged_folder(job)}/{PurePath(path).name}"
            if (found := records.stat(here / crf)) is not None:
                _linked(here / crf, here / path, found)
        made = min(((there / path).stat().st_mtime_ns for path in job.products), default=0)
        for path in job.pictures:
            found = records.stat(there / path)
            if found is not None and found[1] >= made:
                _linked(there / path, here / path, found)
        if job.association:
            whole.write(here / job.association, associations.text(self._plan.associations[job.association]))

    def _here(self, record: Record, offer: Offer) -> Record:
        """Return a record as it is of the files here."""
        places = {PurePath(path).name: self._directory / path for _, path in offer.job.members}
        members = tuple(Member(one.file, one.role, one.digest, _stat(places[one.file])) for one in record.members)
        folder = self._directory / RESULTS
        gave = tuple(Gave(one.file, one.digest, _stat(folder / one.file)) for one in record.gave)
        return replace(record, members=members, gave=gave)


def _stat(path: Path) -> Stat:
    found = records.stat(path)
    assert found is not None
    return found


def _linked(source: Path, target: Path, then: Stat) -> bool:
    """Link a file, or copy it to another device; return False where it is not the one that was seen `then`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.part")
    fresh.unlink(missing_ok=True)
    try:
        try:
            os.link(source.resolve(), fresh)
        except OSError:
            shutil.copy2(source, fresh)
        if _stat(fresh)[:2] != then[:2]:
            return False
        fresh.replace(target)
        return True
    finally:
        # Where both are links to one file, nothing is renamed.
        fresh.unlink(missing_ok=True)


@contextmanager
def _at_rest(directory: Path) -> Iterator[bool]:
    """Let no run begin in a directory meanwhile; give whether none is at work, as where nothing can be written."""
    with ExitStack() as locked:
        try:
            is_at_rest = locked.enter_context(lock.held(directory))
        except WorkflowFault:
            is_at_rest = True
        yield is_at_rest


def _gave_the_same(directory: Path, offer: Offer) -> bool:
    """Return whether a directory has a product of an offer, as the same file."""
    found = {name: records.stat(directory / RESULTS / name) for name in offer.gave}
    return any(stat is not None and stat[3] == offer.gave[name][3] for name, stat in found.items())


def _look_again(directory: Path, offer: Offer) -> None:
    """Bring the record of a job up to date where links came to its products, if it can be written."""
    record = records.read(directory / offer.job.record)
    if record is None or record.identity != offer.job.identity:
        return
    gave = tuple(_now(directory / RESULTS, one, offer.gave.get(one.file)) for one in record.gave)
    if gave != record.gave:
        # Of a record that stays as it is, the products are read once more: nothing is lost.
        with suppress(DataFault):
            records.write(replace(record, gave=gave), directory / RESULTS)


def _now(folder: Path, one: Gave, shared: Stat | None) -> Gave:
    """Return a product as it stands now, where it is the file that is shared."""
    found = records.stat(folder / one.file)
    is_it = found is not None and shared is not None and found[3] == shared[3] and found[:2] == shared[:2]
    return replace(one, stat=found) if found is not None and is_it else one
