"""What a killed run leaves in a working directory: its lock, and jobs that outlived it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from jwrules.cli import queue
from jwrules.cli.common import log
from jwrules.errors import WorkflowFault
from jwrules.plan import STAGES

if TYPE_CHECKING:
    import psutil

_PATIENCE = 5.0
"""Seconds for a job to end after it was asked to."""


def end_stragglers(directory: Path) -> None:
    """End jobs that outlived the shell in which they were started: their run, though it ended, has lost sight of them.

    To be called by the only run in the directory. What somebody runs there by hand has no record, and is left alone.
    """
    _end_all(directory, _is_recorded)


def free(directory: Path) -> None:
    """Remove the lock that a killed run left; WorkflowFault while another run is at work in the directory.

    Jobs that outlived their run are ended, on this machine; WorkflowFault where Slurm has some, on others: they might
    yet write what another run has made, with other options.
    """
    locks = directory / ".snakemake" / "locks"
    if not list(locks.glob("*.lock")):
        return
    queue.refuse(directory)
    busy = [f"process {one.pid}: {' '.join(words)[:80]}" for one, words in _at_work(directory, _is_run)]
    if busy:
        raise WorkflowFault(f"{directory}: another run is at work there: {'; '.join(busy)}; wait for it or stop it")
    _end_all(directory, _is_job)
    log.warning("%s: a run was killed here; its lock is removed, and what it left unfinished is made again", directory)
    shutil.rmtree(locks)


def _at_work(
    directory: Path, wanted: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[psutil.Process, Sequence[str]]]:
    """Yield the other processes in the directory whose command line is `wanted`, as far as this machine can tell."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if wanted(words) and process.pid != os.getpid() and Path(process.cwd()) == directory:
                yield process, words


def _is_run(words: Sequence[str]) -> bool:
    names = [Path(word).name for word in words]
    return "snakemake" in names or ("jwrules" in names and "run" in words)


_COMMANDS = (*STAGES, "batch", "picture")
"""What the rules call; a shell that is about to says so in its text."""
_IN_A_SHELL = re.compile(rf"\bjwrules ({'|'.join(_COMMANDS)}) ")


def _is_job(words: Sequence[str]) -> bool:
    """Return whether a command line is that of a job, or of the shell in which one is started."""
    after = [word for one, word in pairwise(words) if Path(one).name == "jwrules"]
    return bool({*after} & {*_COMMANDS}) or any(_IN_A_SHELL.search(word) for word in words)


def _is_recorded(words: Sequence[str]) -> bool:
    return _is_job(words) and any(sign in " ".join(words) for sign in (" --record ", "jwrules batch "))


def _end_all(directory: Path, wanted: Callable[[Sequence[str]], bool]) -> None:
    """End the processes in the directory whose command line is `wanted`, and those that they start meanwhile."""
    while jobs := [process for process, _ in _at_work(directory, wanted)]:
        _end(jobs)


def _end(processes: Sequence[psutil.Process]) -> None:
    import psutil

    numbers = ", ".join(str(process.pid) for process in processes)
    log.warning("jobs of an earlier run still ran (process %s); they are ended", numbers)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=_PATIENCE)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_PATIENCE)
