"""What is recorded of a job: nothing of one whose member goes or changes meanwhile, for it is of neither state."""

import os
import platform
from argparse import Namespace
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from jwrules import records
from jwrules.cli import recording
from jwrules.cli.recording import recorded
from jwrules.errors import DataFault
from jwrules.products import fits

HOUSE = Path(__file__).resolve().parents[2]
BENCH = Namespace(stage="detector1", references={}, hashes={}, context="N/A", recipe="")


@pytest.fixture
def job(tmp_path):
    """A job in the folder of its output, recorded before: its options, and its member."""
    (tmp_path / "a_uncal.fits").write_text("a ramp")
    (tmp_path / "a_detector1.json").write_text("how it was made")
    return Namespace(record="id", output=tmp_path, command="detector1", steps="[]"), tmp_path / "a_uncal.fits"


def rewrite(path):
    os.utime(path, (1e9, 1e9))


@pytest.mark.parametrize(("change", "words"), [(os.unlink, "removed"), (rewrite, "changed")])
def test_a_member_that_goes_or_changes_meanwhile_is_told_and_nothing_is_recorded(job, change, words):
    options, member = job
    told = pytest.raises(DataFault, match=f"{member}: was {words} while it was read; ")
    with told, recorded(options, "a", [(member, "science")]):
        change(member)
    assert not (options.output / "a_detector1.json").exists()


def test_while_a_job_runs_no_record_speaks_of_what_was_there_before(job):
    options, member = job
    with pytest.raises(KeyboardInterrupt), recorded(options, "a", [(member, "science")]):
        assert not (options.output / "a_detector1.json").exists()
        raise KeyboardInterrupt


def test_a_product_that_another_job_put_in_its_place_gets_no_record(job):
    options, member = job
    product = options.output / "a_rate.fits"
    told = pytest.raises(DataFault, match=f"{product}: another job replaced or removed it")
    with told, recorded(options, "a", [(member, "science")]) as running:
        running.bench, running.made = BENCH, [product]
        with fits.arriving(product) as written:
            written.write_text("of this job")
        (options.output / "other").write_text("of that job")
        (options.output / "other").replace(product)
    assert not (options.output / "a_detector1.json").exists()


def test_versions_are_those_of_what_jwrules_requires_whatever_is_loaded(monkeypatch):
    setup = ConfigParser()
    setup.read(HOUSE / "setup.cfg")
    required = [line for line in setup["options"]["install_requires"].splitlines() if line and line[0] != "#"]
    found = recording.versions()
    assert found.keys() == {"python", "llvmlite", *(line.partition(">")[0] for line in required)}
    assert found["numpy"] == np.__version__
    monkeypatch.setattr(recording.metadata, "version", missing)
    assert set(recording.versions.__wrapped__().values()) == {"not installed", platform.python_version()}


def missing(name):
    raise PackageNotFoundError(name)


def test_without_a_record_asked_for_an_earlier_one_stays(job):
    options, member = job
    options.record = None
    with recorded(options, "a", [(member, "science")]):
        pass
    assert (options.output / "a_detector1.json").exists()


def test_a_member_that_is_linked_meanwhile_is_as_it_was(job):
    options, member = job
    with recorded(options, "a", [(member, "science")]) as running:
        running.bench = BENCH
        (options.output / "link.fits").hardlink_to(member)
    [one] = records.read(options.output / "a_detector1.json").members
    assert (one.digest, one.stat) == (records.digest(member), records.stat(member))


def test_a_member_that_is_written_to_under_its_time_is_told(job):
    options, member = job
    before = member.stat()
    with pytest.raises(DataFault, match="was changed"), recorded(options, "a", [(member, "science")]):
        member.write_text("A RAMP")
        os.utime(member, ns=(before.st_atime_ns, before.st_mtime_ns))
