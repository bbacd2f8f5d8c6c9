"""Variants of a run: each is a working directory of its own below the first."""

from __future__ import annotations

import re
from pathlib import Path

from jwrules.errors import WorkflowFault
from jwrules.plan.settings import RUN_FILE

FOLDER = "variants"
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")


def place(directory: Path, name: str) -> Path:
    """Return the working directory of a variant of the run in `directory`."""
    if not _NAME.fullmatch(name):
        raise WorkflowFault(
            f"--variant {name}: a name is wanted of letters, digits, '_', '.', '+' and '-', as in jump5"
        )
    return directory / FOLDER / name


def base(directory: Path) -> Path | None:
    """Return the working directory that this one is a variant of; None where it is none."""
    return directory.parent.parent if directory.parent.name == FOLDER else None


def beside(directory: Path) -> list[Path]:
    """Return the other working directories of the same data: the first one, and its variants by name.

    Only where there was a run: a folder that is called so may lie anywhere.
    """
    first = base(directory) or directory
    places = [first, *sorted((first / FOLDER).glob("*"))]
    return [path for path in places if path != directory and (path / RUN_FILE).is_file()]
