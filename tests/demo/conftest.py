"""One simulated program, run once for all tests of this folder through the command line that people use."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Demo:
    """A folder with uncal/, references/, truth/ and, once run, results/."""

    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "truth"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def products(self, pattern: str) -> list[Path]:
        return sorted(self.results.glob(pattern))

    def jwrules(self, *arguments: str, check: bool = True, **options) -> subprocess.CompletedProcess[str]:
        """Call the command line as a person would."""
        command = [sys.executable, "-m", "jwrules", *map(str, arguments)]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False, **options
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, *options: str, check: bool = True, **how) -> subprocess.CompletedProcess[str]:
        """Run the workflow on what lies in uncal/, aligned to the catalogue of true star positions."""
        place = ["--references", self.folder / "references", "--output", self.folder, "--cores", "2"]
        aligned = ["--set", f"tweakreg.abs_refcat={self.truth / 'astrometric_catalog.ecsv'}"]
        return self.jwrules("run", self.folder / "uncal", *place, *aligned, *options, check=check, **how)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Demo:
    """The program, run to the end. Read only."""
    demo = Demo(tmp_path_factory.mktemp("program") / "demo")
    demo.jwrules("simulate", "nircam_imaging", demo.folder)
    demo.run()
    return demo


@pytest.fixture()
def copy(finished, tmp_path) -> Demo:
    """A copy of the finished program that a test may change: same modification times, so nothing is out of date."""
    shutil.copytree(finished.folder, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo")
