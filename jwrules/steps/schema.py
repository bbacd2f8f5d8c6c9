"""Write what is generated from the declarations of the steps: their cards, the schema of recipes, a page for each.

`python -m jwrules.steps.schema` writes schemas/steps.json, schemas/recipe.schema.json and docs/steps/; `--check`
prints how far they are behind. The planning column reads steps.json instead of importing the steps. After installing
a package that brings steps of its own, run it once: recipes may then name them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field
from functools import reduce
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jwrules import house
from jwrules.generated import settle, table
from jwrules.steps import registry
from jwrules.steps.declare import Step, parameters

STAGES = {
    "detector1": "Ramps to count rates",
    "image2": "Count rates to calibrated images",
    "image3": "Calibrated images to mosaics and catalogues",
}

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}
_LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}


def card(step: Step) -> dict[str, Any]:
    """Return what the planning column and the command line know of a step."""
    return {
        "name": step.name,
        "status": step.status,
        "summary": step.summary,
        "doc": step.doc,
        "takes": kind_name(step.takes),
        "gives": kind_name(step.gives),
        "references": {one.name: one.required for one in step.references()},
        "roles": {one.name: one.required for one in step.roles()},
        "params": {name: _parameter(f, hint) for name, f, hint in _parameters(step)},
    }


def kind_name(kind: Any) -> str:
    """Return the name of a kind of product; several of one are its plural, alternatives are joined with |."""
    if get_origin(kind) in (UnionType, Union):
        return " | ".join(map(kind_name, get_args(kind)))
    if get_origin(kind) is tuple:
        return kind_name(get_args(kind)[0]) + "s"
    return str(kind.__name__)


def _parameters(step: Step) -> list[tuple[str, Field[Any], Any]]:
    hints = get_type_hints(step.params)
    return [(name, declared, hints[name]) for name, declared in parameters(step.params).items()]


def _parameter(declared: Field[Any], hint: Any) -> dict[str, Any]:
    about = declared.metadata
    return {
        "type": type_name(hint),
        "default": None if declared.default is MISSING else declared.default,
        "meaning": about.get("meaning", ""),
        "unit": about.get("unit", ""),
        "limits": {name: about[name] for name in _LIMITS if name in about},
        "choices": list(about.get("choices", ())),
    }


def type_name(hint: Any) -> str:
    """Return a type as a person reads it: 'float', 'int or None', 'list of 2 float', "'ivm' or 'exptime'"."""
    origin, of = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(map(repr, of))
    if origin in (UnionType, Union):
        return " or ".join(map(type_name, of))
    if origin is tuple:
        number = "" if Ellipsis in of else f"{len(of)} "
        return f"list of {number}{' or '.join(dict.fromkeys(type_name(one) for one in of if one is not Ellipsis))}"
    return "None" if hint is NoneType else str(hint.__name__)


def type_schema(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type: bool, int, float, str, None, Literal, tuple and unions of them.

    Raises TypeError for any other type, which a recipe could not write down.
    """
    origin, of = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(of)}
    if origin in (UnionType, Union):
        return reduce(_either, map(type_schema, of))
    if origin is tuple:
        return _array_schema(of)
    if hint not in _JSON_TYPES:
        raise TypeError(f"a parameter cannot be {hint}: recipes know {', '.join(t.__name__ for t in _JSON_TYPES)}")
    return {"type": _JSON_TYPES[hint]}


def _array_schema(of: tuple[Any, ...]) -> dict[str, Any]:
    if of[-1] is Ellipsis:
        return {"type": "array", "items": type_schema(of[0])}
    items = [type_schema(one) for one in of]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    if "enum" in one or "enum" in other:
        return {"enum": [*_values(one), *_values(other)]}
    types = [*_listed(one["type"]), *_listed(other["type"])]
    return {**one, **other, "type": types}


def _values(schema: Mapping[str, Any]) -> list[Any]:
    if "enum" not in schema and schema != {"type": "null"}:
        raise TypeError(f"choices cannot be mixed with {schema}")
    return list(schema.get("enum", [None]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parameter_schema(step: Step, declared: Field[Any], hint: Any) -> dict[str, Any]:
    schema = type_schema(hint)
    about = declared.metadata
    if choices := list(about.get("choices", ())):
        optional = "null" in _listed(schema.get("type")) and None not in choices
        schema = {"enum": [*choices, None] if optional else choices}
    limits = {word: about[name] for name, word in _LIMITS.items() if name in about}
    if "array" in _listed(schema.get("type")):
        schema = _limit_items(schema, limits)
    else:
        schema |= limits
    unit = f" ({about['unit']})" if about.get("unit") else ""
    words = {"title": f"value of {step.name}.{declared.name}", "description": about.get("meaning", "") + unit}
    return words | schema | ({} if declared.default is MISSING else {"default": declared.default})


def _limit_items(schema: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    if "items" in schema:
        return schema | {"items": schema["items"] | limits}
    return schema | {"prefixItems": [item | limits for item in schema["prefixItems"]]}


def recipe_schema(steps: Mapping[str, Step]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a recipe that may use these steps."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "key of a recipe",
        "description": "A recipe: which exposures it is for, how they belong together, and the steps of each stage.",
        "type": "object",
        "additionalProperties": False,
        "properties": _recipe_keys(),
        "$defs": {"universal": _universal_keys(), "entry": _entry(steps), "chain": _chain(steps)}
        | {name: _step_schema(step) for name, step in steps.items()},
    }


def _recipe_keys() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    stages = {name: {"description": meaning, "$ref": "#/$defs/chain"} for name, meaning in STAGES.items()}
    return {
        "template": {"description": "The observing template, in the words of the documentation.", **text},
        "description": {"description": "What the recipe does and where its values come from.", **text},
        "extends": {
            "description": "Recipe, or list of recipes, that this one starts from; a later one overrides.",
            "if": {"type": "array"},
            "then": {"items": text, "minItems": 1},
            "else": text,
        },
        "for": {"description": "Which exposures the recipe is for.", "$ref": "conditions.schema.json"},
        "associations": {"$ref": "associations.schema.json"},
        "stages": {
            "title": "stage",
            "description": "The steps of each stage, in order.",
            "type": "object",
            "additionalProperties": False,
            "properties": stages,
        },
    }


def _universal_keys() -> dict[str, Any]:
    return {
        "skip": {"description": "Do not apply the step; the product records it as SKIPPED.", "type": "boolean"},
        "if_impossible": {
            "description": "When the step cannot run, or has no reference file: stop the product, or skip the step.",
            "enum": ["stop", "skip"],
        },
        "when": {"description": "The entry is only for such exposures.", "$ref": "conditions.schema.json"},
        "after": {
            "description": "In a recipe that extends another: the step that a new one follows.",
            "type": "string",
        },
        "before": {
            "description": "In a recipe that extends another: the step that a new one precedes.",
            "type": "string",
        },
    }


def _chain(steps: Mapping[str, Step]) -> dict[str, Any]:
    entries = {"type": "array", "items": {"$ref": "#/$defs/entry"}}
    return {
        "description": "Steps in order; or {replace: [...]} in place of what the extended recipe gives.",
        "if": {"type": "array"},
        "then": entries,
        "else": {
            "title": "key of a stage",
            "type": "object",
            "additionalProperties": False,
            "required": ["replace"],
            "properties": {"replace": entries},
        },
    }


def _entry(steps: Mapping[str, Step]) -> dict[str, Any]:
    return {
        "description": "The name of a step, or {step: {parameter: value}}.",
        "if": {"type": "string"},
        "then": {"title": "step", "enum": list(steps)},
        "else": {
            "title": "step",
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {name: {"$ref": f"#/$defs/{name}"} for name in steps},
        },
    }


def _step_schema(step: Step) -> dict[str, Any]:
    own = {name: _parameter_schema(step, declared, hint) for name, declared, hint in _parameters(step)}
    universal = {name: {"$ref": f"#/$defs/universal/{name}"} for name in _universal_keys()}
    varied = {name: universal[name] for name in ("skip", "if_impossible")}
    return {
        "title": f"parameter of {step.name}",
        "description": step.summary,
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": own
        | universal
        | {
            "cases": {
                "description": "Values for some exposures only; where several apply, the later one stands.",
                "type": "array",
                "items": {
                    "title": f"parameter of {step.name}",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["when"],
                    "properties": own | {"when": universal["when"]} | varied,
                },
            }
        },
    }


def page(step: Mapping[str, Any]) -> str:
    """Return the user's page of a step, in Markdown, from its card."""
    doc = step["doc"].split("\n", 1)
    lines = [
        _generated(f"jwrules/steps/{step['name']}.py"),
        f"# {step['name']}",
        "",
        f"{doc[0]}",
        *(doc[1].rstrip().split("\n") if len(doc) > 1 else []),
        "",
        f"Takes `{step['takes']}`, gives `{step['gives']}`; the product records it as `{step['status']}`.",
        *_parameter_section(step),
        *_inputs_section("Reference files", "type", step["references"]),
        *_inputs_section("Other members of the association", "role", step["roles"]),
    ]
    return "\n".join(lines) + "\n"


def _generated(source: str) -> str:
    return f"<!-- Generated from {source} by `python -m jwrules.steps.schema`. -->"


def _parameter_section(step: Mapping[str, Any]) -> list[str]:
    if not step["params"]:
        return ["", "It has no parameters."]
    rows = [
        [
            f"`{name}`",
            about["type"],
            f"`{json.dumps(about['default'])}`",
            about["unit"],
            limits(about),
            about["meaning"],
        ]
        for name, about in step["params"].items()
    ]
    return ["", "## Parameters", "", *table(["name", "type", "default", "unit", "limits", "meaning"], rows)]


def limits(about: Mapping[str, Any]) -> str:
    """Return the limits or choices of a parameter as a person reads them: '≥ 0', '> 0, ≤ 1', 'square, point'."""
    signs = {"ge": "≥", "gt": ">", "le": "≤"}
    bounds = [f"{signs[name]} {value:g}" for name, value in about["limits"].items()]
    return ", ".join([*bounds, *map(str, about["choices"])])


def _inputs_section(title: str, word: str, inputs: Mapping[str, bool]) -> list[str]:
    if not inputs:
        return []
    rows = [[f"`{name}`", "required" if required else "optional"] for name, required in inputs.items()]
    return ["", f"## {title}", "", *table([word, ""], rows)]


def index(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of contents of the steps, in Markdown."""
    rows = [[f"[{name}]({name}.md)", one["summary"], one["takes"], one["gives"]] for name, one in cards.items()]
    lines = [_generated("jwrules/steps/"), "# Steps", "", *table(["step", "what it does", "takes", "gives"], rows)]
    return "\n".join(lines) + "\n"


def files(root: Path, steps: Mapping[str, Step]) -> dict[Path, str]:
    """Return every generated file of the steps, by path below `root`; pages only where there is a folder docs/steps/."""
    cards = {name: card(step) for name, step in steps.items()}
    made = {
        root / "schemas/steps.json": _json(cards),
        root / "schemas/recipe.schema.json": _json(recipe_schema(steps)),
    }
    if (root / "docs/steps").is_dir():
        made |= {root / f"docs/steps/{name}.md": page(one) for name, one in cards.items()}
        made[root / "docs/steps/README.md"] = index(cards)
    return made


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Write the generated files, or with --check print how far they are behind and return 1 where they are."""
    parser = argparse.ArgumentParser(prog="python -m jwrules.steps.schema", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is behind")
    check = parser.parse_args(arguments).check
    root = house.root()
    status = settle(files(root, registry()), [root / "docs/steps"], check)
    if status:
        say("run `python -m jwrules.steps.schema` and commit what it writes")
    return status


if __name__ == "__main__":
    sys.exit(main())
