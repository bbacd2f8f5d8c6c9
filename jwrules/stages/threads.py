"""Blocks worked on side by side, each thread keeping to itself what the first block has said."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager

from jwrules.kernels.compiled import allowed_threads, single_threaded
from jwrules.stages.boxes import Box

log = logging.getLogger("jwrules")

_thread = threading.local()


def in_parallel(work: Callable[[Box], None], boxes: Iterator[Box]) -> None:
    """Work on all boxes, on as many threads as are allowed; the first error ends it."""
    threads = allowed_threads()

    def alone(box: Box) -> None:
        with single_threaded(), quiet():
            work(box)

    if threads == 1:
        for box in boxes:
            alone(box)
        return
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(alone, box) for box in boxes]
        try:
            ended, _ = wait(parts, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    for part in (one for one in parts if one in ended):
        part.result()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what this thread says to itself: the first block has said it."""
    before = getattr(_thread, "quiet", False)
    _thread.quiet = True
    try:
        yield
    finally:
        _thread.quiet = before


log.addFilter(lambda record: not getattr(_thread, "quiet", False))
