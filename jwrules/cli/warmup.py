"""The command that compiles every kernel ahead: warmup."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwrules.cli.common import Commands, add_command, log
from jwrules.errors import JwrulesError

if TYPE_CHECKING:
    from jwrules.cli.rehearsal import Rehearsal
    from jwrules.kernels.cache import Asked

_EPILOG = """\
examples:
  jwrules warmup                                     (on a login node, before the first jobs)
  jwrules warmup --check
  NUMBA_CACHE_DIR=/scratch/me/kernels jwrules warmup (then set it for the jobs too)"""


def add(commands: Commands) -> None:
    """Declare the command."""
    help = "compile every kernel ahead, once for each machine, so that no run has to"
    command = add_command(commands, "warmup", warmup, help, _EPILOG)
    command.add_argument("--check", action="store_true", help="compile nothing; tell what would be, and fail if any is")


def warmup(options: argparse.Namespace) -> int:
    """Run all stages on tiny simulated exposures of every template, which compiles every kernel that runs need.

    Kernels are kept beside the sources of jwrules, or, where that folder cannot be written, in the cache folder of the
    user; NUMBA_CACHE_DIR names another one. Any number of processes and machines may share it: each type of processor
    has files of its own, so do this on one machine of each type. It takes a few minutes, and some seconds when all is
    there.
    """
    failed = 0 if options.check else _compile()
    return _tell(checked=options.check) or int(failed > 0)


def _compile() -> int:
    """Rehearse everything, keep the list of kernels that were called for; return how many rehearsals failed."""
    from jwrules.cli import rehearsal
    from jwrules.kernels import cache

    begun = time.monotonic()
    log.info("kernels of this processor (%s) are kept in %s", _processor(), _folders()[0])
    failed = sum(not _rehearse(one) for one in [*rehearsal.usual(), *rehearsal.ON_REQUEST])
    new = [kernel for kernel in cache.asked if not kernel.found]
    log.info(
        "%d kernels compiled, %d were there; %.0f s", len(new), len(cache.asked) - len(new), time.monotonic() - begun
    )
    cache.keep(_list_name(), json.dumps(_list_of(cache.asked)).encode(), _folders())
    return failed


def _rehearse(one: Rehearsal) -> bool:
    """Play one rehearsal and say what it compiled; return whether it went well."""
    from jwrules.kernels import cache

    before, begun = len(cache.asked), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="jwrules-warmup-"))
    try:
        one.play(folder)
    except JwrulesError as reason:
        log.warning("%s: this could not be rehearsed, its kernels are compiled when they run: %s", one.title, reason)
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    compiled = sum(not kernel.found for kernel in cache.asked[before:])
    log.info("%6.1f s %4d compiled  %s", time.monotonic() - begun, compiled, one.title)
    return True


def _tell(*, checked: bool) -> int:
    """Say what is not compiled, and whether anything is; return the exit status."""
    listed = _read_list()
    if listed is None:
        print(f"everything is to be compiled: nothing was for this processor ({_processor()}), as far as is known here")
        return 1
    missing = sorted({kernel["function"] for kernel in listed["kernels"] if not _is_kept(**kernel)})
    for function in missing:
        print(function)
    if missing:
        print(f"{len(missing)} kernels are to be compiled")
    elif listed["sources"] != _sources():
        print("jwrules has changed since it was warmed up: there may be kernels that were not called for then")
        return 1
    elif checked:
        print(f"all kernels are compiled: {len(listed['kernels'])} in {_folders()[0]}")
    return int(bool(missing))


def _list_of(kernels: Iterable[Asked]) -> dict[str, Any]:
    unique = {kernel.file: {"function": kernel.function, "file": kernel.file} for kernel in kernels}
    return {"sources": _sources(), "kernels": [unique[file] for file in sorted(unique)]}


def _read_list() -> dict[str, Any] | None:
    for folder in _folders():
        try:
            found: dict[str, Any] = json.loads((folder / _list_name()).read_text())
            return found
        except (OSError, ValueError):
            continue
    return None


def _is_kept(function: str, file: str) -> bool:
    from jwrules.kernels import cache

    module = import_module(function.rpartition(".")[0])
    return any(cache.opened(folder / file, cache.stamp(module.__name__)) is not None for folder in _folders())


def _list_name() -> str:
    """Return the name of the list of what was compiled for this processor."""
    return f"warmup-{hashlib.sha256(repr(_target()).encode()).hexdigest()[:16]}.json"


def _target() -> Sequence[str]:
    from numba.core.registry import cpu_target

    target: Sequence[str] = cpu_target.target_context.codegen().magic_tuple()
    return target


def _processor() -> str:
    return _target()[1]


def _folders() -> tuple[Path, ...]:
    from jwrules.kernels import cache

    return cache.folders(Path(cache.__file__).parent)


def _sources() -> str:
    """Return a digest of what decides on which kernels are called, and how: the package and its recipes."""
    from jwrules import house

    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for folder, pattern in ((package, "*.py"), (house.root() / "recipes", "*.yaml")):
        for path in sorted(folder.rglob(pattern)):
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
