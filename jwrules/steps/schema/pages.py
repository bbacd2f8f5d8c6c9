"""The user's pages of the steps, in Markdown, from their cards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jwrules.conditions import Cases, cases_said
from jwrules.generated import table


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
        *_inputs_section("Reference files", "type", step["references"], step["wants"]),
        *_inputs_section("Other members of the association", "role", step["roles"], step["wants"]),
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


def _inputs_section(title: str, word: str, inputs: Mapping[str, bool], wants: Mapping[str, Cases]) -> list[str]:
    if not inputs:
        return []
    when = {name: f"; opened only where {cases_said(cases)}" for name, cases in wants.items()}
    rows = [
        [f"`{name}`", ("required" if required else "optional") + when.get(name, "")]
        for name, required in inputs.items()
    ]
    return ["", f"## {title}", "", *table([word, ""], rows)]


def index(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of contents of the steps, in Markdown."""
    rows = [[f"[{name}]({name}.md)", one["summary"], one["takes"], one["gives"]] for name, one in cards.items()]
    lines = [_generated("jwrules/steps/"), "# Steps", "", *table(["step", "what it does", "takes", "gives"], rows)]
    return "\n".join(lines) + "\n"
