"""Whether a reference file is all there: what a download that was cut short left behind is found in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

from jwrules import headers
from jwrules.errors import DataFault, HeaderFault

_BLOCK = b"\xd3BLK"
_HEAD = 48
"""Bytes of a block's header, of which the second eight are the size that is kept for its data."""
_PADDING = 1 << 20
"""Bytes behind the tree in which the first block is looked for: room is left for the tree to grow."""


def fault(path: Path) -> str:
    """Return what shows that a file is cut short or no file of its kind (FITS, ASDF, JSON), or nothing."""
    check = _CHECKS.get(path.suffix)
    try:
        if check:
            check(path)
    except (DataFault, HeaderFault) as found:
        return str(found)
    return ""


def _fits(path: Path) -> None:
    headers.check_complete(path)


def _asdf(path: Path) -> None:
    """Follow the blocks behind the tree to the end of the file (ASDF standard 1.6, "Low-level file layout")."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = _after_tree(path, file)
        while at is not None:
            file.seek(at)
            start = file.read(6)
            if start[:4] != _BLOCK:
                return
            head = file.read(int.from_bytes(start[4:6], "big"))
            end = file.tell() + int.from_bytes(head[8:16], "big")
            if len(head) < _HEAD or end > size:
                where = f"its block at byte {at} goes on behind the end of the file at byte {size}"
                raise DataFault(f"{path}: truncated: {where}; get the file again")
            at = end


def _after_tree(path: Path, file: BinaryIO) -> int | None:
    """Return where the first block begins, if there is one."""
    if not file.readline().startswith(b"#ASDF"):
        raise DataFault(f"{path}: this is no ASDF file; get the file again")
    if not any(line.rstrip() == b"..." for line in file):
        raise DataFault(f"{path}: truncated: the tree of this ASDF file has no end; get the file again")
    behind = file.tell()
    found = file.read(_PADDING).find(_BLOCK)
    return None if found < 0 else behind + found


def _json(path: Path) -> None:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError) as reason:
        raise DataFault(f"{path}: truncated or no JSON: {reason}; get the file again") from reason


_CHECKS = {".fits": _fits, ".gz": _fits, ".asdf": _asdf, ".json": _json}
