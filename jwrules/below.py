"""The files below a folder: one rule for data, reference files and whatever else is searched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

_APART = "__pycache__"


def _ignore(fault: OSError) -> None:
    """What happens where a folder cannot be searched and nobody cares."""


def files(folder: Path, refuse: Callable[[OSError], None] = _ignore) -> Iterator[Path]:
    """Yield the files in a folder and below it, in an order that depends on names alone.

    Links to folders are followed, and each folder is searched once, however many lead to it: by its own place rather
    than by a link. What is hidden is left out. `refuse` is called where a folder cannot be searched.
    """
    seen: set[tuple[int, int]] = set()
    own, linked = [str(folder)], list[str]()
    while own or linked:
        place = own.pop() if own else linked.pop(0)
        try:
            entries = _entries(place, seen)
        except OSError as fault:
            refuse(fault)
            continue
        for entry in entries:
            if _is_folder(entry):
                (linked if entry.is_symlink() else own).append(entry.path)
            else:
                yield Path(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself, say: it is found as a file, and told where it is opened.
        return False


def _entries(place: str, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """Return what a folder holds, by name; nothing where it was `seen`."""
    stat = os.stat(place)
    if (stat.st_dev, stat.st_ino) in seen:
        return []
    seen.add((stat.st_dev, stat.st_ino))
    with os.scandir(place) as entries:
        shown = [one for one in entries if not one.name.startswith(".") and one.name != _APART]
    return sorted(shown, key=lambda one: one.name)
