"""Run a chain of steps on a product; the only writer of status keywords, reference keywords and history."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

from jwrules.errors import CannotRun, HeaderFault, JwrulesError, RecipeFault
from jwrules.products.kinds import Meta, Product, Reference, Slopes, Sources
from jwrules.steps import Named, find
from jwrules.steps.declare import Input, Skip, Step

log = logging.getLogger("jwrules")

SKIPPED_BY_RECIPE = "the recipe says skip"


@dataclass(frozen=True)
class Call:
    """One step as a recipe asks for it: parameters, whether it is skipped, what happens when it cannot run."""

    step: str
    params: Mapping[str, Any] = field(default_factory=dict)
    skip: bool = False
    if_impossible: str = "stop"


def check(calls: Sequence[Call], takes: Any, gives: Any) -> None:
    """Raise RecipeFault where a step cannot take what the one before it gives, or the last one gives another kind."""
    now = takes
    for step in (find(call.step) for call in calls if not call.skip):
        if now not in (get_args(step.takes) or (step.takes,)):
            raise RecipeFault(f"{step.name} takes {_named(step.takes)}, and is given {_named(now)}; put it elsewhere")
        now = now if now in get_args(step.gives) else step.gives
    if now is not gives:
        raise RecipeFault(f"the chain of steps must end in {_named(gives)}, and ends in {_named(now)}")


def _named(kind: Any) -> str:
    return " or ".join(one.__name__ for one in get_args(kind) or (kind,))


OpenReference = Callable[[type[Reference], Any], Reference | None]
Inputs = Callable[[Step, Any], dict[str, Any]]


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
        params = step.params(**call.params)
        used.update(inputs(step, params, meta_of(product), lambda kind: open_reference(kind, product), members))
        return step(product, params, **used)

    result, reason = attempt(step, call, apply)
    return stamp(product if reason else result, step, call, reason, used)


def attempt(step: Step, call: Call, apply: Callable[[], Any]) -> tuple[Any, str]:
    """Return what `apply` gives and "", or None and why the step is skipped; CannotRun where that is no way out."""
    try:
        return apply(), ""
    except Skip as reason:
        return None, str(reason) or "there is nothing to do"
    except (CannotRun, HeaderFault) as reason:
        if call.if_impossible != "skip":
            raise type(reason)(f"{step.name}: {reason}; {_way_on(step)}") from reason
        return None, str(reason)


def _way_on(step: Step) -> str:
    if set(get_args(step.takes) or (step.takes,)) & set(get_args(step.gives) or (step.gives,)):
        return "'if_impossible: skip' in the recipe goes on without it"
    return f"nothing can be made without this step, which gives {_named(step.gives)}"


def _lift(step: Step, product: Any) -> Any:
    """A step on several images takes a single one as an association of one."""
    return (product,) if _is_many(step.takes) and not isinstance(product, tuple) else product


def _is_many(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def meta_of(product: Any) -> Meta:
    """Return the keywords of a product; of several, those of the first."""
    one: Any = product[0] if isinstance(product, tuple) else product
    meta: Meta = (one.rate if isinstance(one, Slopes) else one).meta
    return meta


def inputs(
    step: Step,
    params: Any,
    meta: Meta,
    open_reference: Callable[[type[Reference]], Reference | None],
    members: Mapping[str, Any],
) -> dict[str, Any]:
    """Return reference files and members that a step takes with these parameters, for an exposure with these keywords.

    What it has no use for is not opened. CannotRun where one is missing that it needs.
    """
    found: dict[str, Any] = {}
    for wanted in step.wanted(params, meta):
        value = members.get(wanted.name) if wanted.role else open_reference(wanted.kind)
        if value is None and wanted.required:
            raise CannotRun(_lacking(wanted))
        found[wanted.name] = value
    return found


def _lacking(wanted: Input) -> str:
    if wanted.role:
        return f"there are no members with the role '{wanted.name}'"
    return f"there is no reference file of type '{wanted.name}': --reference {wanted.name}=FILE gives one"


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
