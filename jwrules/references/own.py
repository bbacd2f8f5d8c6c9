"""What reference files say of themselves: the keywords that they are selected by, read from FITS, ASDF and JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwrules.errors import HeaderFault
from jwrules.references import tree
from jwrules.references.keywords import PATHS, PATTERNS

log = logging.getLogger("jwrules")

_WANTED = (*PATHS, *(pattern for pattern, _ in PATTERNS.values()))
_PLACES = {**PATHS, **dict(PATTERNS.values())}


def keywords(path: Path) -> dict[str, Any]:
    """Return the selection keywords of a file; of one that cannot be read, the fault."""
    try:
        return _READERS[path.name.removesuffix(".gz").rpartition(".")[2]](path)
    except HeaderFault as fault:
        log.warning("%s", fault)
        return {"fault": str(fault)}


def _from_fits(path: Path) -> dict[str, Any]:
    from jwrules import headers

    header = headers.read(path)
    return {keyword: header[keyword] for keyword in _WANTED if header.get(keyword) is not None}


def _from_asdf(path: Path) -> dict[str, Any]:
    meta = tree.read(path).get("meta")
    found = {keyword: _at(meta, place) for keyword, place in _PLACES.items()}
    return {keyword: value for keyword, value in found.items() if value is not None}


def _at(meta: Any, place: str) -> Any:
    for name in place.split("."):
        meta = meta.get(name) if isinstance(meta, Mapping) else None
    return meta


def _from_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as reason:
        raise HeaderFault(f"{path}: cannot be read as JSON ({reason})") from reason
    by_keyword = {str(name).upper(): value for name, value in content.items()} if isinstance(content, dict) else {}
    return {keyword: by_keyword[keyword] for keyword in _WANTED if keyword in by_keyword}


_READERS = {"fits": _from_fits, "asdf": _from_asdf, "json": _from_json}


def is_readable(path: Path) -> bool:
    """Return whether a file is, by its name, of a kind that says what it is: FITS, gzipped or not, ASDF or JSON."""
    return path.name.endswith((".fits", ".fits.gz", ".asdf", ".json"))
