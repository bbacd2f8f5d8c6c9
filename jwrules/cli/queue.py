"""Jobs of a killed run that Slurm still has: they go on, on other machines, whatever becomes of the process that
submitted them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from jwrules.errors import WorkflowFault

_FORMAT = "%i|%j|%Z"
"""Number of a job, its name (one for all jobs of a call of Snakemake), and its working directory (manual of squeue)."""
_PATIENCE = 30.0
"""Seconds for Slurm to answer."""


def refuse(directory: Path) -> None:
    """Raise WorkflowFault where Slurm has jobs of a working directory: they would write beside those of a new run."""
    if jobs := dict(_jobs(directory)):
        runs = " ".join(f"--name={name}" for name in dict.fromkeys(jobs.values()))
        raise WorkflowFault(
            f"{directory}: a run was killed here, and Slurm still has {len(jobs)} of its jobs; wait until they are done"
            f" (squeue --me {runs}), or cancel them (scancel --me {runs}). What they finish is not made again"
        )


def _jobs(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield number and name of the user's jobs in a working directory; none where there is no Slurm, or no answer."""
    if not shutil.which("squeue"):
        return
    command = ["squeue", "--me", "--noheader", "--states=PENDING,RUNNING,SUSPENDED,COMPLETING", f"--format={_FORMAT}"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_PATIENCE).stdout
    except (OSError, subprocess.SubprocessError):
        return
    for line in told.splitlines():
        number, name, place = [*line.split("|", 2), "", ""][:3]
        if place and Path(place).resolve() == directory.resolve():
            yield number, name
