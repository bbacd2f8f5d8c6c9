"""The lock of a working directory: one run at a time changes what is in it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from jwrules.house import STORE


@contextlib.contextmanager
def held(directory: Path) -> Iterator[bool]:
    """Hold the lock of a working directory meanwhile; give whether that is so: not while another run is at work there.

    Nor where the directory cannot be written. A killed run frees it.
    """
    place = directory / STORE / "run.lock"
    with contextlib.ExitStack() as opened:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            fcntl.flock(opened.enter_context(place.open("w")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
