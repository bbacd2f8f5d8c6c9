"""Writing of ASDF files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asdf

from jwrules.products.fits import arriving


def write(path: Path, tree: Mapping[str, Any]) -> Path:
    """Write `tree` to `path`, complete or not at all; return the path."""
    with arriving(path) as temporary:
        asdf.AsdfFile(dict(tree)).write_to(temporary)
    return path
