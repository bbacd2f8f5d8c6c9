"""Products are written in a folder of the machine and copied once; what goes wrong leaves nothing."""

import signal
import subprocess
import sys
import time

import pytest

from jwrules import cli
from jwrules.errors import DataFault
from jwrules.house import SCRATCH
from jwrules.products import fits, scratch


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folder of the machine and that of the products."""
    local, results = tmp_path / "local", tmp_path / "results"
    local.mkdir()
    monkeypatch.setenv(SCRATCH, str(local))
    return local, results


def test_a_product_is_written_aside_and_copied_whole(places):
    local, results = places
    with fits.arriving(results / "a_rate.fits") as written:
        assert written.is_relative_to(local)
        written.write_bytes(b"everything")
        assert list(results.iterdir()) == []
    assert [path.name for path in results.iterdir()] == ["a_rate.fits"]
    assert (results / "a_rate.fits").read_bytes() == b"everything"
    assert list(local.iterdir()) == []


def test_a_failure_leaves_nothing_on_either_side_and_names_both(places):
    local, results = places
    with (
        pytest.raises(DataFault, match=rf"a_rate.fits: .*No space.*{local}"),
        fits.arriving(results / "a_rate.fits") as written,
    ):
        written.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert list(results.iterdir()) == []
    assert list(local.iterdir()) == []


def test_a_full_disk_of_the_products_leaves_nothing_on_either_side(places, monkeypatch):
    local, results = places

    def full(written, path):
        path.write_bytes(written.read_bytes()[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(DataFault, match="No space"), fits.arriving(results / "a_rate.fits") as written:
        written.write_bytes(b"everything")
    assert list(results.iterdir()) == []
    assert list(local.iterdir()) == []


HALF = """
import sys, time
from pathlib import Path
from jwrules.products import fits
with fits.arriving(Path(sys.argv[1])) as written:
    written.write_bytes(b"half")
    time.sleep(60)
"""


def test_what_a_killed_job_left_is_removed_by_the_next(places):
    local, results = places
    job = subprocess.Popen([sys.executable, "-c", HALF, results / "a_rate.fits"])
    while not list(local.glob("*/*")):
        assert job.poll() is None
        time.sleep(0.05)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert list(results.iterdir()) == []
    with fits.arriving(results / "a_rate.fits") as written:
        written.write_bytes(b"everything")
    assert list(local.iterdir()) == []


def test_the_first_place_that_can_be_written_is_taken_by_path_or_by_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("NODE_DISK", str(tmp_path))
    monkeypatch.delenv("NO_DISK", raising=False)
    for places, folder in (("NO_DISK:NODE_DISK", tmp_path), (f"/nowhere:{tmp_path}", tmp_path), ("none", None)):
        monkeypatch.setenv(SCRATCH, places)
        assert scratch.folder() == folder


def test_a_scratch_that_is_no_folder_is_told_before_anything_is_read(tmp_path, capsys):
    options = ["--output", str(tmp_path), "--scratch", str(tmp_path / "nowhere")]
    assert cli.main(["detector1", str(tmp_path / "a_uncal.fits"), *options]) == 1
    assert "nowhere: no folder that can be written in" in capsys.readouterr().err
