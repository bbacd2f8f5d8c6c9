"""Cards: what the planning column and the command line know of a step; types as people and JSON Schemas read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field
from functools import reduce
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jwrules.steps.declare import Step, parameters

LIMITS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
"""Limits of a parameter, as they are declared and as JSON Schema calls them."""

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", NoneType: "null"}


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
        "wants": {one.name: list(one.cases) for one in step.inputs if one.cases},
        "roles": {one.name: one.required for one in step.roles()},
        "params": {name: _parameter(f, hint) for name, f, hint in declared_parameters(step)},
    }


def kind_name(kind: Any) -> str:
    """Return the name of a kind of product; several of one are its plural, alternatives are joined with |."""
    if get_origin(kind) in (UnionType, Union):
        return " | ".join(map(kind_name, get_args(kind)))
    if get_origin(kind) is tuple:
        return kind_name(get_args(kind)[0]) + "s"
    return str(kind.__name__)


def declared_parameters(step: Step) -> list[tuple[str, Field[Any], Any]]:
    """Return (name, field, type) of every parameter of a step."""
    hints = get_type_hints(step.params)
    return [(name, declared, hints[name]) for name, declared in parameters(step.params).items()]


def _parameter(declared: Field[Any], hint: Any) -> dict[str, Any]:
    about = declared.metadata
    return {
        "type": type_name(hint),
        "default": None if declared.default is MISSING else declared.default,
        "meaning": about.get("meaning", ""),
        "unit": about.get("unit", ""),
        "limits": {name: about[name] for name in LIMITS if name in about},
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
    types = [*listed(one["type"]), *listed(other["type"])]
    return {**one, **other, "type": types}


def _values(schema: Mapping[str, Any]) -> list[Any]:
    if "enum" not in schema and schema != {"type": "null"}:
        raise TypeError(f"choices cannot be mixed with {schema}")
    return list(schema.get("enum", [None]))


def listed(value: Any) -> list[Any]:
    """Return the value where it is a list, else a list of it."""
    return value if isinstance(value, list) else [value]
