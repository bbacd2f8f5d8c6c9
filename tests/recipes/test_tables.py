"""Recipes and steps as text."""

from recipe_scene import CARDS, F444W, recipe

from jwrules import recipes

CHAIN = """
- dark_current: {skip: true}
- jump:
    when: {SUBARRAY: '!FULL'}
    threshold: 5
    if_impossible: skip
    cases: [{when: {FILTER: F444W}, threshold: 6}]
- ramp_fit
"""


def rows(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_every_value_is_shown_with_its_origin(tmp_path):
    said = rows(recipes.describe(recipe(tmp_path, CHAIN)))
    file = f"{tmp_path}/some.yaml"
    assert said[:3] == ["some: Some Imaging", "", "for EXP_TYPE NRC_IMAGE"]
    assert f"dark_current skipped {file}:5" in said
    assert f"jump when SUBARRAY !FULL {file}:6" in said
    assert f"threshold 5.0 {file}:8" in said
    assert f"when FILTER F444W 6.0 {file}:10" in said
    assert f"if_impossible skip {file}:9" in said
    assert "neighbours true default" in said


def test_with_a_header_the_values_are_those_of_that_exposure(tmp_path):
    said = rows(recipes.describe(recipe(tmp_path, CHAIN), F444W))
    assert f"threshold 6.0 {tmp_path}/some.yaml:10" in said
    assert not any("when FILTER" in row for row in said)


def test_a_value_from_the_command_line_hides_the_cases(tmp_path):
    over = recipes.parse_set(["jump.threshold=9"], CARDS)
    said = rows(recipes.describe(recipe(tmp_path, CHAIN), overrides=over))
    assert "threshold 9.0 --set" in said
    assert not any("when FILTER" in row for row in said)


def test_a_step_is_shown_with_types_units_limits_and_references():
    said = rows(recipes.describe_step(CARDS.steps["jump"]))
    assert "Ramp -> Ramp, S_JUMP" in said
    assert "threshold float 4.0 sigma ≥ 0 a difference above is a jump" in said
    assert "groups int or None none > 0 groups flagged after a jump" in said
    assert "reference files: gain (optional), readnoise (optional, where method is fit and NGROUPS is >4)" in said


def test_steps_and_recipes_are_listed_one_a_row(tmp_path):
    made = recipe(tmp_path, "- ramp_fit")
    assert rows(recipes.list_recipes({"some": made})) == [
        "recipe template for",
        "some Some Imaging EXP_TYPE NRC_IMAGE",
    ]
    assert len(rows(recipes.list_steps(CARDS))) == 1 + len(CARDS.steps)
