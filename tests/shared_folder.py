"""Folders that all processes of a test run share: what takes long is made by the first that needs it."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, filled by `make(folder)`; who needs it meanwhile waits. Read only.

    What failed, or was killed, is begun anew by the next that needs it.
    """
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent
    folder, done = run / name, run / f"{name}.done"
    with (run / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def simulated_program(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the program `nircam_imaging` as the command line simulates it. Read only but for results."""

    def simulate(folder: Path) -> None:
        command = [sys.executable, "-m", "jwrules", "simulate", "nircam_imaging", str(folder / "demo")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    return made_once(factory, "simulated", simulate) / "demo"
