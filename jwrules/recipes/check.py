"""What the JSON Schema of recipes says against a file or a value, in words, with the nearest right name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from jwrules.recipes.cards import Cards, nearest
from jwrules.recipes.source import Fault, Source

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "nothing",
}


def check(source: Source, cards: Cards) -> list[Fault]:
    """Return every fault of a recipe file, in the order of its lines."""
    errors = cards.validator().iter_errors(_plain(source.value))
    faults = [Fault(source.file, *_said(error)) for error in _leaves(errors)]
    return [*source.faults, *sorted(faults, key=lambda fault: source.lines.get(fault.place, 0))]


def check_value(value: Any, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with the value of one parameter, or nothing."""
    errors = Draft202012Validator(schema).iter_errors(value)
    return "; ".join(_said(error)[1] for error in _leaves(errors))


def _plain(value: Any) -> Any:
    """Conditions without their ! signs, so that '!FUL' is checked as 'FUL' is."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _positive(one) if key in ("for", "when") else _plain(one) for key, one in value.items()}


def _positive(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _positive(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_positive(one) for one in value]
    return value.removeprefix("!") if isinstance(value, str) else value


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Of alternatives that all fail, those of the alternative that came furthest."""
    for error in errors:
        if error.context:
            furthest = max(len(one.absolute_path) for one in error.context)
            yield from _leaves(one for one in error.context if len(one.absolute_path) == furthest)
        else:
            yield error


@dataclass(frozen=True)
class _Broken:
    """A rule of the schema that a value breaks: what the rule wants, and the schema that it stands in."""

    value: Any
    wanted: Any
    schema: Mapping[str, Any]


def _said(error: ValidationError) -> tuple[tuple[str | int, ...], str]:
    broken = _Broken(error.instance, error.validator_value, dict(error.schema))  # type: ignore[arg-type]
    say = _WORDS.get(str(error.validator))
    return tuple(error.absolute_path), say(broken) if say else str(error.message)


def _unknown_key(broken: _Broken) -> str:
    known = broken.schema.get("properties", {})
    thing = broken.schema.get("title", "key here")
    return "; ".join(f"'{key}' is no {thing}{nearest(key, known)}" for key in broken.value if key not in known)


def _not_listed(broken: _Broken) -> str:
    thing, hint = broken.schema.get("title", ""), nearest(broken.value, broken.wanted)
    if thing and not thing.startswith("value of"):
        return f"{_quoted(broken.value)} is no {thing}{hint}"
    return f"{_quoted(broken.value)} is none of {', '.join(map(_quoted, broken.wanted))}{hint}"


def _wrong_type(broken: _Broken) -> str:
    wanted = [broken.wanted] if isinstance(broken.wanted, str) else broken.wanted
    return f"{_quoted(broken.value)} is not {' or '.join(_TYPES[one] for one in wanted)}"


def _missing(broken: _Broken) -> str:
    absent = [repr(key) for key in broken.wanted if key not in broken.value]
    return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} missing"


def _beyond(words: str) -> Callable[[_Broken], str]:
    return lambda broken: f"{_quoted(broken.value)} {words} {broken.wanted:g}"


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:56]}..."


_WORDS: Mapping[str, Callable[[_Broken], str]] = {
    "additionalProperties": _unknown_key,
    "enum": _not_listed,
    "type": _wrong_type,
    "required": _missing,
    "minimum": _beyond("is below"),
    "exclusiveMinimum": _beyond("is not above"),
    "maximum": _beyond("is above"),
    "minItems": lambda broken: f"{len(broken.value)} values stand here, {broken.wanted} are wanted",
    "maxItems": lambda broken: f"{len(broken.value)} values stand here, {broken.wanted} are wanted",
    "minProperties": lambda _: "nothing stands here",
    "maxProperties": lambda broken: f"an entry names one step, this one {len(broken.value)}",
    "pattern": lambda broken: f"{_quoted(broken.value)} is not written as expected",
}
