"""How two products, or two runs, differ: in units of the error, by class of their flags; nothing is changed.

Files are read piece by piece: it takes the same memory for every size of image or number of integrations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jwrules.errors import DataFault
from jwrules.report.comparison import arrays, made, opened, pairs, science, tables
from jwrules.report.comparison.maps import Maps
from jwrules.report.comparison.opened import Key, Opened, called
from jwrules.report.comparison.results import Compared, Comparison, Science
from jwrules.report.comparison.science import Asked

__all__ = ["Asked", "run"]


def run(
    a: Path,
    b: Path,
    asked: Asked,
    *,
    only: Sequence[str] = (),
    pictures: Path | None = None,
    tell: Callable[[Compared], None] = lambda one: None,
) -> Comparison:
    """Compare two products, or all products that two folders have in common; `tell` is told of each.

    Pictures go to the folder `pictures`. Raises DataFault where two single files cannot be compared; of folders, such
    products have a `fault`.
    """
    found, compared = pairs.find(a, b, only), []
    for name, one, two in found.both:
        try:
            compared.append(_one(name, one, two, asked, pictures))
        except DataFault as reason:
            if not a.is_dir():
                raise
            compared.append(Compared(name, one, two, fault=str(reason)))
        tell(compared[-1])
    return Comparison(a, b, tuple(compared), found.only_a, found.only_b, asked.tolerance, asked.independent)


def _one(name: str, a: Path, b: Path, asked: Asked, pictures: Path | None) -> Compared:
    if a.samefile(b):
        return Compared(name, a, b, "one file under both names")
    if name.endswith(".ecsv"):
        return _catalogs(name, a, b, asked, pictures)
    return _images(name, opened.read(a), opened.read(b), asked, pictures)


def _catalogs(name: str, a: Path, b: Path, asked: Asked, pictures: Path | None) -> Compared:
    one, two = tables.read(a), tables.read(b)
    table = tables.compare_catalogs("catalogue", one, two, asked.tolerance)
    changes = made.options(one.meta.get("jwrules", {}), two.meta.get("jwrules", {}))
    kind, drawn = f"catalogue, {len(one)} and {len(two)} rows", []
    if pictures:
        from jwrules.report.comparison import catalog_picture

        drawn.append(catalog_picture.draw(name, tables.scatter(one, two), pictures / f"{_stem(name)}.png"))
    return Compared(name, a, b, kind, tables=(table,), options=changes, pictures=tuple(drawn))


def _images(name: str, a: Opened, b: Opened, asked: Asked, pictures: Path | None) -> Compared:
    _refuse_unlike(a, b)
    both = [key for key in a.arrays if key in b.arrays]
    main = [key for key in both if science.is_science(key, a)]
    counted = {key for one in main for key in science.used_with(one, a, b)}
    found, drawn = [], []
    for key in main:
        maps = Maps(a.arrays[key].shape) if pictures else None
        difference, counts = science.compare(key, a, b, asked, maps.add if maps else None)
        found.append(difference)
        if maps and pictures:
            drawn.append(_draw(name, key, maps, difference, counts, pictures))
    return Compared(
        name,
        a.path,
        b.path,
        a.described,
        only_a=_only(a, b),
        only_b=_only(b, a),
        science=tuple(found),
        arrays=tuple(arrays.compare(k, a, b, asked.tolerance) for k in both if k not in {*main, *counted}),
        tables=tuple(
            tables.compare_rows(called(k), a.tables[k], b.tables[k], asked.tolerance) for k in a.tables if k in b.tables
        ),
        wcs=made.offsets(a, b),
        options=made.options(a.made, b.made),
        keywords=made.keywords(a, b),
        pictures=tuple(drawn),
    )


def _refuse_unlike(a: Opened, b: Opened) -> None:
    """Refuse products whose science arrays have different shapes or units, or that have none in common."""
    both = [key for key in a.arrays if key in b.arrays]
    if not both:
        raise DataFault(f"{a.path} and {b.path} have no array in common: {_held(a)} in A, {_held(b)} in B")
    for key in (key for key in both if key[0] in science.ERROR_OF):
        if a.arrays[key].shape != b.arrays[key].shape:
            why = f"{called(key)} has the shape {a.arrays[key].shape} in A and {b.arrays[key].shape} in B"
            raise DataFault(_unlike(a, b, why))
        units = [file.headers[key].get("BUNIT") for file in (a, b)]
        if all(units) and units[0] != units[1]:
            raise DataFault(_unlike(a, b, f"{called(key)} is in {units[0]} in A and in {units[1]} in B"))


def _unlike(a: Opened, b: Opened, why: str) -> str:
    return (
        f"{a.path} ({a.described}) and {b.path} ({b.described}) cannot be compared: {why};"
        " give two products of the same kind, on the same grid"
    )


def _held(file: Opened) -> str:
    return ", ".join(map(called, file.arrays)) or "none"


def _only(one: Opened, other: Opened) -> tuple[str, ...]:
    return tuple(called(key) for key in (*one.arrays, *one.tables) if key not in (*other.arrays, *other.tables))


def _draw(name: str, key: Key, maps: Maps, found: Science, counts: np.ndarray, folder: Path) -> Path:
    from jwrules.report.comparison import pictures

    return pictures.draw(f"{name} {called(key)}", maps, found, counts, folder / f"{_file_name(name, key)}.png")


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _file_name(name: str, key: Key) -> str:
    return _stem(name) if key == ("SCI", 1) else f"{_stem(name)}_{key[0].lower()}{key[1] if key[1] > 1 else ''}"
