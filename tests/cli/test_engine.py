"""A lock that a killed run left is removed; that of a run at work is not."""

import subprocess
import sys
import time

import psutil
import pytest

from jwrules.cli import engine
from jwrules.errors import WorkflowFault


@pytest.fixture
def locked(tmp_path):
    """A working directory with the lock of a run."""
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a_rate.fits\n")
    return tmp_path


@pytest.fixture
def at_work(locked):
    """A process that looks like Snakemake, at work in the directory."""
    sleep = [sys.executable, "-c", "import time; time.sleep(60)", "snakemake"]
    process = subprocess.Popen(sleep, cwd=locked)
    while psutil.Process(process.pid).cmdline()[-1:] != ["snakemake"]:
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


@pytest.mark.workflow
def test_the_lock_of_a_killed_run_is_removed(locked):
    (locked / "run.yaml").write_text("{}")
    engine._free(locked)
    assert not list((locked / ".snakemake").glob("locks/*.lock"))


def test_the_lock_of_a_run_at_work_stays(locked, at_work):
    with pytest.raises(WorkflowFault, match=f"another run is at work there: process {at_work.pid}"):
        engine._free(locked)
    assert list((locked / ".snakemake").glob("locks/*.lock"))


@pytest.mark.parametrize("option", ["-n", "-np", "--dry-run", "--dryrun"])
def test_a_dry_run_is_recognised(option):
    assert engine._SILENT.fullmatch(option)


@pytest.mark.parametrize("option", ["--cores", "-c", "--no-hooks", "image3"])
def test_other_options_are_no_dry_run(option):
    assert not engine._SILENT.fullmatch(option)


@pytest.mark.workflow
def test_an_option_that_snakemake_does_not_know_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match="--no-such-option"):
        engine.run(tmp_path, ["--no-such-option"])
