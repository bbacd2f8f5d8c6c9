"""Stopping a run in good order, and keeping the chatter of its shells off the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from jwrules.cli.progress import LogHandler


@contextlib.contextmanager
def stderr_to(path: Path) -> Iterator[TextIO]:
    """Send what the shells of the jobs say to a file; give the terminal, for what a person is told."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    saved, file = os.dup(2), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.dup2(file, 2)
        with os.fdopen(os.dup(saved), "w") as terminal:
            yield terminal
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(file)


@contextlib.contextmanager
def stoppable(handlers: Sequence[LogHandler]) -> Iterator[threading.Event]:
    """Let an interrupt end the running jobs and start no other; the event tells that it happened.

    A second interrupt, or one while no job of this machine runs, stops Snakemake at once.
    """
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:
        again, jobs, finish = stopped.is_set(), _jobs(), signal.getsignal(signal.SIGTERM)
        stopped.set()
        for handler in handlers:
            handler.stop()
        if again or not jobs or not callable(finish):
            raise KeyboardInterrupt
        # It takes a lock of Snakemake that this thread may hold.
        threading.Thread(target=finish, args=(signal.SIGTERM, None)).start()
        _interrupt(jobs)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    except Exception:
        if not stopped.is_set():
            raise
    finally:
        signal.signal(signal.SIGINT, before)


def _jobs() -> list[Any]:
    import psutil

    return list(psutil.Process().children(recursive=True))


def _interrupt(jobs: Sequence[Any]) -> None:
    import psutil

    for job in jobs:
        with contextlib.suppress(psutil.Error):
            job.send_signal(signal.SIGINT)
