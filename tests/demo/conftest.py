"""One simulated program, run once for all tests of this folder through the command line that people use.

A second one is cut out of it, so small that a run takes seconds, for the tests that run again and again.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import kills
import pytest
from shared_folder import made_once, simulated_program

from tests.demo import small


@dataclass(frozen=True)
class Demo:
    """A folder with uncal/, references/, truth/ and, once run, results/."""

    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "truth"

    @property
    def uncal(self) -> Path:
        return self.folder / "uncal"

    @property
    def references(self) -> Path:
        return self.folder / "references"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def products(self, pattern: str) -> list[Path]:
        return sorted(self.results.glob(pattern))

    def jwrules(self, *arguments: str, check: bool = True, env=None, **options) -> subprocess.CompletedProcess[str]:
        """Call the command line as a person would."""
        command = [sys.executable, "-m", "jwrules", *map(str, arguments)]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, **(env or {})}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def asked(self, *options: str) -> list[str]:
        """What is asked of every run and plan: uncal/, aligned to the catalogue of true positions if there is one."""
        catalog = self.truth / "astrometric_catalog.ecsv"
        aligned = ["--set", f"tweakreg.abs_refcat={catalog}"] if catalog.is_file() else []
        return [self.uncal, "--references", self.references, "--output", self.folder, *aligned, *options]

    def run(self, *options: str, check: bool = True, **how) -> subprocess.CompletedProcess[str]:
        """Run the workflow."""
        return self.jwrules("run", *self.asked("--cores", "2", *options), check=check, **how)

    def counted(self, *options: str, env=None) -> Counter[str]:
        """Run the workflow without its report; return the jobs that were done, by rule, as Snakemake's log has them."""
        before = set(self._logs())
        self.run("--no-report", *options, env=env)
        said = "".join(log.read_text() for log in set(self._logs()) - before)
        done = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+?)(?:_batch\d+_(\d+)jobs)?\)", said, re.MULTILINE)
        return sum((Counter({rule: int(count or 1)}) for rule, count in done if rule != "all"), Counter())

    def _logs(self):
        return (self.folder / ".snakemake" / "log").glob("*.snakemake.log")


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Demo:
    """The program as it comes from the telescope. Read only."""
    return Demo(simulated_program(tmp_path_factory))


@pytest.fixture(scope="session")
def finished(simulated, tmp_path_factory) -> Demo:
    """The program, run to the end. Read only."""
    made_once(tmp_path_factory, "finished", lambda _: simulated.run() and None)
    return simulated


@pytest.fixture
def copy(finished, tmp_path) -> Demo:
    """A copy of the finished program that a test may change: same modification times, so nothing is out of date."""
    shutil.copytree(finished.folder, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo")


@pytest.fixture(scope="session")
def small_raw(simulated, tmp_path_factory) -> Demo:
    """A small window of two dithers with F200W and of one with F444W. Read only."""

    def make(folder: Path) -> None:
        small.cut(simulated.folder, folder / "demo", small.EXPOSURES)

    return Demo(made_once(tmp_path_factory, "small", make) / "demo")


@pytest.fixture(scope="session")
def small_finished(small_raw, tmp_path_factory) -> Demo:
    """The small program, run to the end, once: every job of it, all products of one date. Read only."""

    def make(folder: Path) -> None:
        shutil.copytree(small_raw.folder, folder / "demo")
        assert Demo(folder / "demo").counted(env={"SOURCE_DATE_EPOCH": kills.EPOCH}) == small.EVERYTHING

    return Demo(made_once(tmp_path_factory, "small_finished", make) / "demo")


@pytest.fixture
def raw(small_raw, tmp_path) -> Demo:
    """A copy of the small program that a test may change and run."""
    shutil.copytree(small_raw.folder, tmp_path / "demo")
    return Demo(tmp_path / "demo")


@pytest.fixture
def made(small_finished, tmp_path) -> Demo:
    """A copy of the small program with everything that was made of it: same modification times, in another place."""
    shutil.copytree(small_finished.folder, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo")
