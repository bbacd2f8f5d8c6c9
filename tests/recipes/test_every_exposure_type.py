"""Every type of exposure that JWST has is taken by one recipe, with the chain of its branch of stage 1."""

import json
from dataclasses import dataclass

import pytest

from jwrules import headers, house, recipes
from jwrules.errors import RecipeFault

INSTRUMENTS = {"FGS": "FGS", "MIR": "MIRI", "NIS": "NIRISS", "NRC": "NIRCAM", "NRS": "NIRSPEC"}

TAKEN_BY = {
    "nircam_imaging": "NRC_IMAGE",
    "nircam_coronagraphy": "NRC_CORON",
    "nircam_wfss": "NRC_WFSS",
    "nircam_time_series_imaging": "NRC_TSIMAGE",
    "nircam_grism_time_series": "NRC_TSGRISM",
    "nircam_target_acquisition": "NRC_TACQ NRC_TACONFIRM",
    "nircam_wavefront_sensing": "NRC_WFSC",
    "nircam_focus": "NRC_FOCUS",
    "nircam_engineering": "NRC_GRISM",
    "nircam_flat": "NRC_FLAT NRC_LED",
    "nircam_dark": "NRC_DARK",
    "niriss_imaging": "NIS_IMAGE",
    "niriss_wfss": "NIS_WFSS",
    "niriss_ami": "NIS_AMI",
    "niriss_soss": "NIS_SOSS",
    "niriss_target_acquisition": "NIS_TACQ NIS_TACONFIRM",
    "niriss_focus": "NIS_FOCUS",
    "niriss_external_calibration": "NIS_EXTCAL",
    "niriss_flat": "NIS_LAMP",
    "niriss_dark": "NIS_DARK",
    "nirspec_mos": "NRS_MSASPEC",
    "nirspec_fixed_slit": "NRS_FIXEDSLIT",
    "nirspec_ifu": "NRS_IFU",
    "nirspec_bright_object_time_series": "NRS_BRIGHTOBJ",
    "nirspec_imaging": "NRS_IMAGE NRS_VERIFY",
    "nirspec_target_acquisition": "NRS_TACQ NRS_MSATA NRS_WATA NRS_TASLIT NRS_CONFIRM NRS_TACONFIRM",
    "nirspec_focus": "NRS_FOCUS NRS_MIMF",
    "nirspec_lamp": "NRS_LAMP NRS_AUTOWAVE NRS_AUTOFLAT",
    "nirspec_dark": "NRS_DARK",
    "miri_imaging": "MIR_IMAGE",
    "miri_lrs_fixed_slit": "MIR_LRS-FIXEDSLIT",
    "miri_lrs_slitless": "MIR_LRS-SLITLESS",
    "miri_mrs": "MIR_MRS",
    "miri_coronagraphy": "MIR_LYOT MIR_4QPM",
    "miri_wfss": "MIR_WFSS",
    "miri_target_acquisition": "MIR_TACQ MIR_TACONFIRM",
    "miri_coronagraph_calibration": "MIR_CORONCAL",
    "miri_flat": "MIR_FLATIMAGE MIR_FLATIMAGE-EXT MIR_FLATMRS MIR_FLATMRS-EXT",
    "miri_dark": "MIR_DARKIMG MIR_DARKMRS MIR_DARKALL",
    "fgs_imaging": "FGS_IMAGE",
    "fgs_focus": "FGS_FOCUS",
    "fgs_flat": "FGS_INTFLAT FGS_SKYFLAT",
    "fgs_dark": "FGS_DARK",
    "fgs_guide_star": "FGS_ID-IMAGE FGS_ID-STACK FGS_ACQ1 FGS_ACQ2 FGS_TRACK FGS_FINEGUIDE",
}
"""JWST documentation, exposure types and the modules of the pipeline that process them."""

RECIPE_OF = {exp_type: name for name, types in TAKEN_BY.items() for exp_type in types.split()}

SERIES = {
    "MIR_IMAGE": "miri_time_series_imaging",
    "MIR_LRS-FIXEDSLIT": "miri_lrs_fixed_slit",
    "NRC_IMAGE": "nircam_imaging_in_time_series",
}
"""What takes these exposures in the visit of a time series."""


@dataclass(frozen=True)
class Branch:
    """The steps of a stage in the order of the official pipeline, and those that operations leave out."""

    stage: str
    steps: str
    skipped: str = "ipc persistence"


BRANCHES = {
    "near": Branch(
        "detector1",
        "group_scale dq_init saturation ipc superbias refpix linearity dark_current jump persistence ramp_fit "
        "gain_scale",
    ),
    "mid": Branch(
        "detector1",
        "group_scale dq_init emicorr saturation ipc firstframe lastframe reset linearity rscd dark_current refpix jump "
        "persistence ramp_fit gain_scale",
        "ipc firstframe refpix persistence",
    ),
    "near dark": Branch("dark", "group_scale dq_init saturation ipc superbias refpix linearity", "ipc"),
    "mid dark": Branch(
        "dark",
        "group_scale dq_init emicorr saturation ipc firstframe lastframe reset linearity rscd",
        "ipc firstframe",
    ),
    "guider": Branch("guider", "dq_init guider_cds flat_field", ""),
}

ADDED = {"charge_migration", "picture_frame", "clean_flicker_noise", "err_init", "bad_ramp"}
"""Steps whose place in the chain their own tests show."""


@pytest.fixture(scope="module")
def known():
    return recipes.all()


def header(exp_type, **more):
    return {"INSTRUME": INSTRUMENTS[exp_type[:3]], "EXP_TYPE": exp_type, "TSOVISIT": False} | more


def branch(exp_type):
    if RECIPE_OF[exp_type] == "fgs_guide_star":
        return BRANCHES["guider"]
    range_ = "mid" if exp_type.startswith("MIR") else "near"
    return BRANCHES[f"{range_} dark" if "_DARK" in exp_type else range_]


def resolved(known, stage, exposure):
    return recipes.pick(exposure, known).resolve(stage, exposure)


def test_a_stage_of_another_branch_is_refused_with_those_that_there_are(known):
    with pytest.raises(RecipeFault, match="the recipe nircam_dark has no stage 'detector1'; it has dark"):
        known["nircam_dark"].resolve("detector1", header("NRC_DARK"))


def jump(known, exp_type, **more):
    steps = resolved(known, "detector1", header(exp_type, **more))
    return next(one for one in steps if one.step == "jump").changed


def test_every_type_of_exposure_is_known_here():
    schema = json.loads((house.root() / "schemas/conditions.schema.json").read_text(encoding="utf-8"))
    assert sorted(RECIPE_OF) == sorted(schema["$defs"]["exp_type"]["else"]["enum"])


def test_every_recipe_is_named_here(known):
    assert set(known) == {*TAKEN_BY, *SERIES.values()}


@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_exactly_one_recipe_takes_an_exposure(known, exp_type):
    taking = [name for name, recipe in known.items() if recipe.applies(header(exp_type))]
    assert taking == [RECIPE_OF[exp_type]]


@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_in_the_visit_of_a_time_series_there_is_one_too(known, exp_type):
    taking = [name for name, recipe in known.items() if recipe.applies(header(exp_type, TSOVISIT=True))]
    assert taking == [SERIES.get(exp_type, RECIPE_OF[exp_type])]


@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_the_chain_is_that_of_its_branch(known, exp_type):
    wanted = branch(exp_type)
    steps = [one for one in resolved(known, wanted.stage, header(exp_type)) if one.step not in ADDED]
    assert " ".join(one.step for one in steps) == wanted.steps
    assert " ".join(one.step for one in steps if one.skip) == wanted.skipped


@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_only_one_stage_starts_from_the_raw_exposure(known, exp_type):
    stages = set(known[RECIPE_OF[exp_type]].stages)
    assert stages & {"detector1", "dark", "guider"} == {branch(exp_type).stage}


@pytest.mark.parametrize("exp_type", ["MIR_IMAGE", "MIR_LRS-FIXEDSLIT", "MIR_LRS-SLITLESS"])
def test_time_series_of_miri_keep_their_first_and_last_groups(known, exp_type):
    steps = resolved(known, "detector1", header(exp_type, TSOVISIT=True))
    skipped = {one.step for one in steps if one.skip} - ADDED
    assert skipped == {"ipc", "firstframe", "lastframe", "rscd", "refpix", "persistence"}


@pytest.mark.parametrize("exp_type", ["NIS_IMAGE", "NIS_WFSS", "NIS_AMI", "NIS_SOSS", "NRC_TSIMAGE", "NRS_BRIGHTOBJ"])
def test_time_series_keep_the_groups_in_which_charge_spills(known, exp_type):
    steps = resolved(known, "detector1", header(exp_type, TSOVISIT=True))
    assert {"charge_migration", "persistence"} <= {one.step for one in steps if one.skip}


def test_images_of_nircam_in_a_time_series_are_made_as_its_time_series_are(known):
    made = [resolved(known, "detector1", header(one, TSOVISIT=True)) for one in ("NRC_IMAGE", "NRC_TSIMAGE")]
    assert recipes.chain_json(made[0]) == recipes.chain_json(made[1])
    assert list(known["nircam_imaging_in_time_series"].stages) == ["detector1"]


@pytest.mark.parametrize(
    ("exp_type", "passband", "sought"),
    [
        ("MIR_IMAGE", "F1500W", True),
        ("MIR_IMAGE", "F1800W", False),
        ("MIR_MRS", None, True),
        ("MIR_4QPM", "F1140C", False),
        ("MIR_LRS-FIXEDSLIT", "P750L", False),
    ],
)
@pytest.mark.parametrize("series", [False, True])
def test_showers_are_sought_where_operations_do(known, exp_type, passband, sought, series):
    changed = jump(known, exp_type, FILTER=passband, TSOVISIT=series)
    assert changed == {"statistic": "mean"} | ({"find_showers": True} if sought else {})


@pytest.mark.parametrize(
    ("exp_type", "factor"),
    [("NRC_IMAGE", None), ("NRC_CORON", None), ("NIS_IMAGE", 1.75), ("NRS_IFU", 3.0), ("NRS_BRIGHTOBJ", 3.0)],
)
def test_snowballs_are_sought_in_the_near_infrared_and_grow_as_in_operations(known, exp_type, factor):
    assert jump(known, exp_type) == {"expand_large_events": True} | ({"expand_factor": factor} if factor else {})


@pytest.mark.parametrize("exp_type", ["FGS_IMAGE", "NIS_SOSS"])
def test_snowballs_are_not_sought_where_operations_do_not(known, exp_type):
    assert "expand_large_events" not in jump(known, exp_type)


@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_the_reference_files_are_those_of_the_steps_that_run(known, exp_type):
    wanted = {kind for one in resolved(known, branch(exp_type).stage, header(exp_type)) for kind in one.references}
    assert "mask" in wanted
    assert ("dark" in wanted) == (branch(exp_type).stage == "detector1")
    assert "ipc" not in wanted


def test_real_headers_have_recipes(known, shared):
    folder = shared / "data/real_headers_and_products"
    guiding = [headers.read(path) for path in sorted((folder / "fgs_guider").glob("*.fits"))]
    assert {recipes.pick(one, known).name for one in guiding} == {"fgs_guide_star"}
    assert {one["EXP_TYPE"] for one in guiding} == set(TAKEN_BY["fgs_guide_star"].split())
    nircam = headers.read(folder / "jw01075001001_03105_00009_nrca2_uncal.fits")
    assert recipes.pick(nircam, known).name == RECIPE_OF[nircam["EXP_TYPE"]]


@pytest.mark.parametrize("more", [{}, {"TSOVISIT": True}], ids=["", "series"])
@pytest.mark.parametrize("exp_type", RECIPE_OF)
def test_for_one_exposure_the_recipes_that_are_for_it_are_enough(known, exp_type, more):
    exposure = header(exp_type, **more)
    assert recipes.suited(exposure) == {name: one for name, one in known.items() if one.applies(exposure)}


def test_where_none_is_for_an_exposure_all_are_looked_through(known):
    assert recipes.suited({"EXP_TYPE": "NRC_NOVEL"}) == known
