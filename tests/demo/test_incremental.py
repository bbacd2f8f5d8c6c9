"""A run makes again what is out of date and nothing else: jobs are counted in real runs."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from astropy.io import fits

from jwrules import house
from jwrules.cli import engine
from tests.demo import small

pytestmark = pytest.mark.workflow

F200W, _, F444W = small.EXPOSURES
NOTHING = {}
AFTER_ONE_IMAGE3 = {"image3": 1, "crf": 1, "picture_mosaic": 1, "picture_segments": 1}
AFTER_ONE_IMAGE2 = {"image2": 1, "picture_exposure": 1} | AFTER_ONE_IMAGE3


@pytest.fixture
def recipe(made):
    """A recipe of one's own, so far the same as that of the house."""
    shutil.copytree(house.root() / "recipes", made.folder / "recipes")
    return made.folder / "recipes" / "nircam_imaging.yaml"


def replaced(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_was_moved_with_its_data_or_touched_or_has_a_comment_more_in_its_recipe_is_up_to_date(made, recipe):
    for path in [*made.references.iterdir(), *made.uncal.iterdir(), *made.products("*_cal.fits")]:
        os.utime(path)
    recipe.write_text("# a thought\n" + recipe.read_text())
    assert made.counted("--recipe", recipe) == NOTHING


def test_a_parameter_of_image3_makes_image3_anew_and_what_follows(made):
    after = {"image3": 2, "crf": 3, "picture_mosaic": 2, "picture_segments": 2}
    assert made.counted("--set", "skymatch.skystat=mean") == after
    assert made.counted("--set", "skymatch.skystat=mean") == NOTHING


def test_a_parameter_that_a_recipe_gives_for_one_filter_makes_that_filter_anew(made, recipe):
    replaced(recipe, "{FILTER: F444W}, kernel_fwhm: 2.30", "{FILTER: F444W}, kernel_fwhm: 2.31")
    assert made.counted("--recipe", recipe) == AFTER_ONE_IMAGE3


def test_a_parameter_of_jump_makes_all_that_follows_anew(made):
    after = {rule: count for rule, count in small.EVERYTHING.items() if rule != "association"}
    assert made.counted("--set", "jump.rejection_threshold=4.5") == after


def test_a_new_dither_makes_its_own_products_and_its_association(made, simulated):
    new = f"{small.ONE_MORE}_uncal.fits"
    small.cut_file(simulated.uncal / new, made.uncal / new)
    due = made.jwrules("plan", *made.asked()).stdout
    assert due.splitlines()[-1] == "to be made: detector1 1, image2 1, image3 1"
    own = {"detector1": 1, "image2": 1, "picture_exposure": 1, "association": 1}
    assert made.counted() == own | AFTER_ONE_IMAGE3 | {"crf": 3}


def test_a_reference_of_another_content_makes_the_exposures_that_use_it_anew(made):
    (path,) = (path for path in made.references.glob("*_dark_*") if fits.getval(path, "DETECTOR") == "NRCALONG")
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data *= 1.01
    assert made.counted() == {"detector1": 1} | AFTER_ONE_IMAGE2


def test_a_large_exposure_that_was_only_touched_makes_nothing_anew(finished):
    path = max(finished.uncal.iterdir(), key=lambda path: path.stat().st_size)
    before = path.stat()
    os.utime(path)
    due = finished.jwrules("plan", *finished.asked()).stdout
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert before.st_size > 5e6
    assert due.splitlines()[-1] == "everything is up to date"


def test_an_exposure_of_another_content_is_made_anew(made):
    with fits.open(made.uncal / f"{F444W}_uncal.fits", mode="update") as hdus:
        hdus["SCI"].data[..., 80, 80] += 1
    assert made.counted() == {"detector1": 1} | AFTER_ONE_IMAGE2


def test_a_deleted_product_is_made_anew_and_nothing_that_follows(made):
    (made.results / f"{F444W}_cal.fits").unlink()
    assert made.counted() == {"image2": 1, "picture_exposure": 1}


def test_what_comes_out_as_it_was_makes_nothing_stale(made):
    assert made.counted("--set", "jump.minimum_sigclip_groups=99") == {"detector1": 3}


def test_a_deleted_flagged_exposure_is_there_at_once(made):
    (made.results / f"{F200W}_o001_crf.fits").unlink()
    assert made.counted() == {"crf": 1}


def test_snakemake_alone_finds_up_to_date_what_shared_a_process_and_sees_another_option(made, small_finished):
    run_file = made.folder / "run.yaml"
    run_file.write_text(run_file.read_text().replace(str(small_finished.folder), str(made.folder)))
    assert list(made.folder.glob("logs/batch/*.log"))
    command = [sys.executable, "-m", "snakemake", *engine.command(made.folder), "--dry-run"]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Nothing to be done" in first.stdout + first.stderr
    replaced(run_file, "steps: {}", "steps: {jump: {rejection_threshold: 4.5}}")
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(r"^detector1 +3$", again.stdout + again.stderr, re.MULTILINE)
