"""A program of which everything is made, as the plan sees it."""

import base64
import importlib
import shutil
import subprocess
import sys
from dataclasses import replace

import pretend
import pytest
from program_scene import planned, program

from jwrules.cli import engine

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="session", autouse=True)
def _snakemake_writes_to_what_stays_open():
    """Load what keeps the output that it finds when it is loaded: that of one test is closed after it."""
    importlib.import_module("snakemake.shell")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A program of which every product is there with its record, as Snakemake knows too, and what was asked."""
    folder = tmp_path_factory.mktemp("finished")
    asked = program(folder)
    asked.write(folder / "run.yaml")
    pretend.run(asked, folder)
    for path in planned(folder, asked).pictures():
        (folder / path).write_bytes(PNG)
    touch = ["--touch", "--forceall", "--cores", "1", "--quiet", "all"]
    arguments = [sys.executable, "-m", "snakemake", *engine.command(folder), *touch]
    subprocess.run(arguments, check=True, capture_output=True)
    return folder, asked


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished program: its folder, and what was asked."""
    folder, asked = finished
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    here = {"data": tmp_path / "run" / "uncal", "references": str(tmp_path / "run" / "references")}
    return tmp_path / "run", replace(asked, **here, recipe=tmp_path / "run" / "short.yaml")
