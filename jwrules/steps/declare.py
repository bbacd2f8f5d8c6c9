"""How a step is declared: frozen parameters and a function; everything else is read from that declaration."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from jwrules.products.kinds import Reference


class Skip(Exception):
    """Raised by a step that has nothing to do for this exposure; the chain writes SKIPPED and the reason."""


def par(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    """Declare a parameter: default, meaning in one line, unit, limits or choices."""
    limits = {"ge": ge, "gt": gt, "le": le}
    metadata = {"meaning": meaning, "unit": unit, "choices": choices}
    return field(default=default, metadata=metadata | {k: v for k, v in limits.items() if v is not None})


@dataclass(frozen=True)
class Input:
    """A keyword-only argument of a step: a reference file by type, or the members of an association by role."""

    name: str
    kind: type
    required: bool
    role: bool


@dataclass(frozen=True)
class Step:
    """A declared step. `name` is file name, function name and recipe key."""

    name: str
    status: str
    summary: str
    doc: str
    takes: type
    gives: type
    params: type
    inputs: tuple[Input, ...]
    function: Callable[..., Any]

    def __call__(self, product: Any, params: Any = None, **inputs: Any) -> Any:
        """Apply the step to `product`; `params` are its defaults where not given."""
        return self.function(product, self.params() if params is None else params, **inputs)

    def references(self) -> tuple[Input, ...]:
        """Return the reference files that the step takes."""
        return tuple(i for i in self.inputs if not i.role)

    def roles(self) -> tuple[Input, ...]:
        """Return the roles of association members (background, ...) that the step takes besides its product."""
        return tuple(i for i in self.inputs if i.role)


def step(*, status: str) -> Callable[[Callable[..., Any]], Step]:
    """Declare a function `(product, params: Params, *, reftype: Kind) -> product` as a step.

    `status` is the keyword that records whether the step ran (S_DARK, ...). The module must define `Params`.
    """

    def declare(function: Callable[..., Any]) -> Step:
        module = inspect.getmodule(function)
        doc = inspect.cleandoc((module.__doc__ if module else None) or function.__doc__ or "")
        hints = typing.get_type_hints(function)
        names = list(inspect.signature(function).parameters.values())
        return Step(
            name=function.__name__,
            status=status,
            summary=doc.split("\n", 1)[0].rstrip("."),
            doc=doc,
            takes=hints[names[0].name],
            gives=hints["return"],
            params=hints[names[1].name],
            inputs=tuple(_input(p.name, hints[p.name]) for p in names if p.kind is p.KEYWORD_ONLY),
            function=function,
        )

    return declare


def _input(name: str, hint: Any) -> Input:
    options = get_args(hint) if get_origin(hint) in (UnionType, typing.Union) else (hint,)
    kinds = [option for option in options if option is not NoneType]
    is_reference = isinstance(kinds[0], type) and issubclass(kinds[0], Reference)
    return Input(name, kinds[0], required=NoneType not in options, role=not is_reference)


def parameters(params: type) -> Mapping[str, Any]:
    """Return the declared fields of a Params class by name."""
    return {f.name: f for f in fields(params)}
