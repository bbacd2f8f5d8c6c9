"""Products of one name: neither is made, for one would take the place of the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jwrules.associations import Association


def found(made: Iterable[Association], stage: str) -> Iterator[tuple[str, str]]:
    """Yield each name that several associations of a stage give to their product, and how to tell them apart."""
    named: dict[str, list[Association]] = {}
    for one in made:
        if one.type == stage:
            named.setdefault(one.product, []).append(one)
    for product, its in named.items():
        if len(its) > 1:
            yield product, f"{len(its)} associations give a product this name: {_each(its)}\n  {_WAY_OUT}"


def _each(its: Iterable[Association]) -> str:
    return "; ".join(_told(one) for one in sorted(its, key=lambda one: one.file))


def _told(one: Association) -> str:
    """Return an association in words: its file, its rule, what its members have in common, and the first of them."""
    science = one.of("science")
    more = f" and {len(science) - 1} more" if len(science) > 1 else ""
    common = f": {one.constraints}" if one.constraints else ""
    return f"{one.file} (by {one.rule or 'hand'}{common}) of {science[0]}{more}"


_WAY_OUT = (
    "give one of them a name of its own: write both with `jwrules associate DATA --output DIR`, change 'name' in one,"
    " put that file into DATA; or say 'product' for its rule in a recipe for its exposures (docs/associations.md); or"
    " leave out the exposures of one with --exclude"
)
