"""Which products of two files, folders or working directories are to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jwrules.errors import DataFault

_ENDINGS = (".fits", ".fits.gz", ".ecsv")


@dataclass(frozen=True)
class Pairs:
    """Name and paths of what both sides have, and the names of what only one has."""

    both: tuple[tuple[str, Path, Path], ...]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()


def find(a: Path, b: Path, only: Sequence[str] = ()) -> Pairs:
    """Return what is to be compared in two files, or in two folders: there products belong together by their names.

    A working directory stands for its folder results/. `only` are endings of names without file type, such as `_rate`.
    Raises DataFault for a file beside a folder, files of different types, and folders without a product.
    """
    for path in (a, b):
        if not path.exists():
            raise DataFault(f"{path}: there is no such file or folder")
    if a.is_dir() != b.is_dir():
        folder, file = (a, b) if a.is_dir() else (b, a)
        raise DataFault(f"{folder} is a folder, {file} a file; give two products or two folders")
    if not a.is_dir():
        return Pairs((_files(a, b),))
    mine, other = _products(a, only), _products(b, only)
    both = tuple((name, mine[name], other[name]) for name in sorted(mine.keys() & other.keys()))
    return Pairs(both, tuple(sorted(mine.keys() - other.keys())), tuple(sorted(other.keys() - mine.keys())))


def _files(a: Path, b: Path) -> tuple[str, Path, Path]:
    kinds = [_ending(path).removesuffix(".gz") for path in (a, b)]
    for path, kind in zip((a, b), kinds, strict=True):
        if not kind:
            raise DataFault(f"{path}: no product that can be compared; known are {', '.join(_ENDINGS)}")
    if kinds[0] != kinds[1]:
        raise DataFault(f"{a} and {b} are not of the same type; give two images or two catalogues")
    return _name(a), a, b


def _products(folder: Path, only: Sequence[str]) -> dict[str, Path]:
    place = folder / "results" if (folder / "results").is_dir() else folder
    found = {_name(path): path for path in sorted(place.iterdir()) if _ending(path) and path.name[0] != "."}
    wanted = {name: path for name, path in found.items() if not only or _stem(name).endswith(tuple(only))}
    if not wanted:
        which = f" that ends in {' or '.join(only)}" if only else ""
        raise DataFault(f"{place}: there is no product{which}, neither {' nor '.join(_ENDINGS)}")
    return wanted


def _ending(path: Path) -> str:
    return next((ending for ending in _ENDINGS if path.name.endswith(ending)), "")


def _name(path: Path) -> str:
    return path.name.removesuffix(".gz")


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
