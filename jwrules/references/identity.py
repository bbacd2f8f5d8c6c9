"""A context of rules by name *and* content: mappings are mended under their own names, and caches keep the old ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

NO_CONTEXT = "N/A"
"""What CRDS_CTX says of products whose reference files were chosen from a directory, by their own headers."""


@dataclass(frozen=True)
class Identity:
    """A context: `name`, the SHA-256 of each mapping that was used, the version of the library that used them."""

    name: str = NO_CONTEXT
    mappings: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def sha256(self) -> str:
        """One SHA-256 for all mappings that were used, in hexadecimal; nothing for a source without mappings."""
        lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(self.mappings.items())]
        return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""

    def __str__(self) -> str:
        return f"{self.name} ({len(self.mappings)} mappings, {self.sha256[:8]})" if self.mappings else self.name


def changes(before: Identity, now: Identity) -> Iterator[str]:
    """Yield what became different between two uses of contexts; mappings that only one of them used do not count."""
    if before.name != now.name:
        yield f"context {before.name} -> {now.name}"
        return
    for name in sorted(before.mappings.keys() & now.mappings.keys()):
        if before.mappings[name] != now.mappings[name]:
            yield in_place(now.name, name, before.mappings[name], now.mappings[name])


def in_place(context: str, name: str, before: str, now: str) -> str:
    """Return the words for a mapping that is another under its old name."""
    kind = name.rpartition(".")[2]
    return f"context {context} changed in place: {kind} {name} (sha256 {before[:8]} -> {now[:8]})"
