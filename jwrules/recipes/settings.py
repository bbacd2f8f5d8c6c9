"""Values that come from outside a recipe: `--set`, the run file, CRDS parameter files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from jwrules.errors import RecipeFault
from jwrules.recipes.cards import STAGES, Cards, cards, nearest, normal
from jwrules.recipes.check import check_value
from jwrules.recipes.source import value_of

log = logging.getLogger("jwrules")

NOT_OURS = {
    *("pre_hooks", "post_hooks", "input_dir", "output_dir", "output_file", "output_ext", "output_use_model"),
    *("output_use_index", "search_output_file", "save_results", "suffix", "maximum_cores", "in_memory"),
}
"""Parameters of every step of the official pipeline that say where files go and how it computes, not what."""

_FILES = {"user_supplied_reffile": "emicorr"}
_WAYS = {
    "maximum_cores": "; --threads N says how many processors a stage uses",
    "save_results": "; --save STEP writes what a step of detector1 gives",
    "int_name": "; _rateints is named as its exposure is",
}


@dataclass(frozen=True)
class Setting:
    """A value for one parameter of a step; `stage` is empty where it is meant for every stage with that step."""

    step: str
    parameter: str
    value: Any
    origin: str
    stage: str = ""


def parse_set(texts: Iterable[str], known: Cards | None = None) -> tuple[Setting, ...]:
    """Return the settings of `--set [stage.]step.parameter=value`, each value in the type that its step declares.

    Raises RecipeFault that says every fault, with the nearest right name.
    """
    known = known or cards()
    made: list[Setting] = []
    faults: list[str] = []
    for text in texts:
        try:
            made.append(_parsed(text, known))
        except RecipeFault as fault:
            faults.append(f"--set {text}: {fault}")
    if faults:
        raise RecipeFault("\n".join(faults))
    return tuple(made)


def settings(
    values: Mapping[str, Mapping[str, Any]], origin: str, *, strict: bool = True, known: Cards | None = None
) -> tuple[Setting, ...]:
    """Return the settings of {step: {parameter: value}}, as a run file or a CRDS parameter file gives them.

    A key may say the stage, 'image3.resample'. Raises RecipeFault that says every fault; where not `strict`, a step
    or parameter that does not exist here, or a value that is not allowed, is left out with a warning.
    """
    known = known or cards()
    made: list[Setting] = []
    faults: list[str] = []
    for key, given in values.items():
        for parameter, value in _parameters(given, strict).items():
            try:
                made.append(_setting([*str(key).split("."), parameter], value, origin, known))
            except RecipeFault as fault:
                faults.append(f"{origin} {key}.{parameter}: {fault}")
    if faults and strict:
        raise RecipeFault("\n".join(faults))
    for text in faults:
        _warn(text)
    return tuple(made)


def _parameters(given: Any, strict: bool) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        return {"": given} if strict else {}
    return given if strict else {name: value for name, value in given.items() if name not in NOT_OURS}


@cache
def _warn(text: str) -> None:
    """Once, not for every exposure of a program."""
    log.warning("%s; the value is not used", text)


def _parsed(text: str, known: Cards) -> Setting:
    path, equals, value = text.partition("=")
    if not equals:
        raise RecipeFault("write step.parameter=value")
    place = [part.strip() for part in path.split(".")]
    _, step, schema = _found(place, known)
    return _setting(place, _typed(value.strip(), schema, step), "--set", known)


def _typed(text: str, schema: Mapping[str, Any], step: str) -> Any:
    """The value that a text means: text where text is wanted, else what YAML reads."""
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else list(types)
    if text.lower() in ("none", "null") and ("null" in types or None in schema.get("enum", ())):
        return None
    if "string" in types or text in schema.get("enum", ()):
        return text
    try:
        return value_of(f"[{text}]" if "array" in types and not text.startswith("[") else text)
    except yaml.YAMLError as fault:
        raise RecipeFault(f"'{text}' cannot be read as a value of {step}") from fault


def _setting(place: list[str], value: Any, origin: str, known: Cards) -> Setting:
    stage, step, schema = _found(place, known)
    if words := check_value(value, schema):
        raise RecipeFault(words)
    return Setting(step, place[-1], normal(value, schema), origin, stage)


def _found(place: list[str], known: Cards) -> tuple[str, str, Mapping[str, Any]]:
    """The stage (or nothing), the step and the schema of the parameter that 'stage.step.parameter' names."""
    if len(place) not in (2, 3):
        raise RecipeFault("write step.parameter or stage.step.parameter")
    stage, step, parameter = ("", *place)[-3:]
    step = known.named(step)
    if stage and stage not in STAGES:
        raise RecipeFault(f"'{stage}' is no stage{nearest(stage, STAGES)}")
    if step not in known.steps:
        raise RecipeFault(f"'{step}' is no step{nearest(step, known.steps)}")
    parameters = known.parameters(step)
    if parameter not in parameters:
        way_out = _elsewhere(parameter, known.steps[step]["references"]) or nearest(parameter, parameters)
        raise RecipeFault(f"'{parameter}' is no parameter of {step}{way_out}")
    return stage, step, parameters[parameter]


def _elsewhere(parameter: str, references: Iterable[str]) -> str:
    """How to say here what a parameter of the official step says, where that is no parameter."""
    named = parameter.removeprefix("override_")
    kind = _FILES.get(named, named)
    if kind in references:
        return f"; it is a reference file: a stage takes it as --reference {kind}=FILE, a run from its reference files"
    return _WAYS.get(parameter, "")
