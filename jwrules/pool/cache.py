"""Headers that were read before: a JSON file, so that ten thousand exposures are scanned again in a second."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwrules import headers
from jwrules.errors import HeaderFault

log = logging.getLogger("jwrules")

_LAYOUT = 2
"""To be raised where the layout of the file, or what `headers.read` gives, changes."""


@dataclass
class Known:
    """Headers read before, by path, with size, times and inode; those of files that are gone are forgotten."""

    before: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    now: dict[str, Sequence[Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None) -> Known:
        """Return what a cache holds; one that is missing or damaged holds nothing."""
        if path is None or not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(content["headers"]) if content["layout"] == _LAYOUT else cls()
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def header(self, path: Path, read: Callable[[Path], headers.Header] = headers.read) -> headers.Header:
        """Return the header of a file, from the cache where the file was not written to since; else `read` gives it."""
        try:
            stat = path.stat()
        except OSError as fault:
            raise HeaderFault(f"{path}: cannot be read: {fault.strerror}") from fault
        place = str(path.absolute())
        entry = self.before.get(place)
        now = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        if entry is None or list(entry[0]) != now:
            entry = (now, read(path))
        self.now[place] = entry
        return dict(entry[1])

    def save(self, path: Path | None) -> None:
        """Write the cache where it changed, so that a reader never sees half of it; warn where that cannot be."""
        if path is None or self.now == self.before:
            return
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps({"layout": _LAYOUT, "headers": self.now}), encoding="utf-8")
            fresh.replace(path)
        except OSError as fault:
            log.warning("%s: the headers that were read cannot be kept: %s", path, fault.strerror)
