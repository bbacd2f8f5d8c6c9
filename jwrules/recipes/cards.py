"""What is known of the steps without importing them: schemas/steps.json and schemas/recipe.schema.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource

from jwrules import house
from jwrules.errors import WorkflowFault, did_you_mean

UNIVERSAL = ("skip", "if_impossible")
"""What every step may be told besides its own parameters, and a setting may change."""

OFFICIAL = {"bkg_subtract": "background"}
"""Names that steps have in the official pipeline -> what they are called here."""


@dataclass(frozen=True)
class Stage:
    """What a stage starts from, and the kinds that its chain may end in."""

    takes: str
    gives: tuple[str, ...]


STAGES = {
    "detector1": Stage("Ramp", ("Slopes",)),
    "dark": Stage("Ramp", ("Ramp",)),
    "guider": Stage("GuiderRaw", ("GuiderCal",)),
    "image2": Stage("Rate", ("Image", "Mosaic")),
    "image3": Stage("Images", ("Images", "Mosaic", "Sources")),
}


@dataclass(frozen=True)
class Cards:
    """Every step by name, and the schema that recipes are checked against."""

    steps: Mapping[str, Mapping[str, Any]]
    schema: Mapping[str, Any]
    fragments: Mapping[str, Any] = field(default_factory=dict)
    checked: dict[Path, tuple[Any, Any]] = field(default_factory=dict, compare=False)
    """What files said when they were checked, and their faults: one that many recipes extend is checked once."""

    def named(self, step: str) -> str:
        """Return what a step is called here: 'bkg_subtract' is 'background'."""
        return step if step in self.steps else OFFICIAL.get(step, step)

    def parameters(self, step: str) -> Mapping[str, Any]:
        """Return the parameters of a step, and what every step may be told, each with its JSON Schema."""
        own = self.schema["$defs"][step]["properties"]
        universal = self.schema["$defs"]["universal"]
        return {name: own[name] for name in self.steps[step]["params"]} | {name: universal[name] for name in UNIVERSAL}

    def files(self, step: str) -> list[str]:
        """Return the parameters of a step that name files."""
        return [name for name, schema in self.parameters(step).items() if schema.get("format") == "path"]

    def validator(self) -> Validator:
        """Return what checks a recipe against the schema."""
        resources = [(name, Resource.from_contents(text)) for name, text in self.fragments.items()]
        return Draft202012Validator(self.schema, registry=Registry().with_resources(resources))


@cache
def cards(folder: Path | None = None) -> Cards:
    """Return the steps that schemas/ knows; raises WorkflowFault where its files are missing."""
    folder = folder or house.root() / "schemas"
    fragments = ("conditions.schema.json", "associations.schema.json")
    return Cards(
        _json(folder / "steps.json"),
        _json(folder / "recipe.schema.json"),
        {name: _json(folder / name) for name in fragments},
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WorkflowFault(f"{path} is missing: `jwrules schema` writes it") from None


def nearest(name: Any, names: Iterable[Any]) -> str:
    """Return '; did you mean ...?' with the nearest of `names`, or nothing where none is near."""
    known = [str(one) for one in names]
    if OFFICIAL.get(str(name)) in known:
        return f"; it is called '{OFFICIAL[str(name)]}' here"
    return did_you_mean(str(name), known)


def normal(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value in the type that its schema declares: 5 is 5.0 where a number with a fraction is meant."""
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if isinstance(value, list | tuple):
        inner = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        return [normal(one, its) for one, its in zip(value, inner, strict=False)]
    if isinstance(value, int) and not isinstance(value, bool) and "number" in types and "integer" not in types:
        return float(value)
    if isinstance(value, float) and value.is_integer() and "integer" in types and "number" not in types:
        return int(value)
    return value
