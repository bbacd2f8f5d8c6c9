"""A run, wave by wave: what is sure to run goes to Snakemake; then it is known what else is due.

A product that comes out as it was makes nothing stale that is made from it, and that is known when it is there. So jobs
whose members may come out as they were wait for the next wave; on a first run there are none, and one wave is all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jwrules import plan as planning
from jwrules.cli import engine, passed
from jwrules.cli.common import log
from jwrules.errors import WorkflowFault
from jwrules.plan import Is, Plan, Settings, States, disk, lock, waves
from jwrules.plan.state import Key

ALL = ("*",)
"""What `forced` says for every job."""


_PATIENCE = 5.0
"""Seconds to wait for the lock of a directory: a variant that links from there holds it, a moment for each job."""


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Let no other run work in a directory meanwhile; WorkflowFault where one does. A killed run frees it."""
    with lock.held(directory, _PATIENCE) as is_held:
        if not is_held:
            raise WorkflowFault(f"{directory}: another run is at work there; wait for it or stop it")
        yield


def run(asked: Settings, directory: Path, options: Sequence[str], forced: Sequence[str] = ()) -> tuple[int, int]:
    """Make all that is due; return the exit status, and how many jobs ran.

    `forced` names stages or products that are made in any case.
    """
    with alone(directory):
        engine.clear(directory)
        asked.write(directory / planning.RUN_FILE)
        plan = planning.of(asked, directory)
        planning.lay_out(plan, directory)
        run = _Run(plan, asked, directory, _chosen(plan, forced))
        # From here on the terminal only shows progress.
        wave = run.next_wave(options)
        run.warn_of_room()
        done = engine.observed(directory, lambda call: run.to_the_end(wave, call, options))
        run.tell_shared()
        return done


def first(asked: Settings, directory: Path, options: Sequence[str], forced: Sequence[str] = ()) -> int:
    """Let Snakemake say what it would run first; nothing is run."""
    with alone(directory):
        asked.write(directory / planning.RUN_FILE)
        plan = planning.of(asked, directory)
        planning.lay_out(plan, directory)
        run = _Run(plan, asked, directory, _chosen(plan, forced))
        wave = run.next_wave(options)
        run.warn_of_room()
        if wave is None:
            log.info("everything is up to date")
            return 0
        return engine.dry(directory, [*_configured(waves.write(wave, directory), directory), *options])


def _chosen(plan: Plan, forced: Sequence[str]) -> frozenset[Key]:
    """Return the jobs that are named by their stage, their name, or a file that they make."""
    keys = {
        (job.stage, job.name): {job.stage, job.name, *job.products, *map(_name, job.products)} for job in plan.all()
    }
    if tuple(forced) == ALL:
        return frozenset(keys)
    known = set().union(*keys.values()) if keys else set()
    if unknown := [one for one in forced if one not in known]:
        stages = ", ".join(stage for stage in planning.STAGES if plan.jobs.get(stage))
        raise WorkflowFault(f"--forcerun {' '.join(unknown)}: no job of that name; name stages ({stages}) or products")
    return frozenset(key for key, said in keys.items() if said & set(forced))


def _name(path: str) -> str:
    return Path(path).name


def _configured(wave: Path, directory: Path) -> list[str]:
    """Return the options of Snakemake that run a wave; `--config` is left to the user and to profiles."""
    return ["--configfile", str(directory / planning.RUN_FILE), str(wave), "--forceall"]


class _Run:
    def __init__(self, plan: Plan, asked: Settings, directory: Path, forced: Collection[Key]) -> None:
        self._plan, self._asked, self._directory = plan, asked, directory
        self._forced, self._left = set(forced), set[Key]()
        self._beside: set[str] = set()
        self._shared: Counter[Path] = Counter()

    def states(self) -> States:
        return planning.states(self._plan, self._asked, self._directory, self._forced)

    def next_wave(self, options: Sequence[str]) -> Plan | None:
        """Return what can be run now, but for jobs that were tried."""
        self._now = self.states()
        if self._share():
            self._now = self.states()
        ready = self._now.ready(self._left)
        wave = waves.make(self._plan, self._directory, ready, passed.cores(options))
        if wave is None or wave.wave is None or set(wave.wave.targets) <= self._beside:
            return None
        return wave

    def _share(self) -> bool:
        """Link what another working directory has made from the same; return whether there was anything."""
        shared = planning.shared(self._plan, self._directory)
        taken = shared.take(list(shared.offers(self._now, {*self._forced, *self._left})))
        self._shared.update(offer.place for offer in taken)
        return bool(taken)

    def warn_of_room(self) -> None:
        """Say where less is free than products take that were not there when it was last known how jobs stand."""
        jobs = self._plan.all()
        missing = sum(job.room for job in jobs if self._now.of[job.stage, job.name].is_missing)
        free = disk.free(self._directory)
        if missing > free:
            log.warning("%s", disk.told(sum(job.room for job in jobs), missing, free, self._directory))

    def tell_shared(self) -> None:
        """Say what was linked."""
        for place, count in self._shared.items():
            log.info("%d jobs are as in %s: their products are links to those", count, place)

    def to_the_end(self, wave: Plan | None, call: engine.Call, options: Sequence[str]) -> int:
        """Run this wave and later ones, without what failed and what needs that; return the exit status."""
        status = 0
        while wave:
            assert wave.wave is not None
            ready = wave.wave.jobs
            engine.owe_report(self._directory)
            self._make_room(ready)
            status = call([*_configured(waves.write(wave, self._directory), self._directory), *options]) or status
            self._forced -= ready
            standing = self.states()
            self._left |= {key for key in ready if standing.of[key].stands is Is.DUE}
            self._beside |= set(wave.wave.targets)
            wave = self.next_wave(options)
        return status

    def _make_room(self, ready: Collection[Key]) -> None:
        """Remove what goes with the jobs that run: it has no record, and a killed run must not leave it out of date."""
        for job in (self._plan.job(*key) for key in ready):
            for path in (*self._plan.flagged(job), *job.pictures):
                (self._directory / path).unlink(missing_ok=True)
