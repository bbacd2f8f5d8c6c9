"""The records of a working directory, each read once while it stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwrules import kept
from jwrules.records import record
from jwrules.records.contents import Stat, stat
from jwrules.unchanged import is_settled


@dataclass(frozen=True)
class Summary:
    """What of a record decides: its identity, members and what it gave as (digest, stat) by file name."""

    identity: str
    members: Mapping[str, tuple[str, Stat]]
    gave: Mapping[str, tuple[str, Stat]]


@dataclass
class Known:
    """Records by path. What was read is kept in a file; a damaged one is begun anew."""

    path: Path
    before: dict[str, tuple[Stat, Summary]] = field(default_factory=dict)
    now: dict[str, tuple[Stat, Summary]] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path) -> Known:
        """Return what a file keeps."""
        before = kept.load(path, (Summary,))
        return cls(path, before) if _is_known(before) else cls(path)

    def of(self, path: Path | str) -> Summary | None:
        """Return the summary of a record, looked for once, or None where there is none that can be read."""
        place = str(path)
        if place in self.now:
            return self.now[place][1]
        found = stat(place)
        if found is None:
            return None
        entry = self.before.get(place)
        if entry is None or entry[0] != found:
            if not is_settled(found):
                self.unsettled.add(place)
            read = record.read(Path(place))
            if read is None:
                return None
            entry = found, _summary(read)
        self.now[place] = entry
        return entry[1]

    def save(self) -> None:
        """Keep what was read, complete or not at all; what cannot be written is done without."""
        settled = {place: entry for place, entry in self.now.items() if place not in self.unsettled}
        if settled != self.before:
            with contextlib.suppress(OSError):
                kept.save(self.path, settled)


def _is_known(content: Any) -> bool:
    """Return whether that is what `Known` keeps: records by path."""
    entries = content.values() if isinstance(content, dict) else [None]
    return all(isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], Summary) for one in entries)


def _summary(read: record.Record) -> Summary:
    return Summary(
        identity=read.identity,
        members={one.file: (one.digest, one.stat) for one in read.members},
        gave={one.file: (one.digest, one.stat) for one in read.gave},
    )
