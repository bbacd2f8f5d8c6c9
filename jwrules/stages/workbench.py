"""What every stage needs around its chain: the reference files, where products go, how they were made."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jwrules
from jwrules.errors import RecipeFault
from jwrules.products import fits
from jwrules.products.kinds import Meta, Product, Reference, Slopes
from jwrules.products.reference import ReferenceFile, open_reference
from jwrules.stages import chain
from jwrules.stages.exposure import Exposure
from jwrules.steps import named, names


@dataclass(frozen=True)
class Workbench:
    """One run of one stage: its steps, the reference files it was given, the folder its products go to.

    `context` is that of CRDS which chose the reference files; N/A where they were chosen by their own headers.
    """

    stage: str
    calls: Sequence[chain.Call]
    references: Mapping[str, Path]
    output: Path
    hashes: Mapping[str, str] = field(default_factory=dict)
    context: str = "N/A"

    def chain(self, product: Any, members: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
        """Yield (step name, product) after each step of the stage."""
        return chain.run(product, self.calls, self._open, members or {})

    def write(self, name: str, product: Product, made_from: Sequence[Mapping[str, Any]]) -> Path:
        """Write a product with its provenance under its final name; return the path."""
        return fits.write(self.output / name, replace(product, provenance=self.provenance(product, made_from)))

    def provenance(self, product: Product, made_from: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return how `product` was made: release, stage, steps with options, members, reference hashes.

        What an earlier stage wrote is kept under `before`.
        """
        steps = [dict(entry) for entry in product.provenance.get("steps", [])]
        known = product.provenance.get("before", [])
        return {
            "release": jwrules.__version__,
            "stage": self.stage,
            "context": self.context,
            "recipe": self.recipe,
            "steps": steps,
            "members": [dict(member) for member in made_from],
            "references": {name: self._identity(name) for name in sorted(self._used(steps))},
            "before": [dict(entry) for entry in known],
        }

    @cached_property
    def recipe(self) -> str:
        """A digest of the steps of the stage and their options: 16 hexadecimal digits, JWRECIPE of the products."""
        text = json.dumps([vars(call) for call in self.calls], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _used(self, steps: Sequence[Mapping[str, Any]]) -> set[str]:
        return {name for entry in steps for name in entry["references"] if name in self.references}

    def _identity(self, name: str) -> dict[str, str]:
        path = self.references[name]
        return {"file": path.name, "sha256": self.hashes.get(name) or self._digests[name]}

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {name: sha256(path) for name, path in self.references.items() if not self.hashes.get(name)}

    def pieces(self, exposure: Exposure) -> Callable[[type[Reference], slice, slice], Reference | None]:
        """Return a function that opens the part of a reference file for some rows and columns of an exposure."""
        files: dict[Any, ReferenceFile[Any]] = {}
        lock = threading.Lock()

        def open_piece(kind: type[Reference], rows: slice, columns: slice) -> Reference | None:
            path, key = self.references.get(kind.reftype), (kind, exposure.frame)
            if path is None:
                return None
            with lock:
                if key not in files:
                    files[key] = ReferenceFile(path, kind, exposure.meta, exposure.frame)
            return files[key].piece(rows, columns)

        return open_piece

    def _open(self, kind: type[Reference], product: Any) -> Reference | None:
        path = self.references.get(kind.reftype)
        if path is None:
            return None
        one: Any = product[0] if isinstance(product, tuple) else product
        one = one.rate if isinstance(one, Slopes) else one
        return open_reference(path, kind, one.meta, one.data.shape[-2:])


def fresh(product: Any) -> Any:
    """Return a product that was read from disk, with its history moved to `before`: this stage starts its own."""
    past = product.provenance
    if not past:
        return product
    before = [*past.get("before", []), {key: past[key] for key in past if key != "before"}]
    return replace(product, provenance={"before": before})


def member(path: Path, meta: Meta, role: str = "science") -> dict[str, Any]:
    """Return how a member is recorded in the products made from it.

    A raw exposure is told from others by its date. A product of ours is not: made again it has another one, and what is
    made from it is yet the same.
    """
    ours = "JWRULES" in meta.primary
    return {"file": path.name, "role": role} | ({} if ours else {"date": str(meta.get("DATE", ""))})


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def calls(text: str) -> list[chain.Call]:
    """Return the chain that `--steps` gives as JSON; RecipeFault for a step or parameter that does not exist."""
    try:
        entries = [chain.Call(**entry) for entry in json.loads(text)]
    except (TypeError, ValueError) as reason:
        raise RecipeFault(f"--steps is no list of steps in JSON: {reason}") from reason
    for entry in entries:
        _check(entry)
    return [replace(entry, params=_frozen(entry.params)) for entry in entries]


def _frozen(params: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where parameters have tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}


def _check(call: chain.Call) -> None:
    if call.step not in names():
        raise RecipeFault(f"--steps: '{call.step}' is no step; there are {', '.join(names())}")
    known = named(call.step).parameters
    if unknown := sorted(set(call.params) - known):
        raise RecipeFault(f"--steps: {call.step} has no parameter {unknown}; it has {sorted(known)}")


def last(steps: Iterator[tuple[str, Any]], saved: Mapping[str, Callable[[Any], None]] | None = None) -> Any:
    """Run a chain to its end, handing the product to `saved[step]` after that step; return what the last one gave."""
    product = None
    for name, product in steps:
        if saved and name in saved:
            saved[name](product)
    return product
