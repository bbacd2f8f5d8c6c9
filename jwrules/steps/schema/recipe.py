"""The JSON Schema of recipes: every step with its parameters, and what every entry of a chain may say besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from typing import Any

from jwrules.steps.declare import Step
from jwrules.steps.schema.cards import LIMITS, declared_parameters, listed, type_schema

STAGES = {
    "detector1": "Ramps to count rates",
    "dark": "Ramps of dark exposures to corrected ramps",
    "guider": "Guide-star exposures to calibrated images",
    "image2": "Count rates to calibrated images",
    "image3": "Calibrated images to mosaics and catalogues",
}


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
    own = {name: _parameter_schema(step, declared, hint) for name, declared, hint in declared_parameters(step)}
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


def _parameter_schema(step: Step, declared: Field[Any], hint: Any) -> dict[str, Any]:
    schema = type_schema(hint)
    about = declared.metadata
    if choices := list(about.get("choices", ())):
        optional = "null" in listed(schema.get("type")) and None not in choices
        schema = {"enum": [*choices, None] if optional else choices}
    limits = {word: about[name] for name, word in LIMITS.items() if name in about}
    if "array" in listed(schema.get("type")):
        schema = _limit_items(schema, limits)
    else:
        schema |= limits
    unit = f" ({about['unit']})" if about.get("unit") else ""
    words = {"title": f"value of {step.name}.{declared.name}", "description": about.get("meaning", "") + unit}
    schema |= {"format": "path"} if about.get("file") else {}
    return words | schema | ({} if declared.default is MISSING else {"default": declared.default})


def _limit_items(schema: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    if "items" in schema:
        return schema | {"items": schema["items"] | limits}
    return schema | {"prefixItems": [item | limits for item in schema["prefixItems"]]}
