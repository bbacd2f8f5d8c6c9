"""A FITS product as comparisons see it: its headers, where its arrays lie, its tables, how it was made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits as pyfits

from jwrules.errors import DataFault
from jwrules.products import asdf, fits
from jwrules.products.stored import Stored, stored

Key = tuple[str, int]
"""Name and version of an extension."""

Box = tuple[slice, ...]
"""A piece of an array: one slice along each axis."""

AT_ONCE = 1 << 22
"""How many pixels are looked at together."""

_NOT_DATA = ("ASDF",)


@dataclass(frozen=True)
class Opened:
    """What a file holds; `arrays` are not read yet, `headers` are those of the primary and of every extension."""

    path: Path
    headers: Mapping[Key, pyfits.Header]
    arrays: Mapping[Key, Stored]
    tables: Mapping[Key, pyfits.FITS_rec]
    tree: Mapping[str, Any]

    @property
    def model(self) -> str:
        """What the product calls itself (DATAMODL); nothing where it does not say."""
        return str(self.headers["PRIMARY", 1].get("DATAMODL", ""))

    @property
    def made(self) -> Mapping[str, Any]:
        """How jwrules made it; empty for what others made."""
        return dict(self.tree.get("jwrules") or {})

    @property
    def described(self) -> str:
        """Its kind and the shape of its science array."""
        shape = self.arrays["SCI", 1].shape if ("SCI", 1) in self.arrays else ()
        return f"{self.model or 'no model'}, SCI {' x '.join(map(str, shape)) or 'absent'}"


def read(path: Path) -> Opened:
    """Return what the file at `path` holds; DataFault for what is no FITS file, or damaged."""
    with fits.opened(path) as hdus:
        keys: dict[Key, Any] = {}
        for number, hdu in enumerate(hdus):
            keys[_free(_key(hdu, number), keys)] = hdu
        images = {k: h for k, h in keys.items() if h.is_image and h.header["NAXIS"] > 0}
        tables = {k: np.array(h.data) for k, h in keys.items() if not h.is_image and k[0] not in _NOT_DATA}
        tree = _tree(path, hdus)
        headers = {k: h.header.copy() for k, h in keys.items()}
        return Opened(path, headers, {k: stored(path, h, hdus.unpacked) for k, h in images.items()}, tables, tree)


def _key(hdu: Any, number: int) -> Key:
    return ("PRIMARY", 1) if number == 0 else (hdu.name or f"HDU{number}", int(hdu.ver))


def _free(key: Key, taken: Collection[Key]) -> Key:
    """Return a key, with the next version that is free where another extension has the same."""
    name, version = key
    while (name, version) in taken:
        version += 1
    return name, version


def _tree(path: Path, hdus: pyfits.HDUList) -> Mapping[str, Any]:
    try:
        return asdf.extract(hdus)
    except Exception as reason:  # asdf and YAML raise what they like on a damaged tree
        why = " ".join(str(reason).split())
        raise DataFault(f"{path}[ASDF]: cannot be read ({why}); fetch or make it again") from reason


def boxes(shape: tuple[int, ...], at_once: int = AT_ONCE) -> Iterator[Box]:
    """Yield boxes that cover an array in order, each of at most `at_once` elements where a row has no more.

    A box holds some rows of one plane, or as many whole planes of the axis before the rows as fit.
    """
    if 0 in shape:
        return
    *outer, ny, nx = shape if len(shape) > 1 else (1, *shape)
    rows = min(ny, max(1, at_once // nx))
    planes = max(1, at_once // (ny * nx))
    for first in _outer(outer, planes):
        for y in range(0, ny, rows):
            yield ((*first, slice(y, min(y + rows, ny)), slice(0, nx)))[-len(shape) :]


def _outer(axes: list[int], planes: int) -> Iterator[Box]:
    """Yield boxes of the axes before the rows: one of each, but `planes` of the last."""
    if not axes:
        yield ()
        return
    for before in np.ndindex(*axes[:-1]):
        for k in range(0, axes[-1], planes):
            yield (*(slice(i, i + 1) for i in before), slice(k, min(k + planes, axes[-1])))


def piece(array: Stored, box: Box) -> np.ndarray:
    """Return a piece of an array: flags as 32 bits, other whole numbers as 64, the rest as it is stored."""
    kind = array.dtype.kind
    if kind == "f":
        return array.read(box, np.dtype(array.dtype).newbyteorder("="))
    return array.read(box, np.float64 if array.scale != 1 else np.int64)


def called(key: Key) -> str:
    """Return how an extension is called in what is told: with its version where that is not the first."""
    return key[0] if key[1] == 1 else f"{key[0]},{key[1]}"
