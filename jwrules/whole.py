"""Files that are there whole or not at all: written beside their place, under a hidden name, and renamed."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a name beside `path`; what is made there takes its place when all went well, and is removed when not.

    The name is nobody else's, though processes of several machines write the same file. Folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        yield fresh
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def write(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8 with the line ends that it has; OSError where that cannot be."""
    with beside(path) as fresh:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)
