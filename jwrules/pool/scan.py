"""The pool of a directory: its files, their primary headers, what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jwrules import below, headers, house, names
from jwrules.errors import HeaderFault, JwrulesError, nearest
from jwrules.pool.cache import Known
from jwrules.pool.table import COLUMNS, KEYWORD_OF, UNKNOWN, Pool, Row
from jwrules.pool.table import read as read_table

_NO_KEYWORD = {"targetid": "1", "pntgtype": "science", "is_imprt": "f", "mostilno": "1", "dithptin": "1"}
"""What `asn_make_pool` writes in columns that raw exposures have no keyword for, or of which theirs is missing."""

_GIVEN_BY_POOL = ("targetid", "asn_candidate", "pntgtype", "dms_note", "exposerr", "is_imprt")
"""Columns that the ground system knows better than the headers."""

_NEEDED = ("PROGRAM", "OBSERVTN", "INSTRUME", "DETECTOR", "EXP_TYPE")


def scan(
    directory: Path | str,
    suffix: str = "uncal",
    cache: Path | None = None,
    read: Callable[[Path], headers.Header] = headers.read,
    amiss: dict[str, list[str]] | None = None,
    wanted: Callable[[Path], bool] = lambda path: True,
) -> Pool:
    """Return the pool of the files `*_<suffix>.fits` (or .fits.gz) in a directory and below it, by name.

    What is hidden is left out, and files that are not `wanted`. What a pool file in the directory says of target and
    candidates stands; other targets are numbered by program in the order of their names, after those. With `cache` (a
    JSON file) a file is only read where its path, size or time changed. `read` gives its header, or raises what is
    wrong with the file. Raises HeaderFault that lists everything that is wrong; where `amiss` is given, that is put
    there by name of file, and such files are left out.
    """
    directory = Path(directory)
    paths = [path for path in _find(directory, suffix) if wanted(path)]
    known = Known.load(cache)
    scanned: dict[Path, headers.Header] = {}
    misnamed = dict(_misnamed(paths))
    paths = [path for path in paths if path not in misnamed]
    faults = [*misnamed.items(), *_twins(paths)]
    for path in paths:
        try:
            scanned[path] = known.header(path, read)
        except JwrulesError as fault:
            faults.append((path, str(fault)))
    faults += [(path, words) for path, header in scanned.items() for words in _value_faults(path, header)]
    if faults and amiss is None:
        raise HeaderFault("\n".join(dict.fromkeys(words for _, words in faults)))
    for path, words in faults:
        if amiss is not None:
            amiss.setdefault(str(path), []).append(words)
    known.save(cache)
    unsound = {path for path, _ in faults}
    sound = {path: header for path, header in scanned.items() if path not in unsound}
    return Pool(tuple(_rows(sound, _given(directory))), name=_pool_name(sound.values()))


def _find(directory: Path, suffix: str) -> list[Path]:
    if not directory.is_dir():
        raise HeaderFault(f"{directory}: there is no such directory")
    endings = (f"_{suffix}.fits", f"-{suffix}.fits", f"_{suffix}.fits.gz", f"-{suffix}.fits.gz")
    found = [path for path in below.files(directory, _refuse) if path.name.endswith(endings)]
    if not found:
        raise HeaderFault(
            f"{directory}: there is no exposure in it; searched for *_{suffix}.fits and *_{suffix}.fits.gz, also in "
            f"its folders{_other_files(directory)}"
        )
    return sorted(found, key=lambda path: (path.name, path))


def _refuse(fault: OSError) -> None:
    raise HeaderFault(f"{fault.filename}: cannot be searched: {fault.strerror}") from fault


def _other_files(directory: Path) -> str:
    others = sorted(path.name for path in directory.glob("*.fits*"))
    return f"; it has {', '.join(others[:3])}{', ...' if len(others) > 3 else ''}" if others else ""


def _twins(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Files that hold the same exposure: their products would have the same names."""
    by_stem: dict[str, list[Path]] = {}
    for path in paths:
        by_stem.setdefault(names.stem(path), []).append(path)
    for stem, files in by_stem.items():
        if len(files) > 1:
            words = f"{stem}: {len(files)} files hold this exposure: {', '.join(map(str, files))}; keep one of them"
            yield from ((path, words) for path in files)


def _misnamed(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Files that no rule can be told of: braces are wildcards there, and nobody sees control characters."""
    for path in paths:
        odd = [letter for letter in str(path.absolute()) if letter in "{}"]
        odd += [letter for letter in path.name if not letter.isprintable()]
        if odd:
            yield path, f"{str(path)!r}: the workflow takes no path with {odd[0]!r} in it; rename that, or link to it"


_CHECKED = ("INSTRUME", "DETECTOR", "EXP_TYPE", "FILTER", "PUPIL")
_NOTHING = ("", "NULL", "NONE", "N/A", "ANY", "UNKNOWN", "MULTIPLE")


@cache
def _allowed(keyword: str) -> tuple[str, ...]:
    """Return the values that a keyword may have (those of the conditions in recipes)."""
    schema = json.loads((house.root() / "schemas/conditions.schema.json").read_text(encoding="utf-8"))
    return tuple(schema["$defs"][keyword.lower()]["else"]["enum"])


def _value_faults(path: Path, header: Mapping[str, Any]) -> Iterator[str]:
    missing = [keyword for keyword in _NEEDED if header.get(keyword) is None]
    if missing:
        yield f"{path}: the keywords {', '.join(missing)} are missing from the primary header: this is no JWST exposure"
    for keyword, digits in (("PROGRAM", 5), ("OBSERVTN", 3)):
        value = str(header.get(keyword) or "0")
        if not value.isdecimal() or len(value) > digits:
            yield f"{path}: {keyword} = '{value}' is no number of at most {digits} digits"
    for keyword in _CHECKED:
        value, allowed = str(header.get(keyword) or "").upper(), _allowed(keyword)
        if value not in _NOTHING and value not in allowed:
            near = nearest(value, allowed)
            hint = f"; did you mean {near}?" if near else f" (known: {', '.join(allowed[:8])}, ...)"
            yield f"{path}: {keyword} = '{value}' is not a value that JWST knows{hint}"


def _rows(scanned: Mapping[Path, Mapping[str, Any]], given: Mapping[str, Row]) -> Iterator[Row]:
    targets = _targets(scanned, given)
    for path, header in scanned.items():
        values = {column: _text(header, column) for column in COLUMNS}
        values["filename"] = path.name.removesuffix(".gz")
        values["targetid"] = targets[_target(header)]
        values["asn_candidate"] = str([(f"o{str(header['OBSERVTN']).zfill(3)}", "observation")])
        yield Row(values | _better(given.get(values["filename"])), path, header)


def _text(header: Mapping[str, Any], column: str) -> str:
    value = header.get(KEYWORD_OF.get(column, column.upper()))
    if value is None:
        return _NO_KEYWORD.get(column, UNKNOWN)
    return ("t" if value else "f") if isinstance(value, bool) else str(value).lower()


def _better(row: Row | None) -> dict[str, str]:
    columns = _GIVEN_BY_POOL if row else ()
    return {column: row.values[column] for column in columns if row and row[column] != UNKNOWN}


def _target(header: Mapping[str, Any]) -> tuple[str, str]:
    name = header.get("TARGPROP") or header.get("TARGNAME") or ""
    return str(header["PROGRAM"]), str(name).strip().lower()


def _targets(scanned: Mapping[Path, Mapping[str, Any]], given: Mapping[str, Row]) -> dict[tuple[str, str], str]:
    """Number the targets of each program; those that a pool file numbers keep their number."""
    numbers: dict[tuple[str, str], str] = {}
    for path, header in scanned.items():
        row = given.get(path.name.removesuffix(".gz"))
        if row and row["targetid"] != UNKNOWN:
            numbers[_target(header)] = row["targetid"]
    for target in sorted({_target(header) for header in scanned.values()}):
        if target not in numbers:
            taken = {number for (program, _), number in numbers.items() if program == target[0]}
            numbers[target] = next(str(n) for n in range(1, len(taken) + 2) if str(n) not in taken)
    return numbers


def _given(directory: Path) -> dict[str, Row]:
    """Return what the pool files in a directory say, by file name; later ones (by name) stand."""
    return {row["filename"]: row for path in sorted(directory.glob("*_pool.csv")) for row in read_table(path).rows}


def _pool_name(scanned: Iterable[Mapping[str, Any]]) -> str:
    programs = sorted({str(header["PROGRAM"]).zfill(5) for header in scanned})
    return str(names.PoolName(programs[0])) if len(programs) == 1 else "pool.csv"
