"""The page of a recipe."""

from recipe_scene import recipe

from jwrules.recipes.pages import files, page

CHAIN = """
- dark_current: {skip: true}
- jump:
    when: {SUBARRAY: '!FULL'}
    threshold: 5
    if_impossible: skip
    cases: [{when: {FILTER: F444W}, threshold: 6}]
- ramp_fit
"""


def test_every_step_has_a_row_with_the_values_that_are_not_the_default(tmp_path):
    rows = page(recipe(tmp_path, CHAIN)).splitlines()
    steps = [row.split(" | ") for row in rows if row.startswith("| [")]
    assert [row[0] for row in steps] == [
        f"| [{name}](../steps/{name}.md)" for name in ("dark_current", "jump", "ramp_fit")
    ]
    assert [row[2] for row in steps] == [
        "skipped |",
        "`threshold: 5.0`, `if_impossible: skip`, only for SUBARRAY !FULL, cases below |",
        " |",
    ]


def test_cases_stand_in_a_table_of_their_own(tmp_path):
    rows = page(recipe(tmp_path, CHAIN)).splitlines()
    assert rows[rows.index("Cases of jump:") + 4] == "| FILTER F444W | `threshold: 6.0` |"


def test_there_is_a_page_for_each_recipe_and_a_table_of_contents(tmp_path):
    made = files(tmp_path, {"some": recipe(tmp_path, "- ramp_fit")})
    assert {path.name for path in made} == {"some.md", "README.md"}
    assert "| [some](some.md) | Some Imaging | EXP_TYPE NRC_IMAGE |" in made[tmp_path / "docs/recipes/README.md"]
