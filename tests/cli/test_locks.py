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


def assert_ended(orphan, other):
    """One process was ended, the other was not; it is ended now."""
    assert not psutil.pid_exists(orphan.pid)
    assert other.poll() is None
    orphan.wait()
    other.kill()
    other.wait()


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
    assert_ended(orphan, other)


@pytest.fixture
def squeue(tmp_path_factory, monkeypatch):
    """Return a way to a Slurm whose queue has jobs in these working directories."""
    folder = tmp_path_factory.mktemp("bin")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def squeue(*places, fails=False):
        lines = "\n".join(f"{number}|run-{place.name}|{place}" for number, place in enumerate(places, start=1))
        script = folder / "squeue"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\nexit {int(fails)}\n")
        script.chmod(0o700)

    return squeue


def test_jobs_of_a_killed_run_that_slurm_still_has_keep_the_next_one_out(locked, squeue):
    squeue(locked, locked, locked.parent / "other")
    words = rf"Slurm still has 2 of its jobs; .*\(squeue --me --name=run-{locked.name}\), or cancel them \(scancel --me"
    with pytest.raises(WorkflowFault, match=words):
        free(locked)
    assert list((locked / ".snakemake").glob("locks/*.lock"))


@pytest.mark.parametrize("fails", [False, True])
def test_a_queue_without_jobs_of_the_directory_keeps_nobody_out(locked, squeue, fails):
    squeue(*([locked] if fails else [locked.parent / "other"]), fails=fails)
    free(locked)
    assert not list((locked / ".snakemake").glob("locks/*.lock"))


def test_where_no_run_was_killed_slurm_is_not_asked(tmp_path, squeue):
    squeue(tmp_path)
    free(tmp_path)


def test_jobs_of_a_run_that_ended_without_them_are_ended_and_those_by_hand_go_on(tmp_path):
    orphan = started(["jwrules", "detector1", "a_uncal.fits", "--record", "0f3c"], tmp_path)
    by_hand = started(["jwrules", "detector1", "a_uncal.fits"], tmp_path)
    end_stragglers(tmp_path)
    assert_ended(orphan, by_hand)
