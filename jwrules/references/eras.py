"""The dates at which the rules of a CRDS context may choose other files: between two of them the date matters not."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

_MAPPING = re.compile(r"'(\w[\w.-]*\.(?:imap|rmap))'")
_TIME = re.compile(r"'(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?)'")
_BETWEEN_DATES = re.compile(r"\b(?:ClosestTime|GeometricallyNearest|Bracket)\b")
"""Selectors that ask how far dates are, not only which is earlier (CRDS User Guide, "Rmap selectors")."""


def dates(mappings: Path, context: str) -> list[datetime] | None:
    """Return, in order, every date in the rules of a context; None where they do not tell, or are not all there."""
    found: set[str] = set()
    waiting, read = [context], set[str]()
    while waiting:
        name = waiting.pop()
        if name in read:
            continue
        read.add(name)
        try:
            text = (mappings / name).read_text(encoding="utf-8")
        except OSError:
            return None
        if _BETWEEN_DATES.search(text):
            return None
        selector = text.partition("\nselector")[2]
        waiting += _MAPPING.findall(selector)
        found.update(_TIME.findall(selector))
    return sorted(datetime.fromisoformat(date) for date in found)
