"""How a job was made, kept beside its products: members, references, options, command, versions, cost."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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

    began, stats = _clock(), [records.stat(path) for path, _ in members]
    running = Running()
    if options.record:
        records.forget(options.output, name, options.command)
    yield running
    for path in running.made:
        log.info("wrote %s", path)
    if options.record:
        opened = [_member(path, role, before) for (path, role), before in zip(members, stats, strict=True)]
        _write(options, name, opened, running, _spent(began))


def _member(path: Path, role: str, before: records.Stat | None) -> records.Member:
    from jwrules import records

    if records.stat(path) is None:
        raise DataFault(f"{path}: was removed while it was read; put it back, or run again without it")
    digest = records.digest_of(path)
    if before is None or records.stat(path) != before:
        raise DataFault(f"{path}: was changed while it was read; run again when nothing writes to it")
    return records.Member(path.name, role, digest, before)


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
        "association": options.association.name if "association" in options else "",
        "command": shlex.join(["jwrules", *words(options)]),
        "cost": dict(spent),
        "versions": versions(),
    }
    made = tuple(_gave(path, options.output) for path in running.made)
    record = records.Record(running.bench.stage, name, options.record, tuple(members), made, told)
    log.info("wrote %s", records.write(record, options.output))


def words(options: argparse.Namespace) -> Sequence[str]:
    """Return the words of the command: those of the process, or of its part in a batch."""
    return getattr(options, "words", None) or sys.argv[1:]


def _gave(path: Path, folder: Path) -> records.Gave:
    from jwrules import records

    found = records.stat(path)
    assert found is not None
    return records.Gave(os.path.relpath(path, folder), records.data_digest(path) or records.digest(path), found)


def versions() -> dict[str, str]:
    """Return the version of Python and of every package that was imported."""
    tops = {name.partition(".")[0] for name in sys.modules}
    with warnings.catch_warnings():
        # Some packages warn whoever asks them for their version in this way.
        warnings.simplefilter("ignore")
        found = {name: getattr(sys.modules.get(name), "__version__", None) for name in sorted(tops)}
    packages = {name: version for name, version in found.items() if isinstance(version, str) and name != "jwrules"}
    return {"python": platform.python_version(), **packages}


def _clock() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), usage.ru_utime + usage.ru_stime


def _spent(began: tuple[float, float]) -> dict[str, Any]:
    wall, cpu = (now - then for now, then in zip(_clock(), began, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "peak_mb": peak}
