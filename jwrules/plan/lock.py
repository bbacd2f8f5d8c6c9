"""The lock of a working directory: one run at a time changes what is in it."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from jwrules.house import STORE

_PAUSE = 0.02
"""Seconds between two looks whether a lock was freed."""


@contextlib.contextmanager
def held(directory: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a working directory meanwhile; give whether that is so: not while another run is at work there.

    Nor where the directory cannot be written. A killed run frees it. `patience`: seconds to wait for it.
    """
    place = directory / STORE / "run.lock"
    with contextlib.ExitStack() as opened:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            file = opened.enter_context(place.open("w"))
        except OSError:
            yield False
        else:
            yield _taken(file, time.monotonic() + patience)


def _taken(file: IO[str], until: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
