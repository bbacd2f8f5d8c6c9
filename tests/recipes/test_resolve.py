"""The values of a chain for one exposure: precedence, origin, and the text that the command line takes."""

import json

import pytest
from recipe_scene import CARDS, F200W, F444W, HEADER, origins, recipe, values, written

from jwrules import recipes
from jwrules.errors import RecipeFault

CHAIN = """
- dark_current
- jump:
    threshold: 5
    cases:
      - {when: {FILTER: F444W}, threshold: 6}
      - {when: {FILTER: F444W, NGROUPS: '<5'}, threshold: 7}
- ramp_fit
"""


def pars(**given):
    return recipes.settings({"jump": given}, "pars x.asdf", strict=False, known=CARDS)


def run_file(**given):
    return recipes.settings({"jump": given}, "run.yaml", known=CARDS)


def test_what_nobody_says_is_the_declared_default(tmp_path):
    found = recipe(tmp_path, "- jump\n- ramp_fit").resolve("detector1", F200W)
    assert values(found) == {
        "threshold": 4.0,
        "neighbours": True,
        "groups": None,
        "method": "two-point",
        "area": [1.0, 5.0],
        "comment": None,
    }
    assert set(origins(found).values()) == {"default"}


def test_parameter_files_override_defaults_and_the_recipe_overrides_them(tmp_path):
    found = recipe(tmp_path, CHAIN).resolve("detector1", F200W, pars=pars(threshold=9.0, groups=3))
    assert (values(found)["threshold"], origins(found)["threshold"]) == (5.0, f"{tmp_path}/some.yaml:7")
    assert (values(found)["groups"], origins(found)["groups"]) == (3, "pars x.asdf")


def test_the_run_file_overrides_the_recipe_and_set_overrides_the_run_file(tmp_path):
    made = recipe(tmp_path, CHAIN)
    found = made.resolve("detector1", F200W, overrides=run_file(threshold=8.0, groups=1))
    assert (values(found)["threshold"], origins(found)["threshold"]) == (8.0, "run.yaml")
    typed = recipes.parse_set(["jump.threshold=3"], CARDS)
    found = made.resolve("detector1", F200W, overrides=[*run_file(threshold=8.0, groups=1), *typed])
    assert (values(found)["threshold"], origins(found)["threshold"]) == (3.0, "--set")
    assert values(found)["groups"] == 1


def test_a_case_overrides_and_of_several_the_later(tmp_path):
    made = recipe(tmp_path, CHAIN)
    assert values(made.resolve("detector1", F444W))["threshold"] == 6.0
    assert values(made.resolve("detector1", F444W | {"NGROUPS": 4}))["threshold"] == 7.0
    assert origins(made.resolve("detector1", F444W))["threshold"] == f"{tmp_path}/some.yaml:9"


def test_an_entry_is_only_for_the_exposures_of_its_when(tmp_path):
    made = recipe(tmp_path, "- dark_current: {when: {SUBARRAY: '!FULL'}}\n- ramp_fit")
    assert [one.step for one in made.resolve("detector1", {"SUBARRAY": "FULL"})] == ["ramp_fit"]
    assert [one.step for one in made.resolve("detector1", {"SUBARRAY": "SUB64"})] == ["dark_current", "ramp_fit"]


def test_a_step_may_be_skipped_from_the_command_line(tmp_path):
    found = recipe(tmp_path, CHAIN).resolve(
        "detector1", F200W, overrides=recipes.parse_set(["jump.skip=true", "dark_current.if_impossible=skip"], CARDS)
    )
    assert [one.skip for one in found] == [False, True, False]
    assert found[0].if_impossible == "skip"
    assert found[1].origins["skip"] == "--set"


def test_a_chain_that_skipping_makes_impossible_is_refused(tmp_path):
    made = recipe(tmp_path, CHAIN)
    with pytest.raises(RecipeFault, match="must end in Slopes"):
        made.resolve("detector1", F200W, overrides=recipes.parse_set(["ramp_fit.skip=true"], CARDS))


def test_a_step_says_the_reference_files_and_roles_that_it_needs(tmp_path):
    dark, jump, _ = recipe(tmp_path, CHAIN).resolve("detector1", F200W)
    assert dark.references == {"dark": True}
    assert jump.references == {"gain": False}
    (background, _) = recipe(tmp_path, "- background\n- assign_wcs", stage="image2").resolve("image2", F200W)
    assert background.roles == {"background": False}


def test_a_skipped_step_needs_no_reference_file(tmp_path):
    dark, _ = recipe(tmp_path, "- dark_current: {skip: true}\n- ramp_fit").resolve("detector1", F200W)
    assert dark.references == {}


@pytest.mark.parametrize(
    ("method", "header", "needed"),
    [("fit", F200W, True), ("two-point", F200W, False), ("fit", F200W | {"NGROUPS": 4}, False)],
)
def test_a_step_needs_a_reference_file_only_where_parameters_and_keywords_want_it(tmp_path, method, header, needed):
    jump, _ = recipe(tmp_path, f"- jump: {{method: {method}}}\n- ramp_fit").resolve("detector1", header)
    assert jump.references == {"gain": False} | ({"readnoise": False} if needed else {})


def test_what_others_build_on_cannot_be_left_out_where_it_is_impossible(tmp_path):
    over = recipes.parse_set(["ramp_fit.if_impossible=skip"], CARDS)
    with pytest.raises(RecipeFault, match=r"'ramp_fit' cannot be left out, as 'if_impossible: skip' \(--set\) would"):
        recipe(tmp_path, CHAIN).resolve("detector1", F200W, overrides=over)


def test_a_stage_that_the_recipe_lacks_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="recipe some has no stage 'detector2'; did you mean 'detector1'"):
        recipe(tmp_path, CHAIN).resolve("detector2", F200W)


def test_a_value_for_a_step_that_the_recipe_lacks_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="--set: the recipe some has no step 'resample'"):
        recipe(tmp_path, CHAIN).resolve(
            "detector1", F200W, overrides=recipes.parse_set(["resample.pixfrac=0.5"], CARDS)
        )


def test_a_value_may_be_meant_for_one_stage_only(tmp_path):
    text = HEADER + "stages: {image2: [assign_wcs, resample], image3: [tweakreg, resample]}"
    made = recipes.read(written(tmp_path, "x.yaml", text), CARDS)
    over = recipes.parse_set(["image3.resample.pixfrac=0.5"], CARDS)
    assert values(made.resolve("image3", F200W, overrides=over), "resample")["pixfrac"] == 0.5
    assert values(made.resolve("image2", F200W, overrides=over), "resample")["pixfrac"] == 1.0


def test_the_chain_says_only_what_is_not_the_default(tmp_path):
    chain = """
    - dark_current: {if_impossible: skip}
    - jump: {threshold: 5, neighbours: true}
    - ramp_fit
    - gain_scale: {skip: true}
    """
    assert json.loads(recipes.chain_json(recipe(tmp_path, chain).resolve("detector1", F200W))) == [
        {"step": "dark_current", "if_impossible": "skip"},
        {"step": "jump", "params": {"threshold": 5.0}},
        {"step": "ramp_fit"},
        {"step": "gain_scale", "skip": True},
    ]


def test_comments_order_of_keys_and_ways_of_writing_do_not_change_the_chain(tmp_path):
    plain = recipe(tmp_path, "- jump: {threshold: 5, groups: 2, method: fit}\n- ramp_fit")
    other = recipe(
        tmp_path, "# why\n- jump: # this\n    method: 'fit'\n    groups: 2\n    threshold: 5.0\n- ramp_fit: {}"
    )
    assert recipes.chain_json(plain.resolve("detector1", F200W)) == recipes.chain_json(
        other.resolve("detector1", F200W)
    )


def test_the_order_of_parameters_in_the_chain_is_that_of_the_alphabet(tmp_path):
    found = recipe(tmp_path, "- jump: {threshold: 5, groups: 2, area: [2, 3]}\n- ramp_fit")
    text = recipes.chain_json(found.resolve("detector1", F200W))
    assert text == '[{"step":"jump","params":{"area":[2.0,3.0],"groups":2,"threshold":5.0}},{"step":"ramp_fit"}]'


def test_a_date_is_text_as_the_astronomer_means_it(tmp_path):
    found = recipe(tmp_path, "- jump: {comment: 2026-01-01}\n- ramp_fit").resolve("detector1", F200W)
    assert values(found)["comment"] == "2026-01-01"


def test_the_values_of_the_chain_are_those_that_the_step_accepts(tmp_path):
    found = recipe(tmp_path, "- jump: {threshold: 1e-3, area: [2, 3], comment: 'none'}\n- ramp_fit")
    chain = json.loads(recipes.chain_json(found.resolve("detector1", F200W)))
    assert chain[0]["params"] == {"area": [2.0, 3.0], "comment": "none", "threshold": 0.001}
