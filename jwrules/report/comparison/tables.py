"""Differences of tables: catalogues matched by position, others row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from jwrules.errors import DataFault
from jwrules.kernels.distribution import TO_SIGMA
from jwrules.report.comparison.results import Column, Table

RADIUS = 100.0
"""How far apart (milliarcseconds) two sources may be and still be the same."""

_ERROR_ENDINGS = ("_err", "_error", "_ERROR")
_ERROR_OF = {"SURF_BRIGHT": "SB_ERROR", "BACKGROUND": "BKGD_ERROR"}
_NOT_DATA = {"DATE", "FILENAME", "CAL_VER", "CAL_VCS", "JWRULES", "JWRECIPE", "label", "nn_label"}


@dataclass(frozen=True)
class Match:
    """Which rows of A and of B belong together, and how that was found; `names` are those of all rows of A and B."""

    by: str
    a: np.ndarray
    b: np.ndarray
    names: tuple[list[str], list[str]]


def read(path: Path) -> QTable:
    """Return the catalogue at `path`; DataFault for what is none."""
    if not path.is_file():
        raise DataFault(f"{path}: there is no such file")
    try:
        return QTable.read(path, format="ascii.ecsv")
    except Exception as reason:  # astropy's readers raise what they like on a damaged file
        raise DataFault(f"{path}: cannot be read as ECSV ({reason}); make it again") from reason


def compare_catalogs(name: str, a: QTable, b: QTable, tolerance: float) -> Table:
    """Return the differences of two catalogues, matched by their positions where they have any."""
    match = _match(a, b)
    offsets = _offsets(a, b, match) if "sky_centroid" in a.colnames and "sky_centroid" in b.colnames else None
    one, two = ({name: _plain(table, name) for name in table.colnames} for table in (a, b))
    return _table(name, one, two, match, tolerance, offsets)


@dataclass(frozen=True)
class Scatter:
    """What a picture of two catalogues shows: `pulls`, differences of a column in its error, over its `values` in A.

    `offsets` (n, 2) are the positions A - B of matched sources, east and north (mas); None without positions.
    """

    column: str
    values: np.ndarray
    pulls: np.ndarray
    offsets: np.ndarray | None


def scatter(a: QTable, b: QTable) -> Scatter:
    """Return the differences of the total AB magnitude, else of the first column with errors, and of positions."""
    match = _match(a, b)
    both = [name for name in a.colnames if name in b.colnames and any(e in a.colnames for e in error_names(name))]
    column = next((name for name in ("aper_total_abmag", *both) if name in both), "")
    offsets = _offsets(a, b, match) if "sky_centroid" in a.colnames and "sky_centroid" in b.colnames else None
    if not column:
        return Scatter("", np.zeros(0), np.zeros(0), offsets)
    one, two = _plain(a, column)[match.a], _plain(b, column)[match.b]
    error = _plain(a, next(name for name in error_names(column) if name in a.colnames))[match.a]
    usable = np.isfinite(one) & np.isfinite(two) & (error > 0)
    return Scatter(column, one[usable], (one[usable] - two[usable]) / error[usable], offsets)


def compare_rows(name: str, a: np.ndarray, b: np.ndarray, tolerance: float) -> Table:
    """Return the differences of two tables of a FITS file, row by row."""
    n = min(len(a), len(b))
    names = ([str(k) for k in range(len(a))], [str(k) for k in range(len(b))])
    one, two = ({column: table[column] for column in table.dtype.names or ()} for table in (a, b))
    return _table(name, one, two, Match("their order", np.arange(n), np.arange(n), names), tolerance, None)


def _table(
    name: str,
    a: Mapping[str, np.ndarray],
    b: Mapping[str, np.ndarray],
    match: Match,
    tolerance: float,
    offsets: np.ndarray | None,
) -> Table:
    both = [column for column in a if column in b and column not in _NOT_DATA]
    found = [
        _column(column, a[column][match.a], b[column][match.b], _error(column, a, match.a), match, tolerance)
        for column in both
    ]
    east, north = (None, None) if offsets is None or not len(offsets) else (_middle(one) for one in offsets.T)
    missing = [f"{c} (A only)" for c in a if c not in b] + [f"{c} (B only)" for c in b if c not in a]
    return Table(
        name,
        match.by,
        len(match.a),
        tuple(np.delete(match.names[0], match.a)),
        tuple(np.delete(match.names[1], match.b)),
        tuple(found),
        tuple(missing),
        east,
        north,
    )


def _column(
    name: str, a: np.ndarray, b: np.ndarray, error: np.ndarray | None, match: Match, tolerance: float
) -> Column:
    if a.shape != b.shape:
        return Column(name, len(a), len(a))
    if a.dtype.kind not in "fiu" or b.dtype.kind not in "fiu":
        return Column(name, len(a), int(np.count_nonzero(_by_row(np.asarray(a != b)))))
    with np.errstate(invalid="ignore"):
        difference = np.asarray(a, float) - np.asarray(b, float)
        allowed = tolerance * (np.abs(b) if error is None else np.nan_to_num(error))
        apart = ~((np.abs(difference) <= allowed) | (a == b) | ((a != a) & (b != b)))
    differ = int(np.count_nonzero(_by_row(apart)))
    if error is None or error.shape != difference.shape:
        return Column(name, len(a), differ)
    usable = np.isfinite(difference) & np.isfinite(error) & (error > 0)
    if not usable.any():
        return Column(name, len(a), differ)
    pulls = difference[usable] / error[usable]
    rows = np.broadcast_to(np.arange(len(a)).reshape(-1, *[1] * (a.ndim - 1)), a.shape)[usable]
    low, median, high = (float(one) for one in np.percentile(pulls, [5, 50, 95]))
    farthest = int(np.argmax(np.abs(pulls)))
    where = match.names[0][match.a[rows[farthest]]]
    shift, sigma = float(np.median(difference[usable])), _middle(pulls)[1]
    return Column(name, len(a), differ, shift, median, sigma, low, high, float(pulls[farthest]), where)


def _by_row(cells: np.ndarray) -> np.ndarray:
    """Return which rows have a cell that differs."""
    return np.asarray(cells.any(axis=tuple(range(1, cells.ndim))))


def error_names(column: str) -> list[str]:
    """Return what the column with the errors of this one may be called."""
    return [*filter(None, [_ERROR_OF.get(column)]), *(column + ending for ending in _ERROR_ENDINGS)]


def _error(column: str, table: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray | None:
    found = next((name for name in error_names(column) if name in table), None)
    return None if found is None else np.asarray(table[found][rows], float)


def _middle(values: np.ndarray) -> tuple[float, float]:
    """Return the median and the robust standard deviation."""
    median = float(np.median(values))
    return median, float(TO_SIGMA * np.median(np.abs(values - median)))


def _match(a: QTable, b: QTable) -> Match:
    names = _names(a), _names(b)
    if all("sky_centroid" in table.colnames for table in (a, b)):
        one, two = (_cartesian(SkyCoord(table["sky_centroid"])) for table in (a, b))
        reach = RADIUS / 1000 * u.arcsec.to("rad")
        return Match(f"position, within {RADIUS:g} mas", *_mutual(one, two, reach), names)
    n = min(len(a), len(b))
    return Match("their order", np.arange(n), np.arange(n), names)


def _names(table: QTable) -> list[str]:
    return [str(one) for one in (table["label"] if "label" in table.colnames else range(len(table)))]


def _cartesian(sky: SkyCoord) -> np.ndarray:
    found: np.ndarray = sky.icrs.cartesian.xyz.value.T
    return found


def _mutual(a: np.ndarray, b: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which points are each other's nearest, and not farther apart than `reach`."""
    from scipy.spatial import cKDTree

    known_a, known_b = np.isfinite(a).all(axis=1).nonzero()[0], np.isfinite(b).all(axis=1).nonzero()[0]
    if not len(known_a) or not len(known_b):
        return np.zeros(0, int), np.zeros(0, int)
    a, b = a[known_a], b[known_b]
    distance, to_b = cKDTree(b).query(a)
    _, to_a = cKDTree(a).query(b)
    mine = np.flatnonzero((to_a[to_b] == np.arange(len(a))) & (distance <= reach))
    return known_a[mine], known_b[to_b[mine]]


def _offsets(a: QTable, b: QTable, match: Match) -> np.ndarray:
    """Return the offsets A - B of matched sources, east and north, (n, 2), milliarcseconds."""
    one, two = SkyCoord(a["sky_centroid"]).icrs[match.a], SkyCoord(b["sky_centroid"]).icrs[match.b]
    east, north = two.spherical_offsets_to(one)
    return np.column_stack([east.to_value("mas"), north.to_value("mas")])


def _plain(table: QTable, name: str) -> Any:
    """Return a column as numbers; a position as two, right ascension and declination in degrees."""
    column = table[name]
    if isinstance(column, SkyCoord):
        return np.column_stack([column.icrs.ra.deg, column.icrs.dec.deg])
    if hasattr(column, "mask") and np.asarray(column.mask).any():
        column = column.astype(float).filled(np.nan) if column.dtype.kind in "fiu" else column.filled("")
    return np.asarray(getattr(column, "value", column))
