"""Products get their final names, and are known again: another process may put its own in the same place."""

from __future__ import annotations

import os
from pathlib import Path

from jwrules.unchanged import State, is_linked, state

_PUT: dict[str, State] = {}
"""As what this process put products in place."""


def put(temporary: Path, path: Path) -> None:
    """Give a file its final name."""
    found = state(temporary)
    os.replace(temporary, path)
    _PUT[os.path.abspath(path)] = found


def is_ours(path: Path) -> bool:
    """Return whether a product is still the file that this process put there; True where it put none."""
    found = _PUT.get(os.path.abspath(path))
    return found is None or is_linked(found, state(path))
