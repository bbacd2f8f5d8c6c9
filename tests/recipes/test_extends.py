"""What an extending recipe keeps, changes, adds, moves and drops."""

import pytest
from recipe_scene import CARDS, F200W, F444W, HEADER, origins, recipe, values, written

from jwrules import recipes
from jwrules.errors import RecipeFault

BASE = """\
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_TACQ}
associations: {image2: {one_for_each: exposure, members: {science: rate}}}
stages:
  detector1:
    - dark_current
    - jump: {threshold: 5, groups: 2, cases: [{when: {FILTER: F444W}, threshold: 6}]}
    - ramp_fit
"""


def child(folder, chain, base=BASE):
    written(folder, "base/b.yaml", base)
    return recipe(folder, chain, head=HEADER + "extends: base/b.yaml\n")


def steps(made, stage="detector1"):
    return [one.step for one in made.stages[stage]]


def test_a_chain_that_is_not_mentioned_is_inherited(tmp_path):
    written(tmp_path, "base/b.yaml", BASE)
    made = recipes.read(written(tmp_path, "c.yaml", HEADER + "extends: base/b.yaml"), CARDS)
    assert steps(made) == ["dark_current", "jump", "ramp_fit"]


def test_a_value_is_changed_where_its_step_stands(tmp_path):
    made = child(tmp_path, "- jump: {groups: 3}")
    assert steps(made) == ["dark_current", "jump", "ramp_fit"]
    assert values(made.resolve("detector1", F200W)) | {"groups": 3, "threshold": 5.0} == values(
        made.resolve("detector1", F200W)
    )


def test_each_value_says_the_file_and_line_it_comes_from(tmp_path):
    found = origins(child(tmp_path, "- jump:\n    groups: 3").resolve("detector1", F200W))
    assert found["threshold"] == f"{tmp_path}/base/b.yaml:6"
    assert found["groups"] == f"{tmp_path}/some.yaml:7"
    assert found["neighbours"] == "default"


def test_a_plain_value_overrides_the_cases_of_the_base(tmp_path):
    made = child(tmp_path, "- jump: {threshold: 7}")
    assert values(made.resolve("detector1", F444W))["threshold"] == 7.0


def test_a_case_is_added_to_those_of_the_base_and_overrides_them(tmp_path):
    made = child(tmp_path, "- jump: {cases: [{when: {NGROUPS: '>=6'}, threshold: 8}]}")
    assert values(made.resolve("detector1", F444W))["threshold"] == 8.0
    assert values(made.resolve("detector1", F444W | {"NGROUPS": 5}))["threshold"] == 6.0


def test_the_when_of_an_entry_is_replaced(tmp_path):
    made = child(tmp_path, "- jump: {when: {FILTER: F444W}}", BASE.replace("threshold: 5", "when: {FILTER: F200W}"))
    assert [one.step for one in made.resolve("detector1", F200W)] == ["dark_current", "ramp_fit"]
    assert [one.step for one in made.resolve("detector1", F444W)] == ["dark_current", "jump", "ramp_fit"]


def test_conditions_are_laid_over_those_of_the_base_key_by_key(tmp_path):
    assert child(tmp_path, "- jump").conditions == {"INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE"}


def test_associations_are_laid_over_those_of_the_base_key_by_key(tmp_path):
    written(tmp_path, "base/b.yaml", BASE)
    more = "associations: {image2: {members: {background: rate}, one_for_each: exposure}}\n"
    text = HEADER + "extends: base/b.yaml\n" + more.replace("{background", "{science: rateints, background")
    made = recipes.read(written(tmp_path, "c.yaml", text), CARDS)
    assert made.associations["image2"]["members"] == {"science": "rateints", "background": "rate"}


def test_a_new_step_comes_after_or_before_the_one_it_names(tmp_path):
    assert steps(child(tmp_path, "- gain_scale: {after: ramp_fit}"))[-1] == "gain_scale"
    base = BASE.replace("    - dark_current\n", "")
    assert steps(child(tmp_path, "- dark_current: {before: jump}", base))[0] == "dark_current"


def test_a_step_of_the_base_is_moved_and_keeps_its_values(tmp_path):
    made = child(tmp_path, "- jump: {before: dark_current}")
    assert steps(made) == ["jump", "dark_current", "ramp_fit"]
    assert values(made.resolve("detector1", F200W))["threshold"] == 5.0


def test_a_new_step_without_a_place_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="'gain_scale' is not in the chain that is extended: say after or before"):
        child(tmp_path, "- gain_scale")


def test_a_place_beside_a_step_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="'rampfit' is not in the chain; did you mean 'ramp_fit'"):
        child(tmp_path, "- gain_scale: {after: rampfit}")


def test_a_place_in_a_recipe_that_extends_nothing_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="'after' and 'before' are for a step that is added"):
        recipe(tmp_path, "- jump\n- ramp_fit: {after: jump}")


def test_a_step_is_left_out_by_skip(tmp_path):
    found = child(tmp_path, "- jump: {skip: true}").resolve("detector1", F200W)
    assert [(one.step, one.skip) for one in found] == [("dark_current", False), ("jump", True), ("ramp_fit", False)]


def test_a_chain_is_replaced_as_a_whole(tmp_path):
    written(tmp_path, "base/b.yaml", BASE)
    text = HEADER + "extends: base/b.yaml\nstages: {detector1: {replace: [jump, ramp_fit]}}"
    made = recipes.read(written(tmp_path, "c.yaml", text), CARDS)
    assert steps(made) == ["jump", "ramp_fit"]
    assert values(made.resolve("detector1", F200W))["threshold"] == 4.0


def test_a_stage_is_dropped_by_an_empty_chain(tmp_path):
    written(tmp_path, "base/b.yaml", BASE + "  image2: [assign_wcs]\n")
    text = HEADER + "extends: base/b.yaml\nstages: {image2: {replace: []}}"
    assert list(recipes.read(written(tmp_path, "c.yaml", text), CARDS).stages) == ["detector1"]


def test_of_several_bases_the_later_overrides(tmp_path):
    written(tmp_path, "a.yaml", BASE)
    written(tmp_path, "b.yaml", "stages: {detector1: [jump: {groups: 9}], image2: [assign_wcs]}")
    made = recipes.read(written(tmp_path, "c.yaml", HEADER + "extends: [a.yaml, b.yaml]"), CARDS)
    assert values(made.resolve("detector1", F200W)) | {"groups": 9, "threshold": 5.0} == values(
        made.resolve("detector1", F200W)
    )
    assert list(made.stages) == ["detector1", "image2"]


def test_a_base_that_is_not_there_is_said_with_the_nearest(tmp_path):
    written(tmp_path, "base/b.yaml", BASE)
    with pytest.raises(RecipeFault, match=r"\$\.extends: there is no recipe 'bas/b.yaml'; did you mean 'base/b.yaml'"):
        recipes.read(written(tmp_path, "c.yaml", HEADER + "extends: bas/b.yaml"), CARDS)


def test_a_recipe_that_extends_itself_is_refused(tmp_path):
    written(tmp_path, "a.yaml", HEADER + "extends: b.yaml")
    written(tmp_path, "b.yaml", "extends: a.yaml")
    with pytest.raises(
        RecipeFault, match=r"a recipe cannot extend itself: .*a\.yaml extends .*b\.yaml extends .*a\.yaml"
    ):
        recipes.read(tmp_path / "a.yaml", CARDS)


def test_a_fault_of_the_base_is_said_under_its_own_name(tmp_path):
    with pytest.raises(RecipeFault, match=r"base/b.yaml \$\.stages\.detector1\[1\]\.jump: 'treshold' is no parameter"):
        child(tmp_path, "- ramp_fit", BASE.replace("threshold: 5", "treshold: 5"))


def test_a_step_named_twice_in_an_extending_file_is_refused(tmp_path):
    with pytest.raises(RecipeFault, match="or this file names it twice"):
        child(tmp_path, "- jump: {when: {FILTER: F200W}}\n- jump: {when: {FILTER: F444W}}")


def test_of_several_entries_of_a_step_that_with_the_same_when_is_changed(tmp_path):
    base = "stages: {detector1: [jump: {when: {FILTER: F200W}}, jump: {when: {FILTER: F444W}}, ramp_fit]}"
    made = child(tmp_path, "- jump: {when: {FILTER: F444W}, threshold: 9}", base)
    assert values(made.resolve("detector1", F444W))["threshold"] == 9.0
    assert values(made.resolve("detector1", F200W))["threshold"] == 4.0
