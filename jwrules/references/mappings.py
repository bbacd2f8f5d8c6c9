"""The rules of a CRDS context: a pmap names the imap of each instrument, that the rmap of each type, that the files.

All are text in the syntax of Python (CRDS User Guide, "CRDS Rules"). Here they are only looked into: which of them
decide on a file, what each contains to the byte, and at which dates an rmap may change its mind. What an rmap chooses
the library `crds` says.
"""

from __future__ import annotations

import ast
import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault

_TIME = re.compile(r"'(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?'")
_FILE = re.compile(r"'(\w[\w.+-]*\.(?:fits|asdf|json))'")
_BY_DATE_ALONE = {"Match", "UseAfter"}
"""Selectors of an rmap whose answer changes with the date only at the dates that stand in it."""


@dataclass(frozen=True)
class MappingFile:
    """One pmap, imap or rmap: its text as it stands on disk."""

    path: Path
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def selector(self) -> Mapping[str, Any]:
        """What the selector of a pmap or imap names; ReferenceFault where it is no plain mapping."""
        found = self._assigned("selector")
        if not isinstance(found, dict):
            raise ReferenceFault(f"{self.path}: its selector is no mapping from names to names; get the file again")
        return found

    @cached_property
    def times(self) -> list[str] | None:
        """The instants, in order, at which an rmap may change what it chooses; None where that cannot be told."""
        header = self._assigned("header")
        classes = set(header.get("classes", ())) if isinstance(header, dict) else set()
        if not classes or classes - _BY_DATE_ALONE:
            return None
        return sorted({_instant(*found.groups()) for found in _TIME.finditer(self.content.decode(errors="replace"))})

    @property
    def files(self) -> set[str]:
        """The reference files that an rmap names."""
        return set(_FILE.findall(self.content.decode(errors="replace")))

    def _assigned(self, name: str) -> Any:
        try:
            for node in ast.parse(self.content).body:
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                    return ast.literal_eval(node.value)
        except (SyntaxError, ValueError) as reason:
            if name == "header":
                return None
            raise ReferenceFault(f"{self.path}: these are no rules of CRDS ({reason}); get them again") from reason
        return None


@dataclass
class Rules:
    """The mappings of a context; `locate(name)` gives the path of one, or raises."""

    context: str
    locate: Callable[[str], Path]
    used: dict[str, MappingFile] = field(default_factory=dict)

    def deciding(self, instrument: str, reftype: str) -> list[MappingFile]:
        """Return the mappings that decide on a type for an instrument: pmap, imap, rmap, as far as they go."""
        names, chain = (instrument.upper(), reftype.upper()), [self._read(self.context)]
        for name in names:
            below = chain[-1].selector.get(name)
            if not (isinstance(below, str) and below.endswith((".imap", ".rmap"))):
                break
            chain.append(self._read(below))
        return chain

    def below(self, instrument: str) -> list[str]:
        """Return the rmaps that the imap of an instrument names: the library reads them all, whatever it is asked."""
        imap = self.deciding(instrument, "")[-1]
        names = imap.selector.values() if imap.path.suffix == ".imap" else ()
        return sorted(name for name in names if isinstance(name, str) and name.endswith(".rmap"))

    def rmap(self, instrument: str, reftype: str) -> MappingFile | None:
        """Return the rmap of a type for an instrument, or None where the context has none."""
        last = self.deciding(instrument, reftype)[-1]
        return last if last.path.suffix == ".rmap" else None

    def named(self, name: str) -> MappingFile:
        """Return the mapping of this name; to look at it is not to use it."""
        path = self.locate(name)
        return self.used.get(name) or MappingFile(path, path.read_bytes())

    def _read(self, name: str) -> MappingFile:
        if name not in self.used:
            path = self.locate(name)
            self.used[name] = MappingFile(path, path.read_bytes())
        return self.used[name]


def epoch(times: Sequence[str] | None, date: Any, time: Any) -> int | str:
    """Return the same for all instants (DATE-OBS, TIME-OBS) that lie between the same two of these times.

    Where the times are not known, or the instant is none, that is the instant itself.
    """
    at = _TIME.fullmatch(f"'{date} {time}'")
    if times is not None and not times:
        return 0
    if times is None or at is None:
        return f"{date} {time}"
    return bisect_right(times, _instant(*at.groups()))


def _instant(date: str, time: str, fraction: str | None) -> str:
    """Return a time so that instants are in the order of their texts."""
    return f"{date} {time}.{fraction or '':0<9}"
