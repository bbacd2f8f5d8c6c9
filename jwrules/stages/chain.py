"""Run a chain of steps on a product; the only writer of status keywords, reference keywords and history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jwrules.errors import CannotRun, JwrulesError
from jwrules.products.kinds import Product, Reference, Slopes, Sources
from jwrules.steps import find
from jwrules.steps.declare import Skip, Step

log = logging.getLogger("jwrules")


@dataclass(frozen=True)
class Call:
    """One step as a recipe asks for it: parameters, whether it is skipped, what happens when it cannot run."""

    step: str
    params: Mapping[str, Any] = field(default_factory=dict)
    skip: bool = False
    if_impossible: str = "stop"


OpenReference = Callable[[type[Reference], Any], Reference | None]


def run(
    product: Any, calls: Sequence[Call], open_reference: OpenReference, members: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield (step name, product) after each step.

    A step on several images may leave some alone: it says why in `provenance["declined"][step]` of those.

    `open_reference(kind, product)` gives the reference file cut to the product, or None where none was chosen;
    `members[role]` are the other members of the association.
    """
    for call in calls:
        step = find(call.step)
        product = _apply(step, call, product, open_reference, members)
        yield call.step, product


def _apply(step: Step, call: Call, product: Any, open_reference: OpenReference, members: Mapping[str, Any]) -> Any:
    product = _lift(step, product)
    if call.skip:
        return _stamp(product, step, call, "SKIPPED", "the recipe says skip", {})
    try:
        inputs = _inputs(step, product, open_reference, members)
        result = step(product, step.params(**call.params), **inputs)
    except Skip as reason:
        return _stamp(product, step, call, "SKIPPED", str(reason), {})
    except CannotRun as reason:
        if call.if_impossible != "skip":
            raise CannotRun(
                f"{step.name}: {reason}; 'if_impossible: skip' in the recipe goes on without it"
            ) from reason
        return _stamp(product, step, call, "SKIPPED", str(reason), {})
    used = {name: value for name, value in inputs.items() if isinstance(value, Reference)}
    return _stamp(result, step, call, "COMPLETE", "", used)


def _lift(step: Step, product: Any) -> Any:
    """A step on several images takes a single one as an association of one."""
    return (product,) if _is_many(step.takes) and not isinstance(product, tuple) else product


def _is_many(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _inputs(step: Step, product: Any, open_reference: OpenReference, members: Mapping[str, Any]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for wanted in step.inputs:
        value = members.get(wanted.name) if wanted.role else open_reference(wanted.kind, product)
        if value is None and wanted.required:
            word = "members with the role" if wanted.role else "reference file of type"
            raise CannotRun(f"there is no {word} '{wanted.name}'")
        inputs[wanted.name] = value
    return inputs


def _stamp(product: Any, step: Step, call: Call, status: str, reason: str, used: Mapping[str, Reference]) -> Any:
    log.info("%s: %s%s", step.name, status, f" ({reason})" if reason else "")
    entry = {"step": step.name, "status": status, "reason": reason, "params": dict(call.params)}
    entry["references"] = {name: ref.meta.source for name, ref in used.items()}
    keywords: dict[str, Any] = {step.status: status}
    keywords |= {ref.keyword: f"crds://{ref.meta.source}" for ref in used.values() if ref.keyword}
    return _each(product, lambda one: _record(one, keywords, entry))


def _record(product: Product, keywords: Mapping[str, Any], entry: Mapping[str, Any]) -> Product:
    declined = dict(product.provenance.get("declined", {}))
    reason = declined.pop(entry["step"], None)
    if reason is not None:
        entry = {**entry, "status": "SKIPPED", "reason": reason}
        keywords = {keyword: "SKIPPED" if value == "COMPLETE" else value for keyword, value in keywords.items()}
    steps = [*product.provenance.get("steps", []), dict(entry)]
    provenance = {**product.provenance, "steps": steps, "declined": declined}
    return replace(product, meta=product.meta.updated(**keywords), provenance=provenance)


def _each(product: Any, change: Callable[[Any], Any]) -> Any:
    """Apply `change` to every product inside a compound one."""
    if isinstance(product, tuple):
        return tuple(change(one) for one in product)
    if isinstance(product, Slopes):
        parts = {part.name: getattr(product, part.name) for part in fields(product)}
        return Slopes(**{name: change(part) for name, part in parts.items() if part is not None})
    if isinstance(product, Sources):
        return replace(product, segmentation=change(product.segmentation))
    if isinstance(product, Product):
        return change(product)
    raise JwrulesError(f"a step gave {type(product).__name__}, which is no product")
