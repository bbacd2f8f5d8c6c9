"""What a file holds, in a few characters: two files with the same digest serve the next stage equally well.

A product of ours is told by the sums of its data (DATASUM, FITS standard 4.0, section 4.4.2.7) and by its keywords,
but those that only say when and with what it was made; any other file by its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwrules import headers
from jwrules.errors import DataFault, HeaderFault, JwrulesError
from jwrules.references.ledger import Ledger, content_hash
from jwrules.unchanged import State, state

_PASSING = re.compile(r"DATE|CHECKSUM|DATASUM|TREESUM|JWRULES|JWRECIPE|CAL_VER|CAL_VCS|CRDS_\w+|R_\w+")
"""Keywords that tell when and with what a product was made."""

_OF_TREE = re.compile(r"NAXIS1|TFORM1|TDIM1")
"""Keywords that follow the length of the ASDF tree, which holds the history too."""

_PIECE = 1 << 22

Stat = State


def stat(path: Path | str) -> Stat | None:
    """Return what tells a file left alone from one that somebody wrote to, whatever its time says; None: no file."""
    try:
        return state(path)
    except OSError:
        return None


def digest(path: Path) -> str:
    """Return the digest of a file: `data:...` for a product whose sums are those of its data, else `file:...`."""
    return data_digest(path, verify=True) or f"file:{content_hash(path)}"


def data_digest(path: Path, *, verify: bool = False) -> str | None:
    """Return the digest of a product of ours, with `verify` only where its sums are true; None for any other file."""
    try:
        hdus = headers.hdus(path) if path.name.endswith(".fits") else ()
    except (HeaderFault, DataFault):
        return None
    if not hdus or "JWRULES" not in hdus[0].header or any("DATASUM" not in hdu.header for hdu in hdus):
        return None
    if verify and not all(_sum_holds(path, hdu) for hdu in hdus):
        return None
    text = json.dumps([_said(hdu) for hdu in hdus], sort_keys=True)
    return f"data:{hashlib.sha256(text.encode()).hexdigest()}"


def _said(hdu: headers.Hdu) -> tuple[str, str, dict[str, Any]]:
    is_tree = hdu.name == "ASDF" and "TREESUM" in hdu.header
    total = str(hdu.header["TREESUM" if is_tree else "DATASUM"])
    return hdu.name, total, _lasting(hdu.header, is_tree)


def _lasting(header: Mapping[str, Any], is_tree: bool) -> dict[str, Any]:
    return {
        key: repr(value)
        for key, value in header.items()
        if not _PASSING.fullmatch(key) and not (is_tree and _OF_TREE.fullmatch(key))
    }


def _sum_holds(path: Path, hdu: headers.Hdu) -> bool:
    """Return whether DATASUM is the sum of the data: ones' complement, that is their remainder modulo 2^32 - 1."""
    said, total = str(hdu.header["DATASUM"]).strip(), 0
    if not said.isdecimal():
        return False
    with path.open("rb") as file:
        file.seek(hdu.start)
        left = hdu.end - hdu.start
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                return False
            total += int.from_bytes(piece, "big")
            left -= len(piece)
            total %= 0xFFFFFFFF
    return (int(said) - total) % 0xFFFFFFFF == 0


class Contents:
    """Digests of files, each read only where it was written to since (by its `Stat`)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._stats: dict[str, Stat | None] = {}

    def stat(self, path: Path | str) -> Stat | None:
        """Return the `Stat` of a file, looked up once."""
        key = str(path)
        if key not in self._stats:
            self._stats[key] = stat(path)
        return self._stats[key]

    def digest(self, path: Path, known: tuple[Stat, str] | None = None) -> str | None:
        """Return the digest of a file, `known` where that was learnt of it as it is; None where there is no file."""
        now = self.stat(path)
        if now is None:
            return None
        if known and known[0] == now:
            return known[1]
        try:
            return str(self._ledger.fact("digest", path.absolute(), digest))
        except (OSError, JwrulesError):
            return None

    def save(self) -> None:
        """Keep what was learnt."""
        self._ledger.save()
