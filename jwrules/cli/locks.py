"""The lock of a working directory: a killed run leaves it behind."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from jwrules.cli.common import log
from jwrules.errors import WorkflowFault


def free(directory: Path) -> None:
    """Remove the lock that a killed run left; WorkflowFault while another run is at work in the directory."""
    locks = directory / ".snakemake" / "locks"
    if not list(locks.glob("*.lock")):
        return
    busy = list(_others_at_work(directory))
    if busy:
        raise WorkflowFault(f"{directory}: another run is at work there: {'; '.join(busy)}; wait for it or stop it")
    log.warning("%s: a run was killed here; its lock is removed, and what it left unfinished is made again", directory)
    shutil.rmtree(locks)


def _others_at_work(directory: Path) -> Iterator[str]:
    """Return the other processes that run a workflow in the directory, as far as this machine can tell."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if _is_run(words) and process.pid != os.getpid() and Path(process.cwd()) == directory:
                yield f"process {process.pid}: {' '.join(words)[:80]}"


def _is_run(words: Sequence[str]) -> bool:
    names = [Path(word).name for word in words]
    return "snakemake" in names or ("jwrules" in names and "run" in words)
