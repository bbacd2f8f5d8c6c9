"""How a product is called, by the template of its rule: fields in braces, of which those that are empty fall away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from string import Formatter

from jwrules.associations.exposures import NO_TARGET, Candidate, Exposure
from jwrules.associations.rules import Rule

_LOOSE = re.compile(r"-+(?=[-_]|$)")
"""Dashes after which a field that is empty was meant to stand."""


def name(rule: Rule, candidate: Candidate, science: Sequence[Exposure]) -> str:
    """Return the name of a product: of its exposure, or of what its exposures have in common.

    Of a field in which they differ (a slit) all values stand, joined by dashes. `{{source_id}}` and the like are for
    the pipeline to fill in.
    """
    if not rule.one_for_each:
        return science[0].name
    values = {column: _value(rule, column, candidate, science) for column in _fields(rule.product)}
    own = _LOOSE.sub("", rule.product.format(**values))
    return f"jw{science[0].program}-{candidate.id}_{own}"


def target(rule: Rule, candidate: Candidate, exposure: Exposure) -> str:
    """Return the target as the product names it, t000 for all of them."""
    number = exposure.value("target", candidate) if "target" in rule.one_for_each else NO_TARGET
    return f"t{number.zfill(3)}"


@cache
def _fields(template: str) -> tuple[str, ...]:
    return tuple(column for _, column, _, _ in Formatter().parse(template) if column)


def _value(rule: Rule, column: str, candidate: Candidate, science: Sequence[Exposure]) -> str:
    if column == "target":
        return target(rule, candidate, science[0])
    common = column in rule.one_for_each or column in ("INSTRUME", "optics")
    values = {one.value(column, candidate) for one in (science[:1] if common else science)}
    shown = "-".join(sorted(filter(None, values)))
    if column == "SUBARRAY":
        return "" if shown == "full" else shown
    return shown.zfill(2) if column == "ACT_ID" else shown


def said(rule: Rule, candidate: Candidate, exposure: Exposure) -> str:
    """Return in words what the members have in common."""
    columns = {column: exposure.value(column, candidate) for column in rule.one_for_each} or {"exposure": exposure.name}
    group = f"{candidate.kind} {candidate.id}"
    return "; ".join(
        [group, f"program {exposure.program}", *(f"{column} {value}" for column, value in columns.items())]
    )
