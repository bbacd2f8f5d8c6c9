"""A small program on a real Slurm of one node: the same bytes as without it, though one of its jobs is killed."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from jwrules import simulate
from tests.cluster import one_node

ABSENT = one_node.missing()
if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
    ABSENT.append("snakemake-executor-plugin-slurm")

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        bool(ABSENT), reason=f"not installed: {', '.join(ABSENT)} (apt install slurm-wlm munge; pip install .[cluster])"
    ),
]

DITHERS = 1
WRITTEN = "1700000000"
"""The time that all products say they were written at, so that their bytes can be compared."""
THE_SAME_IN_A_HURRY = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "9")
"""What is not of the profile: there is no accounting here, and jobs take seconds."""


@dataclass
class Node:
    """What goes on on the node: a job that is killed, and where products are written first."""

    demo: Path
    scratch: Path
    killed: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self):
        while not self.over.wait(0.02):
            self.seen |= {path.name for path in self.scratch.glob("jwrules-*")}
            if not self.killed:
                self._kill()

    def _kill(self):
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = process.cmdline()
                if not self.killed and "--steps" in words and process.cwd() == str(self.demo):
                    process.kill()
                    self.killed.append(Path(words[words.index("detector1") + 1]).name)


@dataclass(frozen=True)
class Runs:
    """Folders of a program that was run on the cluster, and here on one core and on two."""

    cluster: Path
    one: Path
    two: Path
    said: str
    node: Node

    @property
    def log(self):
        (path,) = (self.cluster / ".snakemake" / "log").glob("*.snakemake.log")
        return path.read_text()


def begun(demo, *options, env):
    command = [sys.executable, "-m", "jwrules", "run", demo / "uncal", "--references", demo / "references"]
    command += ["--output", demo, "--no-report", *options]
    here = str(Path(sys.executable).parent)
    env = {**env, "PATH": os.pathsep.join([here, env["PATH"]]), "SOURCE_DATE_EPOCH": WRITTEN}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said(process):
    text, _ = process.communicate(timeout=600)
    assert process.returncode == 0, text
    return text


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The program on the cluster and here, all at once; it is run as people run it."""
    folder = tmp_path_factory.mktemp("cluster")
    simulate.run("miri_imaging", folder / "raw", size="tiny")
    for path in sorted((folder / "raw" / "uncal").iterdir())[DITHERS:]:
        path.unlink()
    cluster, one, two = (folder / name for name in ("cluster", "one", "two"))
    for demo in (cluster, one, two):
        shutil.copytree(folder / "raw", demo)
    node = Node(cluster, folder / "node")
    node.scratch.mkdir()
    watcher = threading.Thread(target=node.watch)
    with one_node.OneNode() as slurm:
        watcher.start()
        try:
            env = {**slurm.environment, "TMPDIR": str(node.scratch)}
            submitted = begun(cluster, "--profile", "slurm", "--cores", "2", *THE_SAME_IN_A_HURRY, env=env)
            for demo, cores in ((one, "1"), (two, "2")):
                said(begun(demo, "--cores", cores, env={**os.environ}))
            text = said(submitted)
        finally:
            submitted.kill()
            node.over.set()
            watcher.join()
    return Runs(cluster, one, two, text, node)


RECORD = re.compile(r"_(detector1|image2|image3)\.json$")


def products(demo):
    made = [path for name in ("results", "pictures") for path in (demo / name).iterdir()]
    return {str(path.relative_to(demo)): path for path in made if not RECORD.search(path.name)}


def records(demo):
    """What was recorded of each job, but for what it was given and took, and where on the disk its files are."""
    found = [path for path in (demo / "results").iterdir() if RECORD.search(path.name)]
    return {path.name: json.loads(path.read_text(), object_hook=lasting) for path in found}


def lasting(entry):
    return {key: value for key, value in entry.items() if key not in ("stat", "cost", "command")}


@pytest.mark.parametrize("here", ["one", "two"])
def test_the_cluster_gives_the_same_bytes(runs, here):
    theirs, ours = products(runs.cluster), products(getattr(runs, here))
    assert len(ours) == 5 * DITHERS + 4 + DITHERS + 2
    assert sorted(theirs) == sorted(ours)
    assert [name for name, path in ours.items() if path.read_bytes() != theirs[name].read_bytes()] == []


def test_the_cluster_keeps_the_same_records(runs):
    assert len(records(runs.one)) == 2 * DITHERS + 1
    assert records(runs.cluster) == records(runs.one)


def test_a_killed_job_is_tried_again_with_twice_the_memory(runs):
    (uncal,) = runs.node.killed
    asked = re.findall(rf"jwrules detector1 uncal/{uncal} .* --memory (\d+)M", runs.log)
    first, again = sorted({int(size) for size in asked})
    assert again == 2 * first


def test_people_are_told_of_the_second_try_and_that_nothing_failed_in_the_end(runs):
    assert "tried again" in runs.said
    assert re.search(r"\d+ jobs done; products in", runs.said)


def test_small_jobs_share_a_job_of_slurm_and_each_of_those_has_its_log(runs):
    folder = runs.cluster / "logs" / "slurm"
    assert Counter(path.relative_to(folder).parts[0] for path in folder.rglob("*.log")) == {
        "rule_detector1": DITHERS + 1,
        "group_exposures_image2_picture_exposure": 1,
        "group_mosaics_image3_picture_mosaic_picture_segments": 1,
    }


def test_products_are_written_on_the_node_first_and_nothing_is_left(runs):
    assert runs.node.seen
    assert list(runs.node.scratch.glob("jwrules-*")) == []
    assert list(runs.cluster.rglob("*.part*")) == []


def test_nothing_of_the_cluster_is_left(runs):
    started = [process.name() for process in psutil.Process().children(recursive=True)]
    assert [name for name in started if name in one_node.DAEMONS] == []
