"""The recipe of MIRI imaging."""

import inspect
import re

import pytest

from jwrules import recipes

MIRI = {
    "INSTRUME": "MIRI",
    "EXP_TYPE": "MIR_IMAGE",
    "TSOVISIT": False,
    "DETECTOR": "MIRIMAGE",
    "FILTER": "F770W",
    "SUBARRAY": "FULL",
    "READPATT": "FASTR1",
    "NGROUPS": 40,
}
NOISE = ("charge_migration", "picture_frame", "clean_flicker_noise")
STAGE_1 = [
    *("group_scale", "dq_init", "emicorr", "saturation", "ipc", "firstframe", "lastframe", "reset", "linearity"),
    *("rscd", "dark_current", "refpix", "charge_migration", "jump", "picture_frame", "clean_flicker_noise"),
    *("persistence", "ramp_fit", "gain_scale"),
]


@pytest.fixture(scope="module")
def known():
    return recipes.all()


def resolved(known, stage, **header):
    return {one.step: one for one in recipes.pick(MIRI | header, known).resolve(stage, MIRI | header)}


@pytest.mark.parametrize("subarray", ["FULL", "BRIGHTSKY", "SUB64"])
def test_a_miri_image_has_its_recipe(known, subarray):
    assert recipes.pick(MIRI | {"SUBARRAY": subarray}, known).name == "miri_imaging"


@pytest.mark.parametrize("other", [{"TSOVISIT": True}, {"EXP_TYPE": "MIR_LRS-FIXEDSLIT"}, {"INSTRUME": "NIRCAM"}])
def test_other_exposures_are_not_for_it(known, other):
    assert not known["miri_imaging"].applies(MIRI | other)


def test_stage_1_has_the_order_of_the_official_pipeline(known):
    official = pytest.importorskip("jwst.pipeline").Detector1Pipeline
    mid_infrared = inspect.getsource(official.process).split("MIRI", 1)[1]
    mid_infrared = re.sub(r"(?s)else:.*?(?=# apply the charge)", "", mid_infrared, count=1)
    applied = re.findall(r"self\.(\w+)\.run\(", mid_infrared)
    left_out = {"err_init", "bad_ramp"}
    assert [name for name in resolved(known, "detector1") if name not in left_out] == STAGE_1
    assert [step for step in dict.fromkeys(applied) if step in STAGE_1] == STAGE_1


def test_what_operations_skip_is_skipped(known):
    skipped = [name for name, one in resolved(known, "detector1").items() if one.skip]
    assert skipped == ["ipc", "firstframe", "err_init", "refpix", *NOISE, "persistence", "bad_ramp"]


def test_showers_are_looked_for_and_snowballs_are_not(known):
    assert resolved(known, "detector1")["jump"].changed == {"find_showers": True, "statistic": "mean"}


@pytest.mark.parametrize(("name", "width"), [("F560W", 1.882), ("F770W", 2.445), ("F2550WR", 7.3)])
def test_stars_are_looked_for_with_the_width_that_they_have_in_the_filter(known, name, width):
    steps = resolved(known, "image3", FILTER=name)
    assert steps["tweakreg"].params["kernel_fwhm"].value == width
    assert steps["source_catalog"].params["kernel_fwhm"].value == width
