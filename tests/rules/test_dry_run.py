"""The rules run what is due and nothing else: jobs are counted in dry runs over files of headers alone."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from program_scene import RECIPE, exposure, header, program, write_guide_stars, write_header, write_reference

from jwrules.cli import due

pytestmark = pytest.mark.workflow

EVERYTHING = {
    "detector1": 8,
    "image2": 8,
    "association": 2,
    "image3_mosaic": 2,
    "picture_exposure": 8,
    "picture_mosaic_alone": 2,
}
ONE_MOSAIC = {"image3_mosaic": 1, "picture_mosaic_alone": 1}


def counted(asked, folder):
    jobs = due.of(asked, folder).reasons
    return Counter(rule for rule, *_ in jobs if rule != "all")


def test_nothing_changed_nothing_runs(run):
    folder, asked = run
    assert counted(asked, folder) == {}


def test_the_same_reference_files_under_the_next_context_make_nothing_anew(run, monkeypatch):
    folder, asked = run
    monkeypatch.setattr("jwrules.references.chooser.Chooser.name", "jwst_9999.pmap")
    (folder / ".jwrules" / "plan.pickle").unlink()
    assert counted(asked, folder) == {}


def test_everything_is_due_at_first(tmp_path):
    asked = program(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    assert counted(asked, tmp_path) == EVERYTHING


def test_every_product_of_nircam_imaging_is_due_at_first(tmp_path):
    asked = program(tmp_path, recipe=None)
    (tmp_path / ".snakemake").mkdir()
    assert counted(asked, tmp_path) == {
        "detector1": 8,
        "image2": 8,
        "association": 2,
        "image3": 2,
        "crf": 8,
        "picture_exposure": 8,
        "picture_mosaic": 2,
        "picture_segments": 2,
    }


def test_darks_and_guide_stars_have_rules_of_their_own_beside_science(tmp_path):
    asked = program(tmp_path, recipe=None)
    for dither in (7, 8):
        path = asked.data / f"{exposure(dither, 'nrca1')}_uncal.fits"
        write_header(path, header(dither, "nrca1", EXP_TYPE="NRC_DARK"))
    write_guide_stars(asked.data, Path(asked.references))
    (tmp_path / ".snakemake").mkdir()
    found = counted(asked, tmp_path)
    assert {rule: found[rule] for rule in ("detector1", "dark", "guider", "image2")} == {
        "detector1": 8,
        "dark": 2,
        "guider": 3,
        "image2": 8,
    }


def test_a_dark_alone_needs_one_job(tmp_path):
    asked = program(tmp_path, recipe=None)
    for path in asked.data.iterdir():
        path.unlink()
    write_header(asked.data / f"{exposure(7, 'nrca1')}_uncal.fits", header(7, "nrca1", EXP_TYPE="NRC_DARK"))
    (tmp_path / ".snakemake").mkdir()
    assert counted(asked, tmp_path) == {"dark": 1}


def test_a_comment_in_the_recipe_runs_nothing(run):
    folder, asked = run
    asked.recipe.write_text(RECIPE + "# a thought\n")
    assert counted(asked, folder) == {}


def test_an_option_of_image3_runs_image3_alone(run):
    folder, asked = run
    found = counted(replace(asked, sets=("tweakreg.kernel_fwhm=2.1",)), folder)
    assert found == {"image3_mosaic": 2, "picture_mosaic_alone": 2}


def test_an_option_of_detector1_runs_it_and_what_follows(run):
    folder, asked = run
    found = counted(replace(asked, sets=("dq_init.skip=true",)), folder)
    assert found == {rule: count for rule, count in EVERYTHING.items() if rule != "association"}


def test_a_new_dither_runs_its_own_stages_and_its_mosaic(run):
    folder, asked = run
    write_header(asked.data / f"{exposure(5, 'nrca1')}_uncal.fits", header(5, "nrca1"))
    found = counted(asked, folder)
    assert found == {"detector1": 1, "image2": 1, "picture_exposure": 1, "association": 1, **ONE_MOSAIC}


def test_a_touched_reference_runs_nothing(run):
    folder, asked = run
    for path in Path(asked.references).iterdir():
        os.utime(path)
    assert counted(asked, folder) == {}


def test_a_reference_of_another_content_runs_the_exposures_that_use_it(run):
    folder, asked = run
    write_reference(Path(asked.references), "dark", "nrca1", DESCRIP="another")
    found = counted(asked, folder)
    assert found == {"detector1": 4, "image2": 4, "picture_exposure": 4, **ONE_MOSAIC}


def test_references_that_moved_run_nothing(run):
    folder, asked = run
    moved = folder / "elsewhere"
    Path(asked.references).rename(moved)
    assert counted(replace(asked, references=str(moved)), folder) == {}


def test_a_working_directory_that_moved_with_its_data_runs_nothing(run):
    folder, asked = run
    moved = folder.with_name("moved")
    folder.rename(moved)
    here = {"data": moved / "uncal", "references": str(moved / "references"), "recipe": moved / "short.yaml"}
    assert counted(replace(asked, **here), moved) == {}


def test_a_lost_product_is_made_again_with_what_follows(run):
    folder, asked = run
    (folder / "results" / f"{exposure(1, 'nrcalong')}_cal.fits").unlink()
    assert counted(asked, folder) == {"image2": 1, "picture_exposure": 1, **ONE_MOSAIC}


def test_the_reason_says_which_option_changed(run):
    folder, asked = run
    waiting = due.of(replace(asked, sets=("tweakreg.kernel_fwhm=2.1",)), folder)
    said = waiting.reason("image3", "jw00042-o001_t001_nircam_clear-f200w")
    assert said == "tweakreg.kernel_fwhm default -> 2.1"
