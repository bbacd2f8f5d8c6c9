"""Run a chain of steps on a product; the only writer of status keywords, reference keywords and history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jwrules.errors import CannotRun, JwrulesError
from jwrules.products.kinds import Product, Reference, Slopes, Sources
from jwrules.steps import Named, find
from jwrules.steps.declare import Skip, Step

log = logging.getLogger("jwrules")

SKIPPED_BY_RECIPE = "the recipe says skip"


@dataclass(frozen=True)
class Call:
    """One step as a recipe asks for it: parameters, whether it is skipped, what happens when it cannot run."""

    step: str
    params: Mapping[str, Any] = field(default_factory=dict)
    skip: bool = False
    if_impossible: str = "stop"


OpenReference = Callable[[type[Reference], Any], Reference | None]
Inputs = Callable[[Step, Call], dict[str, Any]]


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
        return stamp(product, step, call, SKIPPED_BY_RECIPE, {})
    used: dict[str, Any] = {}

    def apply() -> Any:
        used.update(inputs(step, lambda kind: open_reference(kind, product), members))
        return step(product, step.params(**call.params), **used)

    result, reason = attempt(step, call, apply)
    return stamp(product if reason else result, step, call, reason, used)


def attempt(step: Step, call: Call, apply: Callable[[], Any]) -> tuple[Any, str]:
    """Return what `apply` gives and "", or None and why the step is skipped; CannotRun where that is no way out."""
    try:
        return apply(), ""
    except Skip as reason:
        return None, str(reason) or "there is nothing to do"
    except CannotRun as reason:
        if call.if_impossible != "skip":
            raise CannotRun(
                f"{step.name}: {reason}; 'if_impossible: skip' in the recipe goes on without it"
            ) from reason
        return None, str(reason)


def _lift(step: Step, product: Any) -> Any:
    """A step on several images takes a single one as an association of one."""
    return (product,) if _is_many(step.takes) and not isinstance(product, tuple) else product


def _is_many(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def inputs(
    step: Step, open_reference: Callable[[type[Reference]], Reference | None], members: Mapping[str, Any]
) -> dict[str, Any]:
    """Return reference files and members that a step takes; CannotRun where one is missing that it needs."""
    found: dict[str, Any] = {}
    for wanted in step.inputs:
        value = members.get(wanted.name) if wanted.role else open_reference(wanted.kind)
        if value is None and wanted.required:
            word = "members with the role" if wanted.role else "reference file of type"
            raise CannotRun(f"there is no {word} '{wanted.name}'")
        found[wanted.name] = value
    return found


def stamp(product: Any, step: Step | Named, call: Call, reason: str, inputs: Mapping[str, Any]) -> Any:
    """Return the product with status, reference files and an entry in its provenance; a `reason` means SKIPPED."""
    status = "SKIPPED" if reason else "COMPLETE"
    used = {} if reason else {name: value for name, value in inputs.items() if isinstance(value, Reference)}
    log.info("%s: %s%s", step.name, status, f" ({reason})" if reason else "")
    entry = {"step": step.name, "status": status, "reason": reason, "params": dict(call.params)}
    entry["references"] = {name: ref.meta.source for name, ref in used.items()}
    keywords: dict[str, Any] = {step.status: status}
    keywords |= {ref.keyword: f"crds://{ref.meta.source}" for ref in used.values() if ref.keyword}
    return each(product, lambda one: _record(one, keywords, entry))


def _record(product: Product, keywords: Mapping[str, Any], entry: Mapping[str, Any]) -> Product:
    declined = dict(product.provenance.get("declined", {}))
    reason = declined.pop(entry["step"], None)
    if reason is not None:
        entry = {**entry, "status": "SKIPPED", "reason": reason}
        keywords = {keyword: "SKIPPED" if value == "COMPLETE" else value for keyword, value in keywords.items()}
    steps = [*product.provenance.get("steps", []), dict(entry)]
    provenance = {**product.provenance, "steps": steps, "declined": declined}
    return replace(product, meta=product.meta.updated(**keywords), provenance=provenance)


def each(product: Any, change: Callable[[Any], Any]) -> Any:
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
