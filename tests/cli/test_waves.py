"""One run works in a directory at a time."""

import signal
import subprocess
import sys
from dataclasses import replace
from threading import Timer

import pytest
from program_scene import planned, program

from jwrules.cli import engine, waves
from jwrules.errors import WorkflowFault
from jwrules.plan import disk, lock

AT_WORK = """\
import sys, time
from pathlib import Path
from jwrules.cli import waves
with waves.alone(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another run at work in the directory."""
    process = subprocess.Popen([sys.executable, "-c", AT_WORK, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "at work\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_and_leaves_the_first_alone(tmp_path, other, monkeypatch):
    monkeypatch.setattr(waves, "_PATIENCE", 0.0)
    asked = program(tmp_path)
    asked.write(tmp_path / "run.yaml")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for run in (waves.run, waves.first):
        with pytest.raises(WorkflowFault, match=f"{tmp_path}: another run is at work there; wait for it or stop it"):
            run(replace(asked, sets=("dq_init.skip=true",)), tmp_path, ["--cores", "1"])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert other.poll() is None


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """Return what runs a program whose jobs all fail, with so many bytes free; it returns warnings and waves."""
    said = []

    def call(directory, options, handlers):
        said.append("wave")
        return 1

    def run(free, *forced):
        monkeypatch.setattr(disk, "free", lambda directory: free)
        monkeypatch.setattr(engine, "_call", call)
        monkeypatch.setattr(waves.log, "warning", lambda text, *words: said.append(text % words))
        waves.run(program(tmp_path), tmp_path, ["--cores", "1"], forced)
        return said

    return run


def test_a_run_warns_once_before_the_first_wave_where_too_little_is_free(tried, tmp_path):
    asked = program(tmp_path)
    room = disk.said(sum(job.room for job in planned(tmp_path, asked).all()))
    said = f"disk: products take about {room}, {room} of it still to come; 1.0 MB are free in {tmp_path}: not enough"
    assert tried(10**6) == [said, "wave"]


def test_where_enough_is_free_nothing_is_warned_of(tried):
    assert tried(10**12) == ["wave"]


def test_what_is_forced_and_not_there_takes_room(tried):
    assert tried(10**6, *waves.ALL)[0].startswith("disk: ")


def test_who_links_from_a_directory_holds_it_up_for_a_moment_only(tmp_path):
    linking = lock.held(tmp_path)
    linking.__enter__()
    Timer(0.1, linking.__exit__, (None, None, None)).start()
    with waves.alone(tmp_path), lock.held(tmp_path) as is_free:
        assert not is_free


def test_a_run_that_was_killed_is_in_nobodys_way(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    with waves.alone(tmp_path):
        pass
