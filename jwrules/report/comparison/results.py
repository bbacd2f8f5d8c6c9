"""What a comparison finds, as plain values: numbers, names and texts, ready for a table or for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

Place = tuple[int, ...]
"""Where in an array, [integration, group, row, column], counted from 0."""

_OF_KEYWORDS = ("HDRTAB",)
"""Tables of keywords, those of the members of a mosaic: they are told, but are no data."""


@dataclass(frozen=True)
class Row:
    """Differences A - B of the pixels of one class, in units of an error.

    `pixels` are all of the class, `compared` those with a value in both; of these `differ` do, by more than is
    tolerated. The rest is of those with an error too: median, 1.4826 MAD, percentiles, and the largest of either sign.
    """

    label: str
    pixels: int
    compared: int
    differ: int
    median: float
    sigma: float
    low: float
    high: float
    largest: float
    where: Place | None


@dataclass(frozen=True)
class Flag:
    """In how many pixels a flag is set: in both products, only in A, only in B."""

    name: str
    both: int
    only_a: int
    only_b: int


@dataclass(frozen=True)
class Science:
    """The differences of a science array by class of its flags (or weights), and which flags come and go.

    `values_only_a` pixels have a value in A and none (NaN) in B. Of the `without_error` pixels, which have values but
    no usable error, `without_error_differ` do.
    """

    array: str
    unit: str
    rows: tuple[Row, ...]
    flags: tuple[Flag, ...]
    values_only_a: int
    values_only_b: int
    without_error: int
    without_error_differ: int

    @property
    def same(self) -> bool:
        """Whether all values are equal, or near enough, and all flags are."""
        changed = any(flag.only_a or flag.only_b for flag in self.flags)
        return not (changed or self.values_only_a or self.values_only_b or self.rows[0].differ)


@dataclass(frozen=True)
class Array:
    """Any other array: how many pixels differ (a value in one only included), and the ratio A / B of the others."""

    array: str
    pixels: int
    differ: int
    median: float
    low: float
    high: float
    farthest: float
    where: Place | None

    @property
    def same(self) -> bool:
        """Whether no pixel differs."""
        return not self.differ


@dataclass(frozen=True)
class Column:
    """A column of a table: how many rows differ; where it has errors, the differences A - B and those in their units.

    `shift` is the median difference in the column's own unit; `largest` stands in the row named `where`.
    """

    name: str
    rows: int
    differ: int
    shift: float | None = None
    median: float | None = None
    sigma: float | None = None
    low: float | None = None
    high: float | None = None
    largest: float | None = None
    where: str = ""


@dataclass(frozen=True)
class Table:
    """A table, matched by position on the sky, in the image, or row by row.

    `east` and `north` are median and robust scatter of the positions A - B in milliarcseconds.
    """

    table: str
    matched_by: str
    matched: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    columns: tuple[Column, ...]
    missing: tuple[str, ...] = ()
    east: tuple[float, float] | None = None
    north: tuple[float, float] | None = None

    @property
    def same(self) -> bool:
        """Whether all rows are in both, and all columns are equal or near enough."""
        return not (self.only_a or self.only_b or self.missing or any(column.differ for column in self.columns))


@dataclass(frozen=True)
class Change:
    """One thing that A and B say differently; None where one says nothing."""

    what: str
    a: str | None
    b: str | None


@dataclass(frozen=True)
class Compared:
    """All about two products. `fault` says why they cannot be compared, if they cannot.

    `wcs` are the offsets A - B on the sky, east and north in milliarcseconds, of the middle and the four corners.
    """

    name: str
    a: Path
    b: Path
    kind: str = ""
    fault: str = ""
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    science: tuple[Science, ...] = ()
    arrays: tuple[Array, ...] = ()
    tables: tuple[Table, ...] = ()
    wcs: tuple[tuple[float, float], ...] = ()
    options: tuple[Change, ...] = ()
    keywords: tuple[Change, ...] = ()
    pictures: tuple[Path, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the data are the same; keywords and the way they were made may differ."""
        data = [table for table in self.tables if table.table not in _OF_KEYWORDS]
        everything: tuple[Science | Array | Table, ...] = (*self.science, *self.arrays, *data)
        return not (self.fault or self.only_a or self.only_b) and all(one.same for one in everything)


@dataclass(frozen=True)
class Comparison:
    """All products that both sides have, and the names of those that only one has."""

    a: Path
    b: Path
    products: tuple[Compared, ...]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    tolerance: float = 0.0
    independent: bool = field(default=False)

    @property
    def status(self) -> int:
        """0 where all data are the same, 1 where they differ, 2 where something could not be compared."""
        if any(one.fault for one in self.products):
            return 2
        return int(bool(self.only_a or self.only_b) or not all(one.same for one in self.products))
