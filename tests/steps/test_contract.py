"""What every step keeps to, whoever wrote it."""

import inspect
import json
import re
from collections import Counter
from dataclasses import is_dataclass
from types import UnionType
from typing import get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from reading import reads

from jwrules import house
from jwrules.products.kinds import Product, Reference, Slopes, Sources
from jwrules.steps import registry
from jwrules.steps.declare import parameters
from jwrules.steps.schema import STAGES, card, kind_name, main, recipe_schema, type_schema

STEPS = registry()
SCHEMA = recipe_schema(STEPS)
PARAMETERS = [(step, name) for step in STEPS.values() for name in parameters(step.params)]

READ = {name: reads(step) for name, step in STEPS.items()}

every_step = pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
every_parameter = pytest.mark.parametrize(
    ("step", "name"), PARAMETERS, ids=[f"{step.name}.{name}" for step, name in PARAMETERS]
)


@every_step
def test_the_file_the_function_and_the_step_have_one_name(step):
    assert inspect.getmodule(step.function).__name__ == f"jwrules.steps.{step.name}"
    assert step.function.__name__ == step.name


@every_step
def test_the_summary_is_one_line_that_says_something(step):
    assert re.fullmatch(r"[A-Z][^\n]{15,110}[^.\s]", step.summary)


@every_step
def test_the_page_says_where_the_method_comes_from(step):
    assert "Source: " in step.doc


@every_step
def test_the_parameters_are_frozen_and_only_named(step):
    assert is_dataclass(step.params)
    assert step.params.__dataclass_params__.frozen
    assert all(declared.kw_only for declared in parameters(step.params).values())


@every_parameter
def test_a_parameter_has_a_meaning(step, name):
    meaning = parameters(step.params)[name].metadata.get("meaning", "")
    assert re.fullmatch(r"\S[^\n]{5,}", meaning), f"{step.name}.{name} does not say what it is for"


@every_parameter
def test_a_parameter_is_used(step, name):
    assert name in READ[step.name], f"{step.name} declares {name} and never reads it"


@every_parameter
def test_the_default_of_a_parameter_passes_its_own_schema(step, name):
    own = SCHEMA["$defs"][step.name]["properties"][name]
    default = getattr(step.params(), name)
    Draft202012Validator(own).validate(list(default) if isinstance(default, tuple) else default)
    assert "default" in own


@every_parameter
def test_a_number_with_a_fraction_has_a_default_with_one(step, name):
    wanted = SCHEMA["$defs"][step.name]["properties"][name].get("type", [])
    default = getattr(step.params(), name)
    if "number" in wanted and "integer" not in wanted:
        assert not (isinstance(default, int) and not isinstance(default, bool))


@every_step
def test_the_parameters_do_not_take_the_names_that_every_entry_of_a_recipe_has(step):
    assert not parameters(step.params).keys() & {"skip", "when", "cases", "if_impossible", "after", "before"}


def test_the_status_keywords_are_distinct():
    keywords = Counter(step.status for step in STEPS.values())
    assert [keyword for keyword, number in keywords.items() if number > 1] == []
    assert all(re.fullmatch(r"S_[A-Z0-9]{1,6}", keyword) for keyword in keywords)


@every_step
def test_a_reference_file_is_asked_for_by_its_type(step):
    for wanted in step.references():
        assert issubclass(wanted.kind, Reference)
        assert wanted.kind.reftype == wanted.name


@every_step
def test_a_step_takes_and_gives_products(step):
    for hint in (step.takes, step.gives):
        for kind in get_args(hint) if isinstance(hint, UnionType) else (hint,):
            inner = kind.__args__[0] if kind_name(kind).endswith("s") and hasattr(kind, "__args__") else kind
            assert issubclass(inner, Product | Slopes | Sources)


@every_step
def test_the_page_of_the_step_is_written(step):
    page = house.root() / f"docs/steps/{step.name}.md"
    assert f"# {step.name}\n" in page.read_text(encoding="utf-8")


def test_the_generated_files_are_fresh(capsys):
    status = main(["--check"])
    assert status == 0, capsys.readouterr().out


def test_every_step_stands_in_a_chain_of_the_schema():
    entry = SCHEMA["$defs"]["entry"]
    assert entry["then"]["enum"] == list(STEPS) == list(entry["else"]["properties"])


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]["stages"]["properties"]) == list(STAGES)


@every_step
def test_the_card_knows_every_input(step):
    known = card(step)
    assert [*known["references"], *known["roles"]] == [one.name for one in (*step.references(), *step.roles())]


@every_step
def test_what_a_reference_file_is_wanted_for_can_be_told_by_parameters_and_keywords(step):
    keywords = Draft202012Validator(json.loads((house.root() / "schemas/conditions.schema.json").read_text()))
    for wanted in (one for one in step.inputs if one.cases):
        assert not wanted.required
        for case in wanted.cases:
            names = [name for name in case if name.islower()]
            assert keywords.is_valid({k: v for k, v in case.items() if k not in names} or {"EXP_TYPE": "NRC_IMAGE"})
            for name in names:
                Draft202012Validator(SCHEMA["$defs"][step.name]["properties"][name]).validate(case[name])


@every_parameter
def test_the_type_of_a_parameter_can_be_written_in_a_recipe(step, name):
    assert type_schema(get_type_hints(step.params)[name])
