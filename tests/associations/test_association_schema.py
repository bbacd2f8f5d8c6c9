"""The schema of `associations:` allows the rules that there are, and says what is wrong with others."""

import json

import pytest
from association_scene import IMAGING
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from jwrules import house, recipes


@pytest.fixture(scope="module")
def validator():
    folder = house.root() / "schemas"
    schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    registry = Registry().with_resources((name, Resource.from_contents(text)) for name, text in schemas.items())
    return Draft202012Validator(schemas["associations.schema.json"], registry=registry)


def test_the_rules_for_imaging_are_allowed(validator):
    validator.validate({**IMAGING, "image3": {**IMAGING["image3"], "when": {"FILTER": "F090W"}}})


def test_the_rules_of_every_recipe_are_allowed(validator):
    for recipe in recipes.all().values():
        validator.validate(recipe.associations)


@pytest.mark.parametrize(
    "change",
    [
        {"one_for_each": "exposures"},
        {"one_for_each": ["Target"]},
        {"members": {"background": {"file": "rate", "differ": {"nod": 0}}}},
        {"members": {"science": "rate", "sience": "rate"}},
        {"members": {"science": {"suffix": "rate"}}},
        {"members": {"science": {"file": "rate", "played_by": ["sience"]}}},
        {"type": "image4"},
        {"candidates": []},
        {"when": {"FILTRE": "F090W"}},
        {"unless": {}},
        {"product": "{target} {INSTRUME}"},
        {"members": {"science": [{"file": "rate", "with": "all"}]}},
    ],
)
def test_a_misspelt_rule_is_refused(validator, change):
    assert validator.is_valid({"image3": IMAGING["image3"] | {"when": {"FILTER": "F090W"}}})
    assert not validator.is_valid({"image3": IMAGING["image3"] | {"when": {"FILTER": "F090W"}} | change})
