"""Writing of catalogues: ECSV, which astropy and people both read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.table import Table

import jwrules
from jwrules.products.fits import arriving


def write(path: Path | str, table: Table, provenance: Mapping[str, Any]) -> Path:
    """Write `table` to `path` as ECSV with how it was made in its meta; complete or not at all."""
    path = Path(path)
    stamped = table.copy()
    stamped.meta["jwrules"] = {"release": jwrules.__version__, **provenance}
    with arriving(path) as temporary:
        stamped.write(temporary, format="ascii.ecsv", overwrite=True)
    return path
