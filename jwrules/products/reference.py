"""Opening a chosen reference file: flags translated by name, cut to the exposure's subarray, read-only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import asdf
import numpy as np
from astropy.io import fits

from jwrules.errors import DataFault, ReferenceFault
from jwrules.products.fits import declared, opened
from jwrules.products.flags import by_name
from jwrules.products.kinds import Hdu, Meta, Reference, Tree

log = logging.getLogger("jwrules")

R = TypeVar("R", bound=Reference)

# What a tree must have to be of use, by reftype.
_BRANCHES = {
    "distortion": ("model",),
    "filteroffset": ("filters",),
    "abvegaoffset": ("abvega_offset",),
    "emicorr": ("frequencies", "subarray_cases"),
    "pastasoss": ("meta", "traces", "wavecal_models"),
}

# A pixel without a bias, dark, gain, flat, linearity or saturation value is known to the steps: they flag it or leave
# it alone. Beyond this share of the pixels the file itself is taken for damaged. Elsewhere NaN has no meaning.
_NAN_SHARE = {
    "superbias": 0.5,
    "dark": 0.5,
    "reset": 0.5,
    "pictureframe": 0.5,
    "gain": 0.5,
    "flat": 0.5,
    "linearity": 0.5,
    "saturation": 0.5,
    "area": 0.5,
    "readnoise": 0.0,
    "ipc": 0.0,
}
# What a file that does not say where it lies can only be (pixel area files say nothing): near infrared, MIRI.
_FULL_FRAMES = ((2048, 2048), (1024, 1032))
_COLUMNS = {"photom": ("photmjsr", "photmj"), "apcorr": ("apcorr",)}
_STRUCTURE = {"SIMPLE", "BITPIX", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "CHECKSUM", "DATASUM"}


def open_reference(path: Path | str, kind: type[R], science: Meta, shape: tuple[int, int]) -> R:
    """Return the reference file at `path` as `kind`, for an exposure with keywords `science` and `shape` (ny, nx).

    Arrays are in native byte order and read-only. Those on detector pixels are cut by SUBSTRT1/2 to (..., ny, nx).
    Flags are translated by the names of the DQ_DEF table into the standard bits; names that JWST does not define are
    dropped (documentation: Data Quality Flags). A file without DQ or ERR beside its data has zeros there.

    Raises ReferenceFault for a file that cannot be read or is of another type, for a missing extension or branch, for a
    shape that does not hold the exposure, and for NaN: at all in `readnoise` and `ipc`, in more than half of the pixels
    where the steps know what a missing value means, in every row of a `photom` or `apcorr` table.
    """
    path = Path(path)
    if issubclass(kind, Tree):
        return kind(meta=Meta(source=path.name), tree=_tree(path, kind.reftype))
    try:
        with opened(path) as hdus:
            return _from_fits(path, hdus, kind, science, shape)
    except DataFault as reason:
        raise ReferenceFault(f"reference file {reason}") from reason


def _from_fits(path: Path, hdus: fits.HDUList, kind: type[R], science: Meta, shape: tuple[int, int]) -> R:
    meta = Meta(primary=_bare(hdus[0].header), sci=_bare(_first_header(hdus)), source=path.name)
    _check_type(path, meta.get("REFTYPE"), kind.reftype)
    stored = declared(kind)
    window = _Window(path, meta, science, shape)
    values = {name: _value(path, hdus, name, stored, window) for name in stored}
    _check_values(path, kind.reftype, stored, values)
    return kind(meta=meta, **values)


def _check_type(path: Path, found: Any, expected: str) -> None:
    if found is not None and str(found).strip().lower() != expected:
        raise ReferenceFault(f"{path}: REFTYPE is {found}, where a reference file of type '{expected}' is needed")


def _bare(header: fits.Header) -> fits.Header:
    """Return the header without the keywords that describe how the file is stored."""
    header = header.copy()
    for keyword in list(header):
        if keyword in _STRUCTURE or keyword.startswith("NAXIS"):
            del header[keyword]
    return header


def _first_header(hdus: fits.HDUList) -> fits.Header:
    return hdus[1].header if len(hdus) > 1 else fits.Header()


def _value(path: Path, hdus: fits.HDUList, name: str, stored: Mapping[str, Hdu], window: _Window) -> Any:
    """Return what a field of the kind holds: a table, or an array cut to the exposure, native and read-only."""
    where = stored[name]
    data = _stored(path, hdus, where)
    if data is None:
        beside_data = name in ("dq", "err") and len(stored) > 1
        if not (where.optional or beside_data):
            raise ReferenceFault(f"{path}: extension {where.name} is missing; the file has {_extensions(hdus)}")
        return None if where.optional else _blank(where, window.shape)
    if where.dtype == "table":
        return data
    on_detector = where.ndim > 0 or data.ndim == 4
    array = _native(window.cut(data, where.name) if on_detector else data, np.dtype(where.dtype))
    array = _translated(path, array, hdus) if name == "dq" else array
    if name == "dq" and array.ndim > where.ndim:
        array = np.bitwise_or.reduce(array.reshape(-1, *array.shape[-2:]))
    array.flags.writeable = False
    return array


def _extensions(hdus: fits.HDUList) -> str:
    return ", ".join(hdu.name or "PRIMARY" for hdu in hdus)


def _stored(path: Path, hdus: fits.HDUList, where: Hdu) -> Any:
    """Return the content of an extension as it is stored, None where it is absent."""
    if (where.name, where.version) not in hdus:
        return None
    data = hdus[where.name, where.version].data
    if data is None:
        raise ReferenceFault(f"{path}[{where.name}]: the extension is empty")
    axes = (where.ndim, where.or_ndim) if where.or_ndim else (where.ndim,) if where.ndim else (2, 4)
    if where.dtype != "table" and data.ndim not in axes:
        expected = " or ".join(map(str, axes))
        raise ReferenceFault(f"{path}[{where.name}]: shape {data.shape}, where {expected} axes are expected")
    return data


def _native(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the array contiguous and in native byte order, swapped where it lies: a dark can take gigabytes."""
    swapped = array.dtype == dtype.newbyteorder("S") and array.dtype != dtype
    if swapped and array.flags.c_contiguous and array.flags.writeable:
        return array.byteswap(inplace=True).view(dtype)
    return np.array(array, dtype=dtype, order="C")


def _translated(path: Path, dq: np.ndarray, hdus: fits.HDUList) -> np.ndarray:
    """Return the flags with the private bits of the file replaced by the standard ones, by name."""
    if "DQ_DEF" not in hdus or hdus["DQ_DEF"].data is None or not len(hdus["DQ_DEF"].data):
        return dq
    table = hdus["DQ_DEF"].data
    standard = np.zeros_like(dq)
    for value, name in zip(table["VALUE"], table["NAME"], strict=True):
        flag = by_name(str(name))
        if flag is None:
            log.debug("%s[DQ_DEF]: JWST defines no flag '%s'; it is dropped", path.name, name)
            continue
        standard[(dq & np.uint32(value)) != 0] |= np.uint32(flag)
    return standard


class _Window:
    """Where the exposure's subarray lies in the arrays of the reference file."""

    def __init__(self, path: Path, reference: Meta, science: Meta, shape: tuple[int, int]) -> None:
        self.path, self.shape = path, shape
        self.ours = (science.get("SUBSTRT2"), science.get("SUBSTRT1"))
        self.theirs = (reference.get("SUBSTRT2"), reference.get("SUBSTRT1"))

    def cut(self, array: np.ndarray, extension: str) -> np.ndarray:
        """Return the part of `array` (..., rows, columns) that the exposure covers."""
        known = None not in self.theirs
        theirs = (1, 1) if not known and array.shape[-2:] in _FULL_FRAMES else self.theirs
        if None in (*self.ours, *theirs):
            if array.shape[-2:] == tuple(self.shape):
                return array
            raise ReferenceFault(self._unplaced(array, extension))
        y, x = (ours - start for ours, start in zip(self.ours, theirs, strict=True))
        rows, columns = self.shape
        if min(y, x) < 0 or y + rows > array.shape[-2] or x + columns > array.shape[-1]:
            raise ReferenceFault(self._outside(array, extension))
        return array[..., y : y + rows, x : x + columns]

    def _unplaced(self, array: np.ndarray, extension: str) -> str:
        lacking = "the exposure" if None in self.ours else "the reference file"
        return (
            f"{self.path}[{extension}]: shape {array.shape[-2:]}, expected {tuple(self.shape)}; it cannot be cut out,"
            f" because {lacking} has no SUBSTRT1 and SUBSTRT2"
        )

    def _outside(self, array: np.ndarray, extension: str) -> str:
        return (
            f"{self.path}[{extension}]: shape {array.shape[-2:]} (rows, columns) from SUBSTRT2, SUBSTRT1 ="
            f" {self.theirs} does not hold the exposure's {tuple(self.shape)} from {self.ours}"
        )


def _blank(where: Hdu, shape: tuple[int, int]) -> np.ndarray:
    """Return the flags or errors of a file that gives none."""
    zeros = np.zeros(shape, dtype=where.dtype)
    zeros.flags.writeable = False
    return zeros


def _check_values(path: Path, reftype: str, stored: Mapping[str, Hdu], values: Mapping[str, Any]) -> None:
    name = "coeffs" if "coeffs" in values else "data"
    if reftype in _NAN_SHARE:
        _check_pixels(f"{path}[{stored[name].name}]", values[name], _NAN_SHARE[reftype])
    for column in _COLUMNS.get(reftype, ()):
        _check_column(f"{path}[{stored['table'].name}]", values["table"], column)


def _check_pixels(place: str, array: np.ndarray, allowed: float) -> None:
    """Refuse an array whose share of NaN or infinite values is above `allowed`."""
    planes = array.reshape(-1, *array.shape[-2:])
    counts = [plane.size - int(np.count_nonzero(np.isfinite(plane))) for plane in planes]
    if sum(counts) <= allowed * array.size:
        return
    number = next(number for number, count in enumerate(counts) if count)
    first = np.argmin(np.isfinite(planes[number])) + number * planes[number].size
    where = tuple(int(i) for i in np.unravel_index(first, array.shape))
    raise ReferenceFault(
        f"{place}: {sum(counts)} of {array.size} values are NaN or infinite, the first at {where} (counted from 0);"
        f" at most {allowed:.0%} may be; give another reference file"
    )


def _check_column(place: str, table: fits.FITS_rec, column: str) -> None:
    if column in {name.lower() for name in table.names} and not np.isfinite(table[column]).any():
        raise ReferenceFault(f"{place}: column {column} has no finite value in {len(table)} rows")


def _tree(path: Path, reftype: str) -> Mapping[str, Any]:
    """Return the tree of an ASDF file, complete in memory."""
    try:
        with asdf.open(path, memmap=False, lazy_load=False) as file:
            tree = {name: file.tree[name] for name in file.tree if name not in ("asdf_library", "history")}
    except FileNotFoundError as reason:
        raise ReferenceFault(f"reference file {path}: there is no such file") from reason
    except Exception as reason:  # asdf and YAML raise what they like on a damaged file
        raise ReferenceFault(f"reference file {path}: cannot be read as ASDF ({reason}); fetch it again") from reason
    _check_type(path, (tree.get("meta") or {}).get("reftype"), reftype)
    if missing := [name for name in _BRANCHES.get(reftype, ()) if name not in tree]:
        raise ReferenceFault(f"{path}: {missing} is missing; the file has {sorted(tree)}")
    return tree
