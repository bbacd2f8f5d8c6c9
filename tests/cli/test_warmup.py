"""What jwrules warmup compiles ahead, a run need not compile; each run below is a process of its own."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jwrules import simulate
from jwrules.cli import rehearsal, warmup

HOUSE = Path(__file__).resolve().parents[2]
LIGHT = "jump.skip=true"
"""Without the step whose kernels take the longest to compile."""
FEW = "from jwrules.cli import rehearsal; rehearsal.ON_REQUEST = ();"
FEW += f"rehearsal.usual = lambda: [rehearsal.Rehearsal('niriss_ami', sets=('{LIGHT}',))];"
RUN = """
import sys
import numba.core.event as events
from jwrules.cli import main

with events.install_recorder("numba:compile") as compiled:
    status = main(sys.argv[1:])
print([event.data["dispatcher"].py_func.__name__ for _, event in compiled.buffer if event.is_start])
sys.exit(status)
"""


def python(code, *arguments, **environment):
    """Return how a process ended that runs this code."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(HOUSE), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def said(done):
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder of kernels, as warmup leaves it that rehearses one template; and what it said."""
    folder = tmp_path_factory.mktemp("kernels")
    done = python(FEW + RUN, "warmup", NUMBA_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """The raw exposure of a template, other than the one rehearsed, and its reference files."""
    folder = tmp_path_factory.mktemp("exposure")
    simulate.run("niriss_ami", folder, seed=5, integrations=3)
    return next((folder / "uncal").iterdir()), folder / "references"


def reduce(exposure, output, kernels, *options):
    uncal, references = exposure
    given = ["detector1", uncal, "--references", references, "--output", output, "--set", LIGHT, *options]
    done = python(RUN, *given, NUMBA_CACHE_DIR=str(kernels))
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(said(done))


def test_after_it_a_run_compiles_nothing(warm, exposure, tmp_path):
    assert "_fit_by_covariance" in said(warm[1])
    assert reduce(exposure, tmp_path, warm[0]) == []
    assert reduce(exposure, tmp_path, warm[0], "--memory", "400M", "--threads", "2") == []


def test_what_was_not_rehearsed_is_compiled_by_the_run(warm, exposure, tmp_path):
    assert "_straight_lines" not in reduce(exposure, tmp_path, warm[0])
    assert "_convolve" in reduce(exposure, tmp_path, warm[0], "--set", "ipc.skip=false")


def test_it_says_where_kernels_are_and_what_took_how_long(warm):
    folder, done = warm
    assert f"are kept in {folder}" in done.stderr
    assert "compiled  niriss_ami" in done.stderr


def test_check_names_what_would_be_compiled(warm, tmp_path):
    folder, _ = warm
    check = {"NUMBA_CACHE_DIR": str(folder)}
    assert python(RUN, "warmup", "--check", **check).returncode == 0
    victim = next(folder.rglob("*ramp_fit._fit_by_covariance*"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:5000])
    done = python(RUN, "warmup", "--check", **check)
    victim.write_bytes(whole)
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "jwrules.kernels.ramp_fit._fit_by_covariance",
        "1 kernels are to be compiled",
    ]


def test_check_knows_other_sources_and_empty_folders(warm, tmp_path):
    folder, _ = warm
    (listed,) = folder.rglob("warmup-*.json")
    before = listed.read_text()
    listed.write_text(json.dumps(json.loads(before) | {"sources": "others"}))
    done = python(RUN, "warmup", "--check", NUMBA_CACHE_DIR=str(folder))
    listed.write_text(before)
    assert (done.returncode, "has changed" in done.stdout) == (1, True)
    done = python(RUN, "warmup", "--check", NUMBA_CACHE_DIR=str(tmp_path))
    assert (done.returncode, done.stdout.startswith("everything is to be compiled")) == (1, True)


def test_a_rehearsal_that_fails_is_told_and_the_others_go_on(monkeypatch, capsys, tmp_path):
    played = []
    monkeypatch.setattr(warmup, "_rehearse", lambda one: played.append(one.template) or one.template != "second")
    monkeypatch.setattr(
        rehearsal, "usual", lambda: [rehearsal.Rehearsal(name) for name in ("first", "second", "third")]
    )
    monkeypatch.setattr(rehearsal, "ON_REQUEST", ())
    monkeypatch.setattr(warmup, "_folders", lambda: (tmp_path,))
    assert warmup._compile() == 1
    assert played == ["first", "second", "third"]


def test_every_template_is_rehearsed():
    assert {one.template for one in rehearsal.usual()} | {"nircam_imaging"} == set(simulate.names())
