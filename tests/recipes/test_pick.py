"""Which recipe is for an exposure, and the folder of recipes."""

import pytest
from recipe_scene import CARDS, F200W, written

from jwrules import recipes
from jwrules.errors import RecipeFault

STAGES = "\nstages: {detector1: [jump, ramp_fit]}"


def made(folder, **conditions):
    for name, wanted in conditions.items():
        written(folder, f"{name}.yaml", f"template: Some\nfor: {wanted}{STAGES}")
    return recipes.all(folder, CARDS)


def test_the_recipe_whose_conditions_hold_is_picked(tmp_path):
    known = made(tmp_path, imaging="{EXP_TYPE: NRC_IMAGE}", grism="{EXP_TYPE: NRC_WFSS}")
    assert recipes.pick(F200W, known).name == "imaging"


def test_of_several_the_most_specific_is_picked(tmp_path):
    known = made(tmp_path, any="{EXP_TYPE: NRC_IMAGE}", short="{EXP_TYPE: NRC_IMAGE, FILTER: F200W}")
    assert recipes.pick(F200W, known).name == "short"
    assert recipes.pick(F200W | {"FILTER": "F444W"}, known).name == "any"


def test_a_tie_is_refused_with_what_each_claims(tmp_path):
    known = made(tmp_path, one="{EXP_TYPE: NRC_IMAGE}", two="{FILTER: F200W}")
    with pytest.raises(
        RecipeFault, match=r"2 recipes are equally for .*: one \(EXP_TYPE NRC_IMAGE\); two \(FILTER F200W\)"
    ):
        recipes.pick(F200W, known)


def test_where_none_is_for_it_the_nearest_says_what_it_wants(tmp_path):
    known = made(
        tmp_path, imaging="{INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}", miri="{INSTRUME: MIRI, EXP_TYPE: MIR_IMAGE}"
    )
    with pytest.raises(RecipeFault) as caught:
        recipes.pick({"INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_GRISM"}, known)
    assert str(caught.value) == (
        "no recipe is for the exposure with INSTRUME NIRCAM, EXP_TYPE NRC_GRISM; "
        "nearest is imaging: EXP_TYPE is NRC_GRISM, wanted NRC_IMAGE"
    )


def test_without_recipes_nothing_is_picked():
    with pytest.raises(RecipeFault, match="there are no recipes"):
        recipes.pick(F200W, {})


def test_what_recipes_share_is_no_recipe(tmp_path):
    written(tmp_path, "base/shared.yaml", "stages: {detector1: [ramp_fit]}")
    assert list(made(tmp_path, one="{EXP_TYPE: NRC_IMAGE}")) == ["one"]


def test_the_faults_of_all_recipes_are_said_at_once(tmp_path):
    with pytest.raises(RecipeFault) as caught:
        made(tmp_path, one="{EXPTYPE: NRC_IMAGE}", two="{FILTRE: F200W}")
    assert len(str(caught.value).splitlines()) == 2


def test_a_recipe_is_found_by_its_name_or_its_path(tmp_path):
    path = written(tmp_path, "mine.yaml", f"template: Mine\nfor: {{FILTER: F200W}}{STAGES}")
    assert recipes.named(str(path), CARDS).template == "Mine"
    with pytest.raises(RecipeFault, match="there is no recipe 'nircam_imagin'; did you mean 'nircam_imaging'"):
        recipes.named("nircam_imagin")
