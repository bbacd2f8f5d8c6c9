"""How a step is declared: frozen parameters and a function; everything else is read from that declaration.

An exposure may be larger than memory, so a step on a Ramp is handed *blocks* of it, and its result may not depend on
how they are cut. It says what a block must hold:

- ``samples``: nothing beyond the groups of an integration; any block will do;
- ``frames``: whole frames of whole integrations. Such a block is a segment of the exposure (INTSTART, INTEND);
- ``ramps``: all integrations of its pixels. Such a block is a band of rows, a subarray (SUBSTRT2, SUBSIZE2).

`margin` is how many rows beside a pixel decide on it. Blocks come in the order of integrations, or of rows. What has to
be known of the exposure before a step, or done on blocks of another kind after it, is a `Part` of its own; parts hand
each other notes (`Ramp.noting`). Numbers about the exposure are counted (`Ramp.counting`) and summed over its blocks;
`finish` turns the sums into keywords and messages, once.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from jwrules import conditions
from jwrules.conditions import Cases, Conditions
from jwrules.products.kinds import Meta, Note, Ramp, Reference


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
    file: bool = False,
) -> Any:
    """Declare a parameter: default, meaning in one line, unit, limits or choices; whether it names a file."""
    limits = {"ge": ge, "gt": gt, "le": le}
    metadata = {"meaning": meaning, "unit": unit, "choices": choices, "file": file}
    return field(default=default, metadata=metadata | {k: v for k, v in limits.items() if v is not None})


@dataclass(frozen=True)
class Input:
    """A keyword-only argument of a step: a reference file by type, or the members of an association by role.

    `cases` say for which parameters and keywords it is wanted: always, where there are none.
    """

    name: str
    kind: type
    required: bool
    role: bool
    cases: Cases = ()


@dataclass(frozen=True)
class Part:
    """A function `(ramp, params, **inputs) -> ramp` on blocks of one kind; it takes those inputs that it names.

    `awaited` tells that what comes next needs the notes of all blocks, not only those of its own; `settle(notes, meta,
    params, **inputs)` then makes of these the notes that are handed on. This and `along` may depend on the exposure:
    functions of its Meta. `changes` is what it writes into: "all", "flags" (GROUPDQ alone), "flags and first frames"
    (ZEROFRAME too), or "nothing" but notes and PIXELDQ. The part is left out where `when(params)` is false, does not
    read the counts where `flags_suffice(params)`, and not those of saturated groups where `spares_saturated`. What it
    makes of the counts does not depend on GROUPDQ where it is `blind_to_flags`.
    """

    function: Callable[..., Any]
    along: str | Callable[[Meta], str] = "samples"
    margin: int | Callable[[Any], int] = 0
    awaited: bool | Callable[[Meta], bool] = False
    settle: Callable[..., Mapping[str, Note]] | None = None
    changes: str | Callable[[Any], str] = "all"
    when: Callable[[Any], bool] = lambda params: True
    flags_suffice: Callable[[Any], bool] = lambda params: False
    spares_saturated: bool = False
    blind_to_flags: bool = False

    def axes(self, meta: Meta) -> str:
        """Return which blocks the part works on, for an exposure with these keywords."""
        return self.along(meta) if callable(self.along) else self.along

    def touches(self, params: Any) -> str:
        """Return what the part writes into."""
        return self.changes(params) if callable(self.changes) else self.changes

    def waits(self, meta: Meta) -> bool:
        """Return whether what comes next needs the notes of all blocks, for an exposure with these keywords."""
        return self.awaited(meta) if callable(self.awaited) else self.awaited

    def rows(self, params: Any) -> int:
        """Return how many rows beside a pixel decide on it."""
        return self.margin(params) if callable(self.margin) else self.margin

    def __call__(self, product: Any, params: Any, **inputs: Any) -> Any:
        """Apply the part to a block."""
        return self.function(product, params, **named(self.function, inputs))

    def settled(self, notes: Mapping[str, Note], meta: Meta, params: Any, **inputs: Any) -> Mapping[str, Note]:
        """Return what `settle` makes of the notes of all blocks."""
        return self.settle(notes, meta, params, **named(self.settle, inputs)) if self.settle else notes


def named(function: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the inputs that a function names."""
    known = _arguments(function)
    return {name: value for name, value in inputs.items() if name in known}


@cache
def _arguments(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


Finish = Callable[[Meta, Mapping[str, float], Any], Meta]
Rounds = Callable[..., int]


@dataclass(frozen=True)
class Step:
    """A declared step. `name` is file name, function name and recipe key; `parts` is the step as it runs on blocks.

    `beside(params)` are the bytes for each group of a pixel of what it gives beside the ramp (`Ramp.beside`).
    """

    name: str
    status: str
    summary: str
    doc: str
    takes: type
    gives: type
    params: type
    inputs: tuple[Input, ...]
    function: Callable[..., Any]
    parts: tuple[Part, ...]
    finish: Finish | None = None
    rounds: Rounds | None = None
    beside: Callable[[Any], int] = lambda params: 0

    def __call__(self, product: Any, params: Any = None, **inputs: Any) -> Any:
        """Apply the step to a whole `product`; `params` are its defaults where not given."""
        params = self.params() if params is None else params
        for number in range(self.times(product.meta, params, **inputs) if self.rounds else 1):
            product = replace(product, round=number) if self.rounds else product
            for part in self.parts:
                if part.when(params):
                    product = part(product, params, **inputs)
                    if part.settle:
                        notes = part.settled(product.notes, product.meta, params, **inputs)
                        product = replace(product, notes=notes)
        return self.finished(product, params) if isinstance(product, Ramp) else product

    def finished(self, ramp: Ramp, params: Any) -> Ramp:
        """Return the ramp with what `finish` makes of the counts of the whole exposure, without counts and notes."""
        meta = self.finish(ramp.meta, ramp.counts, params) if self.finish else ramp.meta
        return replace(ramp, meta=meta, counts={}, notes={})

    def times(self, meta: Meta, params: Any, **inputs: Any) -> int:
        """Return how often the parts are run."""
        return self.rounds(meta, params, **named(self.rounds, inputs)) if self.rounds else 1

    def wanted(self, params: Any, meta: Meta) -> tuple[Input, ...]:
        """Return the inputs that the step takes with these parameters, for an exposure with these keywords."""
        return tuple(one for one in self.inputs if conditions.any_holds(one.cases, _told(one.cases, params, meta)))

    def references(self) -> tuple[Input, ...]:
        """Return the reference files that the step takes."""
        return tuple(i for i in self.inputs if not i.role)

    def roles(self) -> tuple[Input, ...]:
        """Return the roles of association members (background, ...) that the step takes besides its product."""
        return tuple(i for i in self.inputs if i.role)


def _told(cases: Cases, params: Any, meta: Meta) -> dict[str, Any]:
    """Return what parameters and keywords say of all that the cases name."""
    return {name: getattr(params, name, None) if name.islower() else meta.get(name) for case in cases for name in case}


def step(
    *,
    status: str,
    along: str | Callable[[Meta], str] = "samples",
    margin: int | Callable[[Any], int] = 0,
    changes: str | Callable[[Any], str] = "all",
    spares_saturated: bool = False,
    blind_to_flags: bool = False,
    awaited: bool | Callable[[Meta], bool] = False,
    before: Sequence[Part] = (),
    after: Sequence[Part] = (),
    finish: Finish | None = None,
    rounds: Rounds | None = None,
    wants: Mapping[str, Conditions | Cases] | None = None,
    beside: Callable[[Any], int] = lambda params: 0,
) -> Callable[[Callable[..., Any]], Step]:
    """Declare a function `(product, params: Params, *, reftype: Kind) -> product` as a step.

    `status` is the keyword that records whether the step ran (S_DARK, ...). The module must define `Params`. `along`
    and `margin` say which blocks of a Ramp the function works on, `changes` what it writes into, `awaited` that it
    gives frames of another kind, for which what comes next waits; `before` and `after` are parts that run on others.
    The step is given all inputs that one of these functions names. `rounds(meta, params, **inputs)` tells how often all
    parts are run, `Ramp.round` which time it is. `wants` says when an optional input is of use, by its name: values of
    parameters and keywords of the exposure, as conditions in a recipe, or a list of such cases; `{"sirskernel":
    {"refpix_algorithm": "sirs"}}`. Otherwise it is neither sought nor opened nor recorded. What it gives `beside` a
    ramp, block by block, is declared by its size: bytes for each group of a pixel.
    """

    def declare(function: Callable[..., Any]) -> Step:
        module = inspect.getmodule(function)
        doc = inspect.cleandoc((module.__doc__ if module else None) or function.__doc__ or "")
        hints = typing.get_type_hints(function)
        names = list(inspect.signature(function).parameters.values())
        main = Part(
            function,
            along,
            margin,
            awaited,
            changes=changes,
            spares_saturated=spares_saturated,
            blind_to_flags=blind_to_flags,
        )
        parts = (*before, main, *after)
        others = [one for part in parts for one in (part.function, part.settle)]
        return Step(
            name=function.__name__,
            status=status,
            summary=doc.split("\n", 1)[0].rstrip("."),
            doc=doc,
            takes=hints[names[0].name],
            gives=hints["return"],
            params=hints[names[1].name],
            inputs=_inputs([function, *filter(None, [*others, rounds])], wants or {}),
            function=function,
            parts=parts,
            finish=finish,
            rounds=rounds,
            beside=beside,
        )

    return declare


def _inputs(functions: Sequence[Callable[..., Any]], wants: Mapping[str, Conditions | Cases]) -> tuple[Input, ...]:
    """Return the inputs that functions name; one is required where any of them requires it."""
    found: dict[str, Input] = {}
    for function in functions:
        hints = typing.get_type_hints(function)
        for p in inspect.signature(function).parameters.values():
            if p.kind is p.KEYWORD_ONLY:
                one = _input(p.name, hints[p.name], wants.get(p.name, ()))
                known = found.setdefault(p.name, one)
                found[p.name] = replace(known, required=known.required or one.required)
    if unknown := sorted(wants.keys() - found.keys()):
        raise TypeError(f"{functions[0].__name__} wants {', '.join(unknown)}, which none of its functions takes")
    return tuple(found.values())


def _input(name: str, hint: Any, cases: Conditions | Cases) -> Input:
    options = get_args(hint) if get_origin(hint) in (UnionType, typing.Union) else (hint,)
    kinds = [option for option in options if option is not NoneType]
    is_reference = isinstance(kinds[0], type) and issubclass(kinds[0], Reference)
    listed = (cases,) if isinstance(cases, Mapping) else tuple(cases)
    return Input(name, kinds[0], required=NoneType not in options, role=not is_reference, cases=listed)


def parameters(params: type) -> Mapping[str, Any]:
    """Return the declared fields of a Params class by name."""
    return {f.name: f for f in fields(params)}
