"""Headers that were read before, kept in a file, so that ten thousand exposures are scanned again in a second."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwrules import headers, kept
from jwrules.errors import HeaderFault
from jwrules.unchanged import is_settled, state

log = logging.getLogger("jwrules")

Stat = tuple[int, int, int, int]
"""Size in bytes, times of change of content and of inode (ns), inode number."""

_LAYOUT = 3
"""To be raised where the layout of the file, or what `headers.read` gives, changes."""

Entry = tuple[Stat, headers.Header]


@dataclass
class Known:
    """Headers read before, by path, with size, times and inode; those of files that are gone are forgotten.

    Most of what headers say they all say: equal texts are one object, in memory and in the file.
    """

    before: Mapping[str, Entry] = field(default_factory=dict)
    now: dict[str, Entry] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None) -> Known:
        """Return what a cache holds; one that is missing or damaged holds nothing."""
        content: Any = kept.load(path) if path else None
        is_ours = isinstance(content, dict) and content.get("layout") == _LAYOUT
        before: Any = content.get("headers") if is_ours else None
        return cls(before) if _is_known(before) else cls()

    def header(self, path: Path, read: Callable[[Path], headers.Header] = headers.read) -> headers.Header:
        """Return the header of a file, from the cache where the file was not written to since; else `read` gives it."""
        try:
            now = state(path)
        except OSError as fault:
            raise HeaderFault(f"{path}: cannot be read: {fault.strerror}") from fault
        place = str(path.absolute())
        entry, settled = self.before.get(place), True
        if entry is None or entry[0] != now:
            settled = is_settled(now)
            entry = now, {keyword: self._shared(value) for keyword, value in read(path).items()}
        if settled:
            self.now[place] = entry
        return entry[1]

    def _shared(self, value: Any) -> Any:
        return self.texts.setdefault(value, value) if isinstance(value, str) else value

    def save(self, path: Path | None) -> None:
        """Write the cache where it changed, so that a reader never sees half of it; warn where that cannot be."""
        if path is None or self.now == self.before:
            return
        try:
            kept.save(path, {"layout": _LAYOUT, "headers": self.now})
        except OSError as fault:
            log.warning("%s: the headers that were read cannot be kept: %s", path, fault.strerror)


def _is_known(content: Any) -> bool:
    """Return whether that is what `Known` keeps: headers by path."""
    entries = content.values() if isinstance(content, dict) else [None]
    return all(isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], dict) for one in entries)
