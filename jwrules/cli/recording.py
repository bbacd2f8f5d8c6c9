"""How a job was made, kept beside its products: members, references, options, command, versions, cost."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwrules
from jwrules.cli.common import log
from jwrules.errors import DataFault

if TYPE_CHECKING:
    from jwrules import records
    from jwrules.stages.workbench import Workbench


@dataclass
class Running:
    """A job at work: the stage fills in its workbench and the files that it made."""

    bench: Workbench | None = None
    made: Sequence[Path] = field(default_factory=list)


@contextmanager
def recorded(options: argparse.Namespace, name: str, members: Sequence[tuple[Path, str]]) -> Iterator[Running]:
    """Say what a job made; with --record also write its record, when all its products have their final names.

    An earlier record goes first: if the job is killed, no product is taken for what it was before.
    DataFault where a member changed while it was read: the products are of neither state, and stay without record.
    """
    from jwrules import records

    began = _clock()
    running, before = Running(), [_seen(path) for path, _ in members] if options.record else []
    if options.record:
        records.forget(options.output, name, options.command)
    yield running
    for path in running.made:
        log.info("wrote %s", path)
    if options.record:
        opened = [_member(path, role, seen) for (path, role), seen in zip(members, before, strict=True)]
        _write(options, name, opened, running, _spent(began))


def _seen(path: Path) -> tuple[records.Stat, str] | None:
    """Return as what a member stands and what it holds; None where it cannot be read, which the stage will tell."""
    from jwrules import records

    found = records.stat(path)
    with suppress(OSError):
        return (found, records.digest_of(path)) if found else None
    return None


def _member(path: Path, role: str, before: tuple[records.Stat, str] | None) -> records.Member:
    """Return a member as it was read; one that was only linked meanwhile is looked at again."""
    from jwrules import records
    from jwrules.unchanged import is_linked

    now = records.stat(path)
    if now is None:
        raise DataFault(f"{path}: was removed while it was read; put it back, or run again without it")
    is_as_it_was = before and (
        now == before[0]
        or (is_linked(before[0], now) and records.digest(path) == before[1] and records.stat(path) == now)
    )
    if not (before and is_as_it_was):
        raise DataFault(f"{path}: was changed while it was read; run again when nothing writes to it")
    return records.Member(path.name, role, before[1], now)


def _write(
    options: argparse.Namespace,
    name: str,
    members: Sequence[records.Member],
    running: Running,
    spent: Mapping[str, Any],
) -> None:
    from jwrules import records

    assert running.bench is not None
    references = {
        kind: {"file": path.name, "sha256": running.bench.hashes[kind]}
        for kind, path in sorted(running.bench.references.items())
    }
    told = {
        "release": jwrules.__version__,
        "context": running.bench.context,
        "recipe": running.bench.recipe,
        "steps": json.loads(options.steps),
        "references": references,
        **_association(options),
        "command": shlex.join(["jwrules", *words(options)]),
        "cost": dict(spent),
        "versions": versions(),
    }
    made = tuple(_gave(path, options.output) for path in running.made)
    record = records.Record(running.bench.stage, name, options.record, tuple(members), made, told)
    log.info("wrote %s", records.write(record, options.output))


def _association(options: argparse.Namespace) -> dict[str, str]:
    from jwrules.references import content_hash

    path = getattr(options, "association", None)
    return {"association": path.name, "association_sha256": content_hash(path)} if path else {"association": ""}


def words(options: argparse.Namespace) -> Sequence[str]:
    """Return the words of the command: those of the process, or of its part in a batch."""
    return getattr(options, "words", None) or sys.argv[1:]


def _gave(path: Path, folder: Path) -> records.Gave:
    """Return what was made; DataFault where another job put its own in that place: no record may vouch for it."""
    from jwrules import records
    from jwrules.products import placed

    found = records.stat(path)
    if found is not None and placed.is_ours(path):
        gave = records.Gave(os.path.relpath(path, folder), records.data_digest(path) or records.digest(path), found)
        if records.stat(path) == found:
            return gave
    raise DataFault(
        f"{path}: another job replaced or removed it just now; no record is written, run again when it ended"
    )


@cache
def versions() -> dict[str, str]:
    """Return the version of Python and of every package that jwrules requires, whichever of them a job used."""
    required: list[str] = []
    with suppress(metadata.PackageNotFoundError):  # run from its sources
        required = [line for line in metadata.requires("jwrules") or [] if "extra ==" not in line]
    names = sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in required} | {"llvmlite"})
    return {"python": platform.python_version(), **{name: _version(name) for name in names}}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _clock() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime


def _spent(began: tuple[float, float]) -> dict[str, Any]:
    wall, cpu = (now - then for now, then in zip(_clock(), began, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "peak_mb": peak}
