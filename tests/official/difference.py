"""How far a product is from another of the same exposure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

from jwrules.products.flags import DQ

_STRUCTURE = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "EXTNAME"}
_STRUCTURE |= {"EXTVER", "CHECKSUM", "DATASUM", "TFIELDS", "COMMENT", "HISTORY", "", *(f"NAXIS{i}" for i in range(5))}


@dataclass(frozen=True)
class Spread:
    """Median, 99th percentile and maximum of a difference, and how many pixels it was taken over."""

    median: float
    p99: float
    largest: float
    pixels: int


def spread(values: np.ndarray) -> Spread:
    """Summarise the finite values."""
    values = values[np.isfinite(values)]
    return Spread(float(np.median(values)), float(np.percentile(values, 99)), float(values.max()), values.size)


def in_errors(ours: Path, theirs: Path, *, same_flags: bool = False) -> Spread:
    """|SCI − SCI| over the ERR of `theirs`, where both have a value, and the same flags if asked."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        values = np.abs(a["SCI"].data.astype("f8") - b["SCI"].data)
        chosen = (b["ERR"].data > 0) & (a["DQ"].data == b["DQ"].data if same_flags else True)
        return spread(np.divide(values, b["ERR"].data, out=np.full_like(values, np.nan), where=chosen))


def relative(ours: Path, theirs: Path, extension: str) -> Spread:
    """|a / b − 1| of another extension, where neither is 0."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        one, other = a[extension].data.astype("f8"), b[extension].data.astype("f8")
        known = (one > 0) & (other > 0)
        return spread(np.abs(one[known] / other[known] - 1))


def without_value(ours: Path, theirs: Path) -> int:
    """How many pixels have a value in one of the two only."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        return int(np.sum(np.isfinite(a["SCI"].data) != np.isfinite(b["SCI"].data)))


def flags(ours: Path, theirs: Path) -> dict[str, tuple[int, int]]:
    """The flags that differ: (in how many pixels only ours has it, only theirs)."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        one, other = np.array(a["DQ"].data), np.array(b["DQ"].data)
    counts = {bit.name: (np.sum(one & ~other & bit > 0), np.sum(other & ~one & bit > 0)) for bit in DQ}
    return {str(name): (int(i), int(j)) for name, (i, j) in counts.items() if i or j}


def flagged_otherwise(ours: Path, theirs: Path) -> int:
    """In how many pixels any flag differs."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        return int(np.sum(a["DQ"].data != b["DQ"].data))


def keywords(product: Path, extension: int | str) -> dict[str, object]:
    """The keywords of an extension but for those that describe how the array is stored."""
    with fits.open(product) as hdus:
        return {key: value for key, value in hdus[extension].header.items() if key not in _STRUCTURE}


def extensions(product: Path) -> dict[str, str]:
    """The type of the pixels, or of the table, in each extension."""
    with fits.open(product) as hdus:
        return {hdu.name: str(hdu.data.dtype.newbyteorder("=")) if hdu.is_image else "table" for hdu in hdus[1:]}
