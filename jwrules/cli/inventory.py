"""The reference files of a plan as text, and which files of a cache or folder are damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jwrules import below, names
from jwrules.errors import ReferenceFault
from jwrules.plan import Plan, Planner
from jwrules.pool import Pool
from jwrules.references import Chosen, complete, library, own

_NAMED = 2
"""How many exposures of a file are named."""


def table(plan: Plan, pool: Pool, planner: Planner, kind: str | None = None) -> str:
    """Return every reference file of a plan: exposures, hash, and why it was chosen; of one `kind`, all candidates."""
    headers = {names.stem(row["filename"]): row.header for row in pool.files}
    parts = [f"context: {plan.rules}"]
    for (reftype, chosen), exposures in sorted(_used(plan).items(), key=lambda pair: (pair[0][0], pair[0][1].name)):
        if kind in (None, reftype):
            candidates = planner.references.explain(reftype, headers[exposures[0]])
            parts.append("\n".join(_entry(reftype, chosen, exposures, candidates, all_of_them=kind is not None)))
    planner.references.ledger.save()
    return "\n".join(parts)


def _used(plan: Plan) -> dict[tuple[str, Chosen], list[str]]:
    """Return the exposures by type and file."""
    used: dict[tuple[str, Chosen], dict[str, None]] = {}
    for job in plan.all():
        members = dict.fromkeys(names.stem(path) for path in job.science)
        for pair in job.references.items():
            used.setdefault(pair, {}).update(members)
    return {pair: list(exposures) for pair, exposures in used.items()}


def _entry(
    kind: str, chosen: Chosen, exposures: Sequence[str], candidates: Sequence[tuple[str, str]], *, all_of_them: bool
) -> Iterator[str]:
    more = f" and {len(exposures) - _NAMED} more" if len(exposures) > _NAMED else ""
    yield f"{kind:<14} {chosen.name}  sha256 {chosen.sha256[:16]}"
    yield f"{'':<14} {', '.join(exposures[:_NAMED])}{more}"
    for name, why in candidates:
        if all_of_them or name == chosen.name:
            yield f"{'':<14} {name + ': ' if all_of_them else ''}{why}"


def verify(source: str) -> tuple[int, list[str]]:
    """Return how many files a source has, and what is wrong with each that is damaged or not what it should be."""
    paths, listed = _files(source)
    with ThreadPoolExecutor() as threads:
        faults = list(threads.map(lambda path: _fault(path, listed.get(path.name)), paths))
    return len(paths), [fault for fault in faults if fault]


def _files(source: str) -> tuple[list[Path], Mapping[str, Mapping[str, Any]]]:
    folders = (
        [library.folder("mappings"), library.folder("references")] if source.startswith("crds:") else [Path(source)]
    )
    found = [path for folder in folders for path in sorted(below.files(folder)) if path.is_file()]
    paths = [path for path in found if own.is_readable(path) or path.suffix in (".pmap", ".imap", ".rmap")]
    if not paths:
        raise ReferenceFault(f"{source}: there are no reference files in {', '.join(map(str, folders))}")
    return paths, library.listed() if source.startswith("crds:") else {}


def _fault(path: Path, listed: Mapping[str, Any] | None) -> str:
    if listed and int(listed["size"]) != (size := path.stat().st_size):
        return f"{path}: it has {size} bytes, on the server {listed['size']}"
    if listed and listed.get("sha1sum") not in (None, "", "none", _sha1(path)):
        return f"{path}: its content is not that of the server (SHA-1 {listed['sha1sum']})"
    return complete.fault(path)


def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()
