"""A run, wave by wave: what is sure to run goes to Snakemake; then it is known what else is due.

A product that comes out as it was makes nothing stale that is made from it, and that is known when it is there. So jobs
whose members may come out as they were wait for the next wave; on a first run there are none, and one wave is all.
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jwrules import plan as planning
from jwrules.cli import engine
from jwrules.cli.common import log
from jwrules.errors import WorkflowFault
from jwrules.house import STORE
from jwrules.plan import Is, Plan, Settings, States, waves
from jwrules.plan.state import Key

ALL = ("*",)
"""What `forced` says for every job."""


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Let no other run work in a directory meanwhile; WorkflowFault where one does. A killed run frees it."""
    place = directory / STORE / "run.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as reason:
            raise WorkflowFault(f"{directory}: another run is at work there; wait for it or stop it") from reason
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
        return engine.observed(directory, lambda call: run.to_the_end(call, options))


def first(asked: Settings, directory: Path, options: Sequence[str], forced: Sequence[str] = ()) -> int:
    """Let Snakemake say what it would run first; nothing is run."""
    with alone(directory):
        asked.write(directory / planning.RUN_FILE)
        plan = planning.of(asked, directory)
        planning.lay_out(plan, directory)
        run = _Run(plan, asked, directory, _chosen(plan, forced))
        wave = run.next_wave(options)
        if wave is None:
            log.info("everything is up to date")
            return 0
        return engine.dry(directory, [*_configured(waves.write(wave, directory)), *options])


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


def _configured(wave: Path) -> list[str]:
    return ["--config", f"{planning.WAVE}={wave}", "--forceall"]


class _Run:
    def __init__(self, plan: Plan, asked: Settings, directory: Path, forced: Collection[Key]) -> None:
        self._plan, self._asked, self._directory = plan, asked, directory
        self._forced, self._left = set(forced), set[Key]()
        self._beside: set[str] = set()

    def states(self) -> States:
        return planning.states(self._plan, self._asked, self._directory, self._forced)

    def next_wave(self, options: Sequence[str]) -> Plan | None:
        """Return what can be run now, but for jobs that were tried."""
        self._now = self.states()
        ready = self._now.ready(self._left)
        wave = waves.make(self._plan, self._directory, ready, engine.cores(options))
        if wave is None or wave.wave is None or set(wave.wave.targets) <= self._beside:
            return None
        return wave

    def to_the_end(self, call: engine.Call, options: Sequence[str]) -> int:
        """Run wave after wave; return the exit status. What failed, and what needs it, is left out of later ones."""
        status = 0
        while wave := self.next_wave(options):
            ready = self._now.ready(self._left)
            engine.owe_report(self._directory)
            self._make_room(ready)
            status = call([*_configured(waves.write(wave, self._directory)), *options]) or status
            self._forced -= set(ready)
            standing = self.states()
            self._left |= {key for key in ready if standing.of[key].stands is Is.DUE}
            assert wave.wave is not None
            self._beside |= set(wave.wave.targets)
        return status

    def _make_room(self, ready: Sequence[Key]) -> None:
        """Remove what goes with the jobs that run: it has no record, and a killed run must not leave it out of date."""
        for job in (self._plan.job(*key) for key in ready):
            for path in (*self._plan.flagged(job), *job.pictures):
                (self._directory / path).unlink(missing_ok=True)
