"""The lock of a working directory: one run at a time changes what is in it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

from jwrules.errors import WorkflowFault
from jwrules.house import STORE

log = logging.getLogger("jwrules")

_PAUSE = 0.02
"""Seconds between two looks whether a lock was freed."""

_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN)
_NONE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EBADF)
"""What file systems say that know no locks, or not of a file that is open for reading only."""


@contextlib.contextmanager
def held(directory: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a working directory meanwhile; give whether that is so: not while another run is at work there.

    A killed run frees it. `patience`: seconds to wait for it. On a file system without locks it is done without, and
    said. WorkflowFault where the lock cannot be had for another reason.
    """
    with _opened(directory / STORE / "run.lock") as file:
        yield _taken(file, time.monotonic() + patience)


def _opened(place: Path) -> IO[str]:
    """Open the file of a lock, only to read where it is somebody else's."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.open("r" if place.exists() and not os.access(place, os.W_OK) else "w")
    except OSError as reason:
        raise _without(place, reason) from reason


def _taken(file: IO[str], until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as reason:
            if reason.errno in _NONE:
                _warn(file.name, str(reason.strerror))
                return True
            if reason.errno not in _BUSY:
                raise _without(Path(file.name), reason) from reason
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)


def _without(place: Path, reason: OSError) -> WorkflowFault:
    return WorkflowFault(
        f"{place}: the lock of this working directory cannot be had ({reason.strerror}); make the file yours,"
        " or name another folder with --output"
    )


@cache
def _warn(place: str, why: str) -> None:
    """Once for each directory."""
    log.warning(
        "%s: no lock can be had on this file system (%s): see to it that one run at a time works here", place, why
    )
