"""A plan that was made before: as good as new while nothing that it was made from has changed.

Snakemake asks for the plan at every start, and on a cluster once more for every job.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import jwrules
from jwrules import below, house, kept
from jwrules.plan import given
from jwrules.plan.rows import KEPT, Plan
from jwrules.plan.settings import Settings
from jwrules.records import Stat, stat
from jwrules.unchanged import is_settled

FILE = "plan.pickle"

_CODE = (
    *("names", "conditions.py", "unchanged.py", "below.py", "kept.py", "headers.py", "pool", "recipes"),
    *("associations", "references", "records", "plan"),
    *("kernels", "wcs", "products", "steps", "stages"),
)
"""The code that plans, and that which makes the products: a plan says its version."""

_DATA = ("uncal.fits", "uncal.fits.gz", "_pool.csv")
_CRDS = "CRDS_PATH"


def plan(asked: Settings, directory: Path, cache: Path, make: Callable[[], Plan]) -> Plan:
    """Return the plan for what is asked, from the folder `cache` or, where anything changed since, from `make`.

    Nothing is remembered of a CRDS cache whose place is not known, nor while files changed a moment ago.
    """
    if asked.references.startswith("crds:") and not os.environ.get(_CRDS):
        return make()
    began = time.time_ns()
    sources = _stats(_sources(asked, directory))
    before = _fingerprint(asked, directory, sources)
    known = _load(cache / FILE)
    if known and known[0] == before and known[1] == _stats(_chosen(known[2])):
        return known[2]
    made = make()
    chosen = _stats(_chosen(made))
    if all(is_settled(found, began) for _, found in (*sources, *chosen) if found):
        with contextlib.suppress(OSError):
            kept.save(cache / FILE, (before, chosen, made))
    return made


def _fingerprint(asked: Settings, directory: Path, sources: Sequence[tuple[str, Stat | None]]) -> str:
    """Return a digest of what a plan is made from: the files by path and what tells whether they were written to."""
    environment = sorted((name, value) for name, value in os.environ.items() if name.startswith("CRDS_"))
    said = [jwrules.__version__, asked, directory, environment, sources]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _sources(asked: Settings, directory: Path) -> Iterator[Path]:
    for place in (Path(jwrules.__file__).parent / name for name in _CODE):
        yield from _below(place)
    for folder in (house.root() / "recipes", house.root() / "schemas"):
        yield from _below(folder)
    if asked.recipe:
        yield from sorted([*asked.recipe.parent.glob("*.yaml"), *asked.recipe.parent.glob("*/*.yaml")])
    yield from (path for path in _below(asked.data) if path.name.endswith(_DATA))
    yield from given.find(asked.data)
    if isinstance(asked.pin, str):
        yield directory / asked.pin
    for place in _references(asked.references):
        yield from _below(place)


def _references(source: str) -> list[Path]:
    """Where reference files are chosen from: their folder, or the rules of a CRDS cache."""
    if not source.startswith("crds:"):
        return [Path(source)]
    cache = Path(os.environ[_CRDS])
    return [cache / "config", cache / "mappings"]


def _chosen(made: Plan) -> Iterator[Path]:
    """The files that a plan opens, reads options from, or looks for in vain, wherever they lie."""
    return iter(sorted({*made.consulted, *made.absent, *(one.path for job in made.all() for one in job.opened)}))


def _below(place: Path) -> Iterator[Path]:
    return iter([place]) if place.is_file() else below.files(place)


def _stats(paths: Iterable[Path]) -> list[tuple[str, Stat | None]]:
    return [(str(path), stat(path)) for path in paths]


def _load(path: Path) -> tuple[str, list[tuple[str, Stat | None]], Plan] | None:
    known = kept.load(path, KEPT)
    if isinstance(known, tuple) and len(known) == 3 and isinstance(known[2], Plan):
        return known
    return None
