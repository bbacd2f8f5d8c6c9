"""Comparisons as aligned tables for a terminal, and as JSON."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jwrules.report.comparison.results import Array, Change, Column, Compared, Comparison, Flag, Row, Science, Table
from jwrules.report.comparison.tables import error_names

_WIDTH = 110
Line = Sequence[str]


def about(one: Compared) -> str:
    """Return everything about two products."""
    if one.fault:
        return f"{one.name}: cannot be compared\n  {one.fault}"
    verdict = "the data are the same" if one.same else "the data DIFFER"
    parts = [f"{one.name} ({one.kind}): {verdict}", *_changes("made", one.options), *_changes("keyword", one.keywords)]
    parts += [_only(f"only in {side}", names) for side, names in (("A", one.only_a), ("B", one.only_b)) if names]
    for science in one.science:
        parts += _science(science)
    parts += _arrays([array for array in one.arrays if not array.same])
    parts += [_of_table(table) for table in one.tables if not table.same]
    equal = [*(one.array for one in one.arrays if one.same), *(table.table for table in one.tables if table.same)]
    parts += [_only("the same in both", equal)] if equal else []
    parts += _sky(one)
    parts += [f"  picture: {path}" for path in one.pictures]
    return "\n\n".join(parts)


def summary(found: Comparison) -> str:
    """Return one line for each of many products, and the names of those that only one side has."""
    parts = [_table([_TITLES, *map(_line, found.products)], indent="")] if found.products else []
    parts += [f"{one.name}: {one.fault}" for one in found.products if one.fault]
    sides = ((found.a, found.only_a), (found.b, found.only_b))
    parts += [_only(f"only in {folder}", names, "") for folder, names in sides if names]
    changes = dict.fromkeys(change for one in found.products for change in one.options if _is_option(change))
    parts += _changes("made", tuple(changes))
    same = sum(one.same for one in found.products)
    parts.append(f"{len(found.products)} products in both: {same} with the same data, {len(found.products) - same} not")
    return "\n\n".join(parts)


def write(found: Comparison, path: Path) -> None:
    """Write a comparison as JSON, complete or not at all; what is no number is null there."""
    from jwrules.products.fits import arriving

    values = {"status": found.status, **asdict(found)}
    for one, product in zip(values["products"], found.products, strict=True):
        one["same"] = product.same
    with arriving(path) as temporary:
        temporary.write_text(json.dumps(_plain(values), indent=1) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


_TITLES = ("product", "data", "pixels or rows", "differ", "median", "σ", "largest", "flags that change")


def _line(one: Compared) -> Line:
    verdict = "fault" if one.fault else "same" if one.same else "differ"
    if one.science and not one.fault:
        row = one.science[0].rows[0]
        flags = one.science[0].flags
        changes = str(sum(flag.only_a + flag.only_b for flag in flags)) if flags else ""
        return [
            one.name,
            verdict,
            *_counts(row.compared, row.differ),
            *_numbers(row.median, row.sigma, row.largest),
            changes,
        ]
    rows: list[tuple[int, int]] = [(array.pixels, array.differ) for array in one.arrays[:1]]
    rows += [(t.matched + len(t.only_a), max([len(t.only_a), *(c.differ for c in t.columns)])) for t in one.tables[:1]]
    return [one.name, verdict, *(_counts(*rows[0]) if rows else ("", "")), "", "", "", ""]


def _is_option(change: Change) -> bool:
    return not change.what.endswith(": members")


def _changes(title: str, changes: Sequence[Change]) -> Iterator[str]:
    """Yield a table of what A and B say differently, and lists of what only one says."""
    told = [change for change in changes if None not in (change.a, change.b)]
    if told:
        rows = [[change.what, _short(change.a), _short(change.b)] for change in told]
        yield _left([[f"{title}: differs", "A", "B"], *rows])
    for side, names in (
        ("A", [change.what for change in changes if change.b is None]),
        ("B", [change.what for change in changes if change.a is None]),
    ):
        if names:
            yield _only(f"{title}: only in {side}", names)


def _short(text: str | None) -> str:
    return textwrap.shorten(text or "", 44, placeholder=" ...") or "''"


def _only(title: str, names: Sequence[str], indent: str = "  ") -> str:
    text = f"{title} ({len(names)}): {', '.join(names)}"
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _science(found: Science) -> Iterator[str]:
    titles = [f"{found.array}: A - B in {found.unit}", "pixels", "compared", "differ"]
    titles += ["median", "σ", "5 %", "95 %", "largest", "at"]
    everything, unequal, *classes = found.rows
    told = [everything, *([unequal] if 0 < unequal.pixels < everything.compared else [])]
    told += [row for row in classes if row.pixels] if not found.same else []
    rows = [_row(row) for row in told]
    yield _table([titles, *rows])
    notes = [
        (found.values_only_a, "pixels have a value in A and none (NaN) in B"),
        (found.values_only_b, "pixels have a value in B and none (NaN) in A"),
        (found.without_error, f"pixels with values have no usable error; of these {found.without_error_differ} differ"),
    ]
    noted = [f"  {number} {text}" for number, text in notes if number]
    if noted:
        yield "\n".join(noted)
    yield from _flags(found.flags)


def _flags(found: Sequence[Flag]) -> Iterator[str]:
    changed = [[f.name, str(f.both), str(f.only_a), str(f.only_b)] for f in found if f.only_a or f.only_b]
    if changed:
        yield _table([["flags that change: pixels", "in both", "A only", "B only"], *changed])
    equal = [f"{flag.name} ({flag.both})" for flag in found if not (flag.only_a or flag.only_b)]
    if equal:
        yield _only("flags of the same pixels in both, pixels", equal)


def _row(row: Row) -> Line:
    numbers = _numbers(row.median, row.sigma, row.low, row.high, row.largest)
    return [row.label, str(row.pixels), *_counts(row.compared, row.differ), *numbers, _place(row.where)]


_ARRAY_TITLES = ("other arrays: A / B", "pixels", "differ", "median", "5 %", "95 %", "farthest", "at")


def _arrays(found: Sequence[Array]) -> Iterator[str]:
    if found:
        yield _table([_ARRAY_TITLES, *map(_array, found)])


def _array(found: Array) -> Line:
    numbers = _ratios(found.median, found.low, found.high, found.farthest)
    return [found.array, *_counts(found.pixels, found.differ), *numbers, _place(found.where)]


def _of_table(found: Table) -> str:
    head = f"  {found.table}: {found.matched} rows matched by {found.matched_by}"
    errors = {name for column in found.columns for name in error_names(column.name)}
    lines = [head]
    lines += [_only(f"only in {side}", names) for side, names in (("A", found.only_a), ("B", found.only_b)) if names]
    if found.east and found.north:
        pairs = (
            f"{axis} {middle:.3g} ± {sigma:.3g}"
            for axis, (middle, sigma) in (("east", found.east), ("north", found.north))
        )
        lines.append(f"  positions A - B (mas): {', '.join(pairs)}")
    lines += [_only("columns in one only", found.missing)] if found.missing else []
    changed = [column for column in found.columns if column.differ]
    measured = [column for column in changed if column.median is not None]
    if measured:
        titles = [
            "column: A - B in its error",
            "differ",
            "in its unit",
            "median",
            "σ",
            "5 %",
            "95 %",
            "largest",
            "in row",
        ]
        lines.append(_table([titles, *map(_column, measured)]))
    others = [
        f"{column.name} ({column.differ})" for column in changed if column.median is None and column.name not in errors
    ]
    lines += [_only("columns without error that differ, rows", others)] if others else []
    return "\n".join(lines)


def _column(column: Column) -> Line:
    values = (column.shift, column.median, column.sigma, column.low, column.high, column.largest)
    return [column.name, str(column.differ), *_numbers(*(math.nan if v is None else v for v in values)), column.where]


def _sky(one: Compared) -> Iterator[str]:
    if any(abs(value) > 0 for offset in one.wcs for value in offset):
        places = ("middle", "lower left", "upper left", "upper right", "lower right")
        rows = [[place, *_numbers(*offset)] for place, offset in zip(places, one.wcs, strict=True)]
        rows = rows if len({tuple(row[1:]) for row in rows}) > 1 else [["everywhere", *rows[0][1:]]]
        yield _table([["WCS: A - B in mas", "east", "north"], *rows])


def _counts(compared: int, differ: int) -> Line:
    return [str(compared), str(differ)]


def _numbers(*values: float) -> Line:
    return ["" if math.isnan(value) else f"{value:.3g}" for value in values]


def _ratios(*values: float) -> Line:
    return ["" if math.isnan(value) else f"{value:.6g}" for value in values]


def _place(where: Sequence[int] | None) -> str:
    return "" if where is None else f"[{', '.join(map(str, where))}]"


def _table(rows: Sequence[Line], indent: str = "  ") -> str:
    """Return rows as columns: the first to the left, the others, numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        (
            indent
            + "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        ).rstrip()
        for row in rows
    )


def _left(rows: Sequence[Line]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip() for row in rows
    )
