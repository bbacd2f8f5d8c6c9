"""A plan is remembered while nothing that it was made from changes."""

import os
from dataclasses import replace

import pytest
from crds_scene import CONTEXT, write_cache
from program_scene import RECIPE, exposure, header, planned, program, write_header, write_reference

from jwrules import unchanged
from jwrules.plan import remembered

pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def asked(tmp_path):
    return program(tmp_path)


@pytest.fixture
def made(asked, tmp_path, plan_of):
    """Count how often the plan is made anew."""
    count = []

    def again(now=asked, folder=tmp_path):
        def make():
            count.append(1)
            return plan_of(now)

        remembered.plan(now, folder, tmp_path / ".jwrules", make)
        return len(count)

    again()
    return again


@pytest.fixture
def plan_of(tmp_path):
    return lambda asked: planned(tmp_path / "other", asked)


def test_the_second_time_it_is_remembered(made):
    assert made() == 1


def test_a_plan_of_files_that_changed_a_moment_ago_is_not_remembered(made, asked, monkeypatch):
    asked.recipe.write_text(RECIPE + "# more")
    for name in ("SETTLED", "FINE"):
        monkeypatch.setattr(unchanged, name, 10**12)
    assert (made(), made()) == (2, 3)


def test_a_new_exposure_is_noticed(made, asked):
    write_header(asked.data / f"{exposure(5, 'nrca1')}_uncal.fits", header(5, "nrca1"))
    assert made() == 2


def test_an_edited_recipe_is_noticed(made, asked):
    asked.recipe.write_text(RECIPE + "# more")
    assert made() == 2


def test_a_recipe_that_is_extended_is_noticed_wherever_it_lies(asked, tmp_path):
    base = tmp_path / "shared" / "base.yaml"
    base.parent.mkdir()
    (tmp_path / "mine").mkdir()
    asked = replace(asked, recipe=tmp_path / "mine" / "short.yaml")
    asked.recipe.write_text("extends: ../shared/base.yaml\ntemplate: NIRCam Imaging\n")
    chains = []
    for text in (RECIPE, RECIPE.replace("dark_current, ", "")):
        base.write_text(text)
        chains.append(planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).runs)
    assert chains[0] != chains[1]


def test_another_option_is_noticed(made, asked):
    assert made(replace(asked, sets=("resample.pixfrac=0.5",))) == 2


def test_a_touched_reference_is_looked_at_again(made, tmp_path):
    os.utime(tmp_path / "references" / "jwst_nircam_dark_nrca1.fits", ns=(1, 1))
    assert made() == 2


@pytest.mark.parametrize("file", ["uncal/jw00042001001_02101_00001_nrca1_uncal.fits", "short.yaml"])
def test_a_change_that_keeps_size_and_time_is_noticed(made, tmp_path, file):
    was, now = (b"TARGPROP", b"TARGPRUP") if file.endswith(".fits") else (b"Imaging", b"Imagine")
    path = tmp_path / file
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(was, now))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert made() == 2


def test_a_new_reference_is_noticed(made, tmp_path):
    write_reference(tmp_path / "references" / "more", "dark", "nrca1", USEAFTER="2023-01-01T00:00:00")
    assert made() == 2


@pytest.mark.parametrize("named", ["stars.ecsv", "FOLDER/stars.ecsv"])
def test_a_file_that_an_option_names_is_noticed_when_it_comes_and_when_it_changes(asked, tmp_path, named):
    asked = replace(asked, steps={"tweakreg": {"abs_refcat": named.replace("FOLDER", str(tmp_path))}})
    chains = []
    for content in ("", "stars", "other stars"):
        if content:
            (tmp_path / "stars.ecsv").write_text(content)
        [job, _] = planned(tmp_path, asked).jobs["image3"].values()
        chains.append(job.steps)
    assert len(set(chains)) == 3


def test_a_damaged_memory_is_made_anew(made, tmp_path):
    (tmp_path / ".jwrules" / remembered.FILE).write_bytes(b"half")
    assert made() == 2
    assert made() == 2


def test_a_folder_that_cannot_be_written_is_done_without(asked, tmp_path, plan_of):
    (tmp_path / "file").touch()
    plan = remembered.plan(asked, tmp_path, tmp_path / "file" / "cache", lambda: plan_of(asked))
    assert plan.all()


CHAIN = """\
template: NIRCam Imaging
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}
stages:
  detector1: [dq_init, ramp_fit, gain_scale]
"""


def test_a_reference_that_was_missing_from_a_cache_is_noticed_when_it_is_back(tmp_path, at):
    files = {
        kind: {"NRCA1": f"jwst_nircam_{kind}_0001.fits", "NRCALONG": f"jwst_nircam_{kind}_0002.fits"}
        for kind in ("mask", "readnoise", "gain")
    }
    file = at(write_cache(tmp_path / "cache", files)) / "references/jwst/nircam/jwst_nircam_gain_0001.fits"
    asked = replace(program(tmp_path, CHAIN), references=f"crds:{CONTEXT}", partial=True)
    content = file.read_bytes()
    file.unlink()
    # The library changes the environment when it is loaded: the second plan is remembered.
    assert [len(planned(tmp_path, asked).faults) for _ in range(2)] == [1, 1]
    file.write_bytes(content)
    assert planned(tmp_path, asked).faults == {}
