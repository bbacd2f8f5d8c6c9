"""The table itself: its columns, its rows, and the text file that holds it."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules.errors import HeaderFault


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COLUMNS = _columns(
    """
    filename obs_id program obs_num visit visit_id visitgrp visitype seq_id act_id exposure exp_type nexposur
    expcount instrume detector channel targetid targprop targname targtype template pntgtype pntg_seq targordn
    expspcin dithptin mostilno module filter pupil ditherid patttype pattstrt numdthpt pattsize subpxpts patt_num
    subpixel apername sdp_ver subarray grating fxd_slit band gwa_xtil gwa_ytil asn_candidate exposerr is_psf
    is_imprt bkgdtarg tsovisit msastate msametfl opmode lamp spec_num spat_num dms_note exsegtot nints ngroups
    mtshadow
    """
)
"""The columns of the pool files of the ground system (2025)."""

UNKNOWN = "null"

KEYWORD_OF = {"obs_num": "OBSERVTN"}
"""The header keyword of a column, where it is not the name of the column in capitals."""

COLUMN_OF = {keyword: column for column, keyword in KEYWORD_OF.items()}
"""The column of a header keyword, where it is not its name in lower case."""


class Cells(Mapping[str, str]):
    """The cells of a line by column: rows of one table share the columns, so that large tables stay small."""

    __slots__ = ("_cells", "_place")

    def __init__(self, place: Mapping[str, int], cells: tuple[str, ...]) -> None:
        self._place, self._cells = place, cells

    def __getitem__(self, column: str) -> str:
        return self._cells[self._place[column]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


@dataclass(frozen=True)
class Row:
    """One exposure: its columns; for a scanned file its path and primary header, for a pool file its line there."""

    values: Mapping[str, str]
    path: Path | None = None
    scanned: Mapping[str, Any] | None = None
    line: int | None = field(default=None, compare=False)

    def __getitem__(self, column: str) -> str:
        try:
            return self.values[column]
        except KeyError:
            return UNKNOWN

    @cached_property
    def header(self) -> Mapping[str, Any]:
        """The primary header; for a row of a pool file what its columns say of it, in capitals."""
        return self.scanned if self.scanned is not None else _header_of(self.values)


@dataclass(frozen=True)
class Pool:
    """Exposures; `name` is the name of the pool file, as associations record it."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...] = COLUMNS
    name: str = "in-memory"

    @property
    def files(self) -> tuple[Row, ...]:
        """The rows whose file was scanned: each has `path` and `header`."""
        return tuple(row for row in self.rows if row.path is not None)


def read(path: Path | str) -> Pool:
    """Return the pool in a pool file; raises HeaderFault with the line of whatever is wrong with it."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            lines = list(_lines(text))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise HeaderFault(f"{path}: cannot be read: {fault}") from fault
    faults = list(_table_faults(path, lines))
    if faults:
        raise HeaderFault("\n".join(faults))
    columns = tuple(name.strip().lower() for name in lines[0])
    place = {name: number for number, name in enumerate(columns)}
    rows = (Row(Cells(place, line), line=number) for number, line in enumerate(lines[1:], start=2) if line)
    return Pool(tuple(rows), columns, path.name)


def _lines(text: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each line; equal cells are one object, for most of a large table says the same."""
    known: dict[str, str] = {}
    for line in csv.reader(text, delimiter="|"):
        yield tuple([known.setdefault(cell, cell) for cell in line])


def _table_faults(path: Path, lines: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = [name.strip().lower() for name in lines[0]] if lines else []
    missing = [name for name in ("filename", "program", "exp_type", "asn_candidate") if name not in columns]
    if missing:
        yield f"{path}:1: no pool file: the columns {', '.join(missing)} are missing (columns are separated by |)"
        return
    for number, line in enumerate(lines[1:], start=2):
        if line and len(line) != len(columns):
            yield f"{path}:{number}: {len(line)} values for {len(columns)} columns"


def write(pool: Pool, path: Path | str) -> Path:
    """Write a pool file and return its path; what `read` gave is written as it was read."""
    path = Path(path)
    with path.open("w", newline="", encoding="utf-8") as text:
        table = csv.writer(text, delimiter="|", lineterminator="\n")
        table.writerow(pool.columns)
        table.writerows([row[column] for column in pool.columns] for row in pool.rows)
    return path


def candidates(row: Row) -> tuple[tuple[str, str], ...]:
    """Return the association candidates of an exposure: (id, type), such as ('o001', 'observation').

    A text that lists none (null, or a template) gives none.
    """
    try:
        listed = ast.literal_eval(row["asn_candidate"])
        return tuple((str(name), str(kind)) for name, kind in listed)
    except (ValueError, SyntaxError, TypeError):
        return ()


def _header_of(values: Mapping[str, str]) -> dict[str, Any]:
    known = {column: value for column, value in values.items() if value.lower() not in ("", UNKNOWN)}
    keywords = {column: KEYWORD_OF.get(column, column.upper()) for column in known}
    header: dict[str, Any] = {keywords[column]: value.upper() for column, value in known.items()}
    return header | {key: header[key].zfill(size) for key, size in (("PROGRAM", 5), ("OBSERVTN", 3)) if key in header}
