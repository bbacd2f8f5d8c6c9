"""The recipes of the house."""

import inspect
import json
import re
import subprocess
import sys

import pytest

from jwrules import house, recipes
from jwrules.recipes import pages
from jwrules.recipes.check import check
from jwrules.recipes.source import load

NIRCAM = {
    "INSTRUME": "NIRCAM",
    "EXP_TYPE": "NRC_IMAGE",
    "TSOVISIT": False,
    "DETECTOR": "NRCA1",
    "CHANNEL": "SHORT",
    "FILTER": "F200W",
    "PUPIL": "CLEAR",
    "SUBARRAY": "FULL",
    "READPATT": "RAPID",
    "NGROUPS": 6,
}
STAGE_1 = [
    *("group_scale", "dq_init", "saturation", "ipc", "superbias", "refpix", "linearity", "dark_current"),
    *("charge_migration", "jump", "picture_frame", "clean_flicker_noise", "persistence", "ramp_fit", "gain_scale"),
]


@pytest.fixture(scope="module")
def known():
    return recipes.all()


def resolved(known, stage, **header):
    return recipes.pick(NIRCAM | header, known).resolve(stage, NIRCAM | header)


def test_a_nircam_image_has_its_recipe(known):
    assert recipes.pick(NIRCAM, known).name == "nircam_imaging"


@pytest.mark.parametrize("other", [{"TSOVISIT": True}, {"EXP_TYPE": "NRC_TSIMAGE"}, {"INSTRUME": "MIRI"}])
def test_other_exposures_are_not_for_it(known, other):
    assert not known["nircam_imaging"].applies(NIRCAM | other)


def test_stage_1_has_the_order_of_the_official_pipeline_and_steps_of_the_documentation(known):
    left_out = {"err_init", "bad_ramp"}
    assert [one.step for one in resolved(known, "detector1") if one.step not in left_out] == STAGE_1


def test_stages_2_and_3_have_the_order_of_the_official_pipeline(known):
    image2 = ["background", "assign_wcs", "flat_field", "photom", "resample"]
    image3 = ["tweakreg", "skymatch", "outlier_detection", "resample", "source_catalog"]
    assert [one.step for one in resolved(known, "image2")] == image2
    assert [one.step for one in resolved(known, "image3")] == image3


def test_the_official_pipeline_applies_them_in_that_order():
    official = pytest.importorskip("jwst.pipeline").Detector1Pipeline
    near_infrared = inspect.getsource(official.process).split("MIRI", 1)[1].split("else:", 1)[1]
    applied = re.findall(r"self\.(\w+)\.run\(", near_infrared)
    assert [step for step in dict.fromkeys(applied) if step in STAGE_1] == STAGE_1


def test_what_operations_skip_is_skipped(known):
    skipped = [one.step for stage in ("detector1", "image2", "image3") for one in resolved(known, stage) if one.skip]
    noise = ["charge_migration", "picture_frame", "clean_flicker_noise"]
    assert skipped == ["ipc", "err_init", *noise, "persistence", "bad_ramp"]


def test_snowballs_are_looked_for_in_nircam_images(known):
    jump = next(one for one in resolved(known, "detector1") if one.step == "jump")
    assert jump.changed == {"expand_large_events": True}
    assert jump.params["expand_large_events"].origin.startswith("recipes/base/near_infrared.yaml:")


@pytest.mark.parametrize(
    ("optics", "width"),
    [
        ({"FILTER": "F070W", "PUPIL": "CLEAR"}, 0.99),
        ({"FILTER": "F200W", "PUPIL": "CLEAR"}, 2.14),
        ({"FILTER": "F444W", "PUPIL": "CLEAR"}, 2.30),
        ({"FILTER": "F444W", "PUPIL": "F470N"}, 2.54),
        ({"FILTER": "F150W2", "PUPIL": "F162M"}, 1.77),
    ],
)
def test_stars_are_looked_for_with_the_width_that_they_have_in_the_filter(known, optics, width):
    steps = {one.step: one for one in resolved(known, "image3", **optics)}
    assert steps["tweakreg"].params["kernel_fwhm"].value == width
    assert steps["source_catalog"].params["kernel_fwhm"].value == width


def test_every_nircam_filter_has_a_width_that_grows_with_wavelength_within_its_channel(known):
    layers = next(one for one in known["nircam_imaging"].stages["image3"] if one.step == "tweakreg").layers
    widths = {next(iter(one.when.values())): one.values["kernel_fwhm"].value for one in layers if one.when}
    assert len(widths) == 29
    for channel in (_of(widths, 0, 240), _of(widths, 240, 500)):
        narrow = [width for name, width in channel if not name.endswith("W2")]
        assert narrow == sorted(narrow)


def _of(widths, low, high):
    ordered = sorted(widths.items(), key=lambda one: int(one[0][1:4]))
    return [one for one in ordered if low < int(one[0][1:4]) < high]


def test_every_chain_is_one_line_of_json_that_names_its_steps(known):
    for recipe in known.values():
        for stage in recipe.stages:
            chain = json.loads(recipes.chain_json(recipe.resolve(stage, NIRCAM)))
            assert [one["step"] for one in chain] == [one.step for one in recipe.stages[stage]]


@pytest.mark.parametrize("path", sorted((house.root() / "recipes").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_file_of_recipes_passes_the_schema_and_points_editors_to_it(path):
    assert check(load(path), recipes.cards()) == []
    pointer = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / pointer).resolve() == house.root() / "schemas/recipe.schema.json"


def test_the_pages_of_the_recipes_are_fresh(capsys):
    status = pages.main(["--check"])
    assert status == 0, capsys.readouterr().out


def test_the_folder_of_recipes_is_that_of_the_house():
    assert recipes.folder() == house.root() / "recipes"


def test_reading_recipes_loads_no_arrays():
    code = "import sys; from jwrules import recipes; recipes.cards(); print({'numpy', 'astropy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
