"""A folder of this machine to write in, where products belong in a folder that many machines share.

Products are written in pieces, to and fro; over a network that is slow. So they are written aside, and copied once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jwrules.house import SCRATCH


def folder() -> Path | None:
    """Return the folder to write in, or None where products are written where they belong.

    The environment variable SCRATCH names places as PATH does, folders or other variables that name one; the first that
    can be written in is taken.
    """
    return next(_usable(), None)


def _usable() -> Iterator[Path]:
    for place in filter(None, os.environ.get(SCRATCH, "").split(os.pathsep)):
        path = Path(place if os.path.isabs(place) else os.environ.get(place, ""))
        if path.is_absolute() and path.is_dir() and os.access(path, os.W_OK | os.X_OK):
            yield path


@contextmanager
def aside(temporary: Path, path: Path) -> Iterator[Path]:
    """Give a name to write the product `path` to, which is copied to `temporary` at the end; or that, without scratch.

    What a killed process left of the same product is removed.
    """
    place = folder()
    if place is None:
        yield temporary
        return
    mark = f"jwrules-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]}-"
    for left in place.glob(f"{mark}*-*"):
        if not is_at_work(left.name.split("-")[2]):
            shutil.rmtree(left, ignore_errors=True)
    own = Path(tempfile.mkdtemp(prefix=f"{mark}{os.getpid()}-", dir=place))
    try:
        yield own / path.name
        _copy(own / path.name, temporary)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def is_at_work(process: str) -> bool:
    """Tell whether there is a process of this number on this machine; what is no number might be one."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True


def _copy(written: Path, path: Path) -> None:
    """Copy a file; it is on the disk before it gets its final name, whatever becomes of this machine."""
    shutil.copyfile(written, path)
    with path.open("rb") as file:
        os.fsync(file.fileno())
