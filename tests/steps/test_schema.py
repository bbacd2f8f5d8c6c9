"""Cards, schema and pages are made from the declarations."""

import json
from typing import Literal

import pytest
from jsonschema import Draft202012Validator
from recipe_scene import CARDS, STEPS

from jwrules.products.kinds import Image, Images, Rate
from jwrules.steps.schema import card, files, kind_name, main, page, type_name, type_schema


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (bool, [True], [1, "true", None]),
        (int, [1, -3], [1.5, True, "1"]),
        (float, [1, 1.5], ["1", None, True]),
        (str, ["", "a"], [1, None]),
        (float | None, [None, 2], ["2"]),
        (Literal["ivm", "exptime"], ["ivm"], ["variance", None]),
        (Literal["ivm"] | None, ["ivm", None], ["none"]),
        (tuple[float, float], [[1, 2.5]], [[1], [1, 2, 3], ["a", 2], 1]),
        (tuple[int, ...], [[], [1, 2]], [[1.5], 1]),
        (tuple[int, int] | None, [[1, 2], None], [[1]]),
        (float | str, [1, "NAN"], [None, True]),
    ],
)
def test_a_type_lets_its_values_pass_and_no_others(hint, good, bad):
    check = Draft202012Validator(type_schema(hint))
    assert all(check.is_valid(value) for value in good)
    assert not any(check.is_valid(value) for value in bad)


@pytest.mark.parametrize("hint", [dict, Literal["a"] | int])
def test_a_type_that_a_recipe_cannot_write_is_refused(hint):
    with pytest.raises(TypeError):
        type_schema(hint)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (float, "float"),
        (int | None, "int or None"),
        (Literal["ivm", "exptime"], "'ivm' or 'exptime'"),
        (tuple[float, float], "list of 2 float"),
        (tuple[str, ...], "list of str"),
    ],
)
def test_a_type_is_said_in_words(hint, words):
    assert type_name(hint) == words


@pytest.mark.parametrize(("kind", "name"), [(Rate, "Rate"), (Images, "Images"), (Rate | Image, "Rate | Image")])
def test_a_kind_has_the_name_of_the_contracts(kind, name):
    assert kind_name(kind) == name


def test_the_card_of_a_step_says_all_about_a_parameter():
    assert card(STEPS["jump"])["params"]["threshold"] == {
        "type": "float",
        "default": 4.0,
        "meaning": "a difference above is a jump",
        "unit": "sigma",
        "limits": {"ge": 0},
        "choices": [],
    }


def test_the_card_says_which_reference_files_and_roles_are_required():
    assert card(STEPS["dark_current"])["references"] == {"dark": True}
    assert card(STEPS["jump"])["references"] == {"gain": False, "readnoise": False}
    assert card(STEPS["background"])["roles"] == {"background": False}


def test_the_card_says_for_which_parameters_a_reference_file_is_wanted():
    assert card(STEPS["jump"])["wants"] == {"readnoise": [{"method": "fit", "NGROUPS": ">4"}]}
    assert card(STEPS["dark_current"])["wants"] == {}


def test_a_limit_on_a_list_is_a_limit_on_each_of_its_values():
    check = Draft202012Validator(CARDS.parameters("jump")["area"])
    assert check.is_valid([0, 1])
    assert not check.is_valid([-1, 1])


def test_a_choice_that_may_be_nothing_may_be_nothing():
    check = Draft202012Validator(CARDS.parameters("resample")["weight"])
    assert check.is_valid("exptime")
    assert check.is_valid(None)
    assert not check.is_valid("variance")


def test_an_entry_of_a_chain_names_one_step_only():
    entry = CARDS.validator().evolve(schema={"$ref": "#/$defs/entry", "$defs": CARDS.schema["$defs"]})
    assert entry.is_valid("jump")
    assert entry.is_valid({"jump": {"threshold": 5}})
    assert entry.is_valid({"jump": None})
    assert not entry.is_valid({"jump": None, "ramp_fit": None})
    assert not entry.is_valid({})


def test_the_page_has_a_row_for_each_parameter_with_its_limits():
    rows = page(card(STEPS["jump"])).splitlines()
    assert "| `threshold` | float | `4.0` | sigma | ≥ 0 | a difference above is a jump |" in rows
    assert "| `gain` | optional |" in rows
    assert "| `readnoise` | optional; opened only where method is fit and NGROUPS is >4 |" in rows


def test_pages_are_made_only_where_there_is_a_folder_for_them(tmp_path):
    assert {path.name for path in files(tmp_path, STEPS)} == {"steps.json", "recipe.schema.json"}
    (tmp_path / "docs/steps").mkdir(parents=True)
    assert tmp_path / "docs/steps/jump.md" in files(tmp_path, STEPS)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A house of two folders, in which the files of the real steps are written."""
    (tmp_path / "docs/steps").mkdir(parents=True)
    monkeypatch.setattr("jwrules.house.root", lambda: tmp_path)
    assert main([]) == 0
    return tmp_path


def test_what_was_just_written_is_fresh(elsewhere, capsys):
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_is_behind_is_shown_and_left_as_it_is(elsewhere, capsys):
    path = elsewhere / "schemas/steps.json"
    path.write_text(path.read_text().replace("S_GRPSCL", "S_GROUPS"))
    assert main(["--check"]) == 1
    said = capsys.readouterr().out
    assert '-  "status": "S_GROUPS",\n+  "status": "S_GRPSCL",' in said
    assert "python -m jwrules.steps.schema" in said
    assert "S_GROUPS" in path.read_text()


def test_the_page_of_a_step_that_is_gone_is_behind_and_then_removed(elsewhere):
    stray = elsewhere / "docs/steps/no_such_step.md"
    stray.write_text("# no_such_step\n")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert not stray.exists()


def test_the_cards_are_plain_json(elsewhere):
    known = json.loads((elsewhere / "schemas/steps.json").read_text())
    assert known["group_scale"]["status"] == "S_GRPSCL"
