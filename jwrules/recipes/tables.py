"""Recipes and steps as tables of text, for the command line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jwrules import conditions
from jwrules.conditions import Cases
from jwrules.recipes.cards import Cards, cards
from jwrules.recipes.merge import Entry, Layer
from jwrules.recipes.recipe import Recipe, ResolvedStep, of_stage
from jwrules.recipes.settings import Setting

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤"}


def columns(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Return rows of text as aligned columns."""
    lines = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def list_steps(known: Cards | None = None) -> str:
    """Return every step with its summary and the kinds that it takes and gives."""
    steps = (known or cards()).steps
    rows = [[name, f"{card['takes']} -> {card['gives']}", card["summary"]] for name, card in steps.items()]
    return columns([["step", "takes -> gives", "what it does"], *rows])


def describe_step(card: Mapping[str, Any]) -> str:
    """Return a step's purpose, parameters (type, default, unit, limits, meaning), reference files and roles."""
    parts = [
        card["name"],
        textwrap.indent(card["doc"], "  "),
        f"  {card['takes']} -> {card['gives']}, {card['status']}",
    ]
    rows = [_parameter(name, about) for name, about in card["params"].items()]
    titles = ["parameter", "type", "default", "unit", "limits", "meaning"]
    parts.append(columns([titles, *rows], "  ") if rows else "  no parameters")
    inputs = (("reference files", "references"), ("roles", "roles"))
    parts += [_needed(word, card[key], card["wants"]) for word, key in inputs]
    return "\n\n".join(filter(None, parts))


def _parameter(name: str, about: Mapping[str, Any]) -> list[str]:
    bounds = [f"{_SIGNS[sign]} {bound:g}" for sign, bound in about["limits"].items()]
    limits = ", ".join([*bounds, *map(str, about["choices"])])
    return [name, about["type"], text(about["default"]), about["unit"], limits, about["meaning"]]


def _needed(word: str, inputs: Mapping[str, bool], wants: Mapping[str, Cases]) -> str:
    when = {name: f", where {conditions.cases_said(cases)}" for name, cases in wants.items()}
    named = [name if required else f"{name} (optional{when.get(name, '')})" for name, required in inputs.items()]
    return f"  {word}: {', '.join(named)}" if named else ""


def text(value: Any) -> str:
    """Return a value as a recipe writes it."""
    words = {None: "none", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def list_recipes(recipes: Mapping[str, Recipe]) -> str:
    """Return every recipe with its template and the exposures that it is for."""
    rows = [[name, one.template, conditions.said(one.conditions)] for name, one in recipes.items()]
    return columns([["recipe", "template", "for"], *rows])


def describe(
    recipe: Recipe,
    header: Mapping[str, Any] | None = None,
    *,
    pars: Sequence[Setting] = (),
    overrides: Sequence[Setting] = (),
) -> str:
    """Return every value of a recipe with its origin, stage by stage.

    With a header the values are those of that exposure; without, values for some exposures only stand below the
    value for all.
    """
    parts = [f"{recipe.name}: {recipe.template}", f"for {conditions.said(recipe.conditions)}"]
    parts += filter(None, [textwrap.fill(recipe.description, 100)])
    for stage, entries in recipe.stages.items():
        given, over = of_stage(pars, stage), of_stage(overrides, stage)
        if header is None:
            rows = [row for entry in entries for row in _for_any_exposure(recipe, entry, given, over)]
        else:
            steps = recipe.resolve(stage, header, pars=pars, overrides=overrides)
            rows = [row for step in steps for row in _rows(step)]
        parts.append(f"{stage}\n{columns([['step', 'parameter', 'value', 'origin'], *rows], '  ')}")
    return "\n\n".join(parts)


def _rows(step: ResolvedStep, when: str = "") -> list[list[str]]:
    """A row for the step and one for each parameter."""
    state = ", ".join(filter(None, ["skipped" if step.skip else "", when]))
    rows = [[step.step, "", state, step.origins["skip"] if step.skip else step.origin]]
    rows += [["", name, text(given.value), given.origin] for name, given in step.params.items() if not step.skip]
    if step.if_impossible != "stop":
        rows.append(["", "if_impossible", step.if_impossible, step.origins["if_impossible"]])
    return rows


def _for_any_exposure(
    recipe: Recipe, entry: Entry, pars: Sequence[Setting], overrides: Sequence[Setting]
) -> Iterator[list[str]]:
    step = recipe.resolved(entry, None, pars, overrides)
    settled = {one.parameter for one in overrides if one.step == entry.step}
    for row in _rows(step, f"when {conditions.said(entry.when)}" if entry.when else ""):
        yield row
        if row[1] and row[1] not in settled:
            yield from _cases(entry.layers, row)


def _cases(layers: Iterable[Layer], row: Sequence[str]) -> Iterator[list[str]]:
    """The values of one parameter for some exposures only: those that come after the value for all."""
    name, origin = row[1], row[3]
    later = list(layers)
    for number, layer in enumerate(later):
        if layer.when is None and name in layer.values and layer.values[name].origin == origin:
            later = later[number:]
            break
    for layer in later:
        if layer.when is not None and name in layer.values:
            given = layer.values[name]
            yield ["", f"  when {conditions.said(layer.when)}", text(given.value), given.origin]
