"""What tells, without reading it, that a file is still the one that was looked at before."""

from __future__ import annotations

import os
import time
from pathlib import Path

State = tuple[int, int, int, int]
"""Size, times of change of content and of inode (ns), number of the inode.

Whoever keeps the time of content (`cp -p`, `rsync -t`, `touch -r`) leaves a trace in one of the other two.
"""


SETTLED = 2_000_000_000
"""Nanoseconds after which a change of a file has another time than the one before, on every file system."""
FINE = 50_000_000
"""The same where times have fractions of a second: they are those of the kernel's clock, some milliseconds apart."""

_SECOND = 1_000_000_000


def is_settled(found: State, at: int | None = None) -> bool:
    """Return whether a file that was found so, now or `at` a time (ns), would show whatever change came later.

    Of one that changed a moment before, a second change might not be seen: what was learnt of it is not to be kept.
    """
    moment = FINE if found[2] % _SECOND else SETTLED
    return (time.time_ns() if at is None else at) - found[2] > moment


def is_linked(before: State, now: State) -> bool:
    """Return whether only the time of the inode changed: by a link, a name, a mode, or a hand that set times back."""
    return before[:2] == now[:2] and before[3] == now[3]


def state(path: Path | str) -> State:
    """Return the state of the file that `path` leads to; OSError where there is none."""
    stat = os.stat(path)
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
