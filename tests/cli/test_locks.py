"""A lock that a killed run left is removed; that of a run at work is not."""

import subprocess
import sys
import time

import psutil
import pytest

from jwrules.cli.locks import end_stragglers, free
from jwrules.errors import WorkflowFault


@pytest.fixture
def locked(tmp_path):
    """A working directory with the lock of a run."""
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a_rate.fits\n")
    return tmp_path


def started(words, folder):
    """A process with these last words on its command line, at work in a folder."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *words], cwd=folder)
    while psutil.Process(process.pid).cmdline()[-len(words) :] != words:
        time.sleep(0.01)
    return process


@pytest.fixture
def at_work(locked):
    """A process that looks like Snakemake, at work in the directory."""
    process = started(["snakemake"], locked)
    yield process
    process.kill()
    process.wait()


def test_the_lock_of_a_killed_run_is_removed(locked):
    free(locked)
    assert not list((locked / ".snakemake").glob("locks/*.lock"))


def test_the_lock_of_a_run_at_work_stays(locked, at_work):
    with pytest.raises(WorkflowFault, match=f"another run is at work there: process {at_work.pid}"):
        free(locked)
    assert list((locked / ".snakemake").glob("locks/*.lock"))


@pytest.mark.parametrize(
    "words",
    [
        ["jwrules", "detector1", "a_uncal.fits"],
        ["jwrules", "batch", ".jwrules/batches/detector1_1.json"],
        ["set -euo pipefail;  jwrules picture results/a_i2d.fits 2> logs/picture/a_i2d.log"],
    ],
    ids=["job", "batch", "shell"],
)
def test_jobs_that_outlived_their_run_are_ended_and_those_elsewhere_go_on(locked, tmp_path_factory, words):
    orphan, other = started(words, locked), started(words, tmp_path_factory.mktemp("other"))
    free(locked)
    assert not psutil.pid_exists(orphan.pid)
    assert other.poll() is None
    orphan.wait()
    other.kill()
    other.wait()


def test_jobs_of_a_run_that_ended_without_them_are_ended_and_those_by_hand_go_on(tmp_path):
    orphan = started(["jwrules", "detector1", "a_uncal.fits", "--record", "0f3c"], tmp_path)
    by_hand = started(["jwrules", "detector1", "a_uncal.fits"], tmp_path)
    end_stragglers(tmp_path)
    assert not psutil.pid_exists(orphan.pid)
    assert by_hand.poll() is None
    orphan.wait()
    by_hand.kill()
    by_hand.wait()
