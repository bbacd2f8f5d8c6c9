"""Filling the cache of CRDS: every file lands complete under its name, or not at all.

Nothing is locked. Any number of processes, on any number of machines, may fetch into one cache while others read it:
each writes files of its own, compares size and SHA-1 with what the server said, and renames.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import random
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from jwrules.errors import ReferenceFault
from jwrules.references import library
from jwrules.references.server import Listed, Server

log = logging.getLogger("jwrules")

_ATTEMPTS = 3
_PAUSE = 2.0
"""Seconds before another attempt."""

_STREAMS = 4
"""How many files come at once."""

_PART = ".part"
_HOST = socket.gethostname().replace("-", "_")
_OURS = f"{_HOST}-{os.getpid()}"
"""How a file is called while it comes: .NAME.HOST-PROCESS-RANDOM.part"""


def fetch(files: Sequence[Listed], server: Server, streams: int = _STREAMS) -> None:
    """Fetch files, several at once; those that another process brought meanwhile are left alone.

    Raises ReferenceFault with every file that did not come, after all others did; at once where the disk is full.
    """
    _check_room(files)
    turns = list(files)
    random.shuffle(turns)  # two processes that fetch the same files share them
    faults: list[str] = []
    stop = threading.Event()

    def bring(number: int, file: Listed) -> None:
        if stop.is_set() or file.is_there():
            return
        try:
            fetch_one(file, server, stop)
            log.info("%d of %d: %s, %s", number, len(turns), file.name, megabytes(file.size))
        except ReferenceFault as fault:
            faults.append(str(fault))
            if isinstance(fault, DiskFull):
                stop.set()

    with ThreadPoolExecutor(streams) as threads:
        try:
            for _ in threads.map(bring, range(1, len(turns) + 1), turns):
                pass
        except BaseException:
            stop.set()
            raise
    if faults:
        raise ReferenceFault("\n".join([*dict.fromkeys(faults), "the same command fetches what is still missing"]))


class DiskFull(ReferenceFault):
    """There is no room for a file."""


class _Damaged(Exception):
    """What came is not what was promised."""


def fetch_one(file: Listed, server: Server, stop: threading.Event | None = None) -> None:
    """Fetch a file, in several attempts if need be; ReferenceFault where it does not come as the server lists it."""
    stop = stop or threading.Event()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _land(file, _until(stop, server.pieces(file.name)))
            return
        except OSError as reason:
            raise _no_place(file, reason) from reason
        except Exception as reason:
            if attempt == _ATTEMPTS or stop.is_set():
                raise ReferenceFault(f"{file.name} does not come from {server.url}: {reason}") from reason
        time.sleep(_PAUSE)


def _until(stop: threading.Event, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if stop.is_set():
            raise _Damaged("it was stopped")
        yield piece


def _land(file: Listed, pieces: Iterable[bytes]) -> None:
    """Write a file beside its place, compare it with what was promised, and give it its name."""
    file.place.parent.mkdir(parents=True, exist_ok=True)
    part = file.place.with_name(f".{file.name}.{_OURS}-{uuid.uuid4().hex[:8]}{_PART}")
    digest, size = hashlib.sha1(), 0
    try:
        with part.open("xb") as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
            out.flush()
            os.fsync(out.fileno())
        if size != file.size:
            raise _Damaged(f"{size} bytes came of {file.size}")
        if file.sha1 and digest.hexdigest() != file.sha1:
            raise _Damaged(f"what came has SHA-1 {digest.hexdigest()}, the server says {file.sha1}")
        part.replace(file.place)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def sweep() -> None:
    """Remove what killed processes of this machine left behind in the cache."""
    for kind in ("mappings", "references"):
        for part in library.folder(kind).rglob(f".*.{_HOST}-*-*{_PART}"):
            if not _runs(int(part.name.removesuffix(_PART).split("-")[-2])):
                part.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _check_room(files: Sequence[Listed]) -> None:
    """Raise DiskFull where the files have no room."""
    needed = sum(file.size for file in files)
    folder = library.folder("references")
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFull(f"{folder}: {megabytes(needed)} are to come, {megabytes(free)} are free; nothing was fetched")


def _no_place(file: Listed, reason: OSError) -> ReferenceFault:
    if reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"{file.place.parent}: the disk is full: there is no room for {file.name} ({megabytes(file.size)});"
            " nothing of it is left behind"
        )
    return ReferenceFault(f"{file.place}: it cannot be written: {reason.strerror}; CRDS_PATH names the cache")


def megabytes(size: int) -> str:
    """Return a size in bytes for people."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
