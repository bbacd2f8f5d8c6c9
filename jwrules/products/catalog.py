"""Reading what users name in a parameter: catalogues of positions, lists of sky levels."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table

from jwrules.errors import CannotRun, DataFault


def positions(path: Path | str) -> np.ndarray:
    """Return right ascension and declination (n, 2), degrees, of the catalogue at `path`.

    Any table that astropy reads by its file name (ECSV, FITS, ...), with columns RA and DEC in any case, in degrees
    unless they say otherwise, or `sky_centroid` as in the catalogues of source_catalog. Raises DataFault.
    """
    table = _read(path)
    named = {name.upper(): name for name in table.colnames}
    if len(named) < len(table.colnames):
        raise DataFault(f"{path}: columns that differ only in case: {', '.join(table.colnames)}; rename them")
    if "RA" in named and "DEC" in named:
        return np.column_stack([_degrees(table[named[axis]]) for axis in ("RA", "DEC")])
    if "SKY_CENTROID" in named:
        sky = SkyCoord(table[named["SKY_CENTROID"]]).icrs
        return np.column_stack([sky.ra.deg, sky.dec.deg])
    raise DataFault(f"{path}: no columns RA and DEC, nor sky_centroid; it has {', '.join(table.colnames)}")


def _read(path: Path | str) -> Table:
    if not Path(path).is_file():
        raise DataFault(f"{path}: there is no such catalogue")
    try:
        return Table.read(path)
    except (OSError, ValueError, TypeError) as reason:
        raise DataFault(f"{path}: cannot be read as a table ({reason})") from reason


def _degrees(column: np.ndarray) -> np.ndarray:
    unit = getattr(column, "unit", None)
    values: np.ndarray = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    return values * (unit.to("deg") if unit is not None else 1.0)


def sky_levels(path: Path | str) -> dict[str, float]:
    """Return the sky level of each image named in the text file at `path`: lines `file-name level`, # comments.

    Raises DataFault for a line that is not of that kind, or an image named twice.
    """
    if not Path(path).is_file():
        raise DataFault(f"{path}: there is no such list of sky levels")
    levels: dict[str, float] = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if words:
            name, level = _sky_level(f"{path}, line {number}", words)
            if name in levels:
                raise DataFault(f"{path}, line {number}: {name} is named twice")
            levels[name] = level
    return levels


def _sky_level(where: str, words: list[str]) -> tuple[str, float]:
    try:
        name, level = words
        return Path(name).name, float(level)
    except ValueError as reason:
        raise DataFault(f"{where}: '{' '.join(words)}' is not a file name and a number") from reason


def gaia(name: str, center: tuple[float, float], radius: float, epoch: float) -> np.ndarray:
    """Return right ascension and declination (n, 2), degrees at `epoch` (decimal year), from a Gaia catalogue.

    `center` and `radius` are in degrees. The archive is the one of STScI, or that of the environment variable
    ASTROMETRIC_CATALOG_URL; stars without proper motion are left out. Raises CannotRun where it does not answer.
    """
    service = os.environ.get("ASTROMETRIC_CATALOG_URL", "https://gsss.stsci.edu/webservices")
    query = {"RA": center[0], "DEC": center[1], "EPOCH": epoch, "SR": radius, "FORMAT": "CSV", "CAT": name}
    try:
        with urlopen(f"{service}/vo/CatalogSearch.aspx?{urlencode(query)}", timeout=30) as answer:
            text = answer.read().decode()
    except (OSError, UnicodeError) as reason:
        raise CannotRun(
            f"the catalogue {name} is asked for over the network, and {service} does not answer ({reason}); "
            "give the path of a catalogue with RA and DEC instead"
        ) from reason
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    return _moving(Table.read(rows, format="ascii.csv")) if len(rows) > 1 else np.empty((0, 2))


def _moving(stars: Table) -> np.ndarray:
    """The positions of the stars whose proper motion is known, and was therefore applied."""
    columns: list[np.ndarray] = [
        np.ma.filled(np.ma.asarray(stars[name], dtype=float), np.nan) for name in ("ra", "dec", "pmra", "pmdec")
    ]
    found = np.column_stack(columns)
    return found[np.isfinite(found).all(axis=1), :2]
