"""Opening a chosen reference file: flags translated by name, cut to the exposure's subarray, read-only."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from astropy.io import fits

from jwrules.errors import DataFault, ReferenceFault
from jwrules.kernels import stored as kernel
from jwrules.products import plain_asdf
from jwrules.products.fits import declared, opened
from jwrules.products.flags import by_name
from jwrules.products.interleaved import layout_of
from jwrules.products.kinds import Hdu, Meta, Reference, Tree
from jwrules.products.stored import Stored, stored
from jwrules.products.stripes import Box, boxes, read, stripes_of
from jwrules.products.table_hdu import Columns

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

# A pixel without a bias, dark, gain, read noise, flat, linearity or saturation value is known to the steps: they flag
# it or leave it alone. Beyond this share of the pixels the file itself is taken for damaged. Elsewhere NaN has no
# meaning.
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
    "trapdensity": 0.5,
    "persat": 0.5,
    "readnoise": 0.5,
    "ipc": 0.0,
}
_POSITIVE = {"gain", "readnoise"}
# What a file that does not say where it lies can only be (pixel area files say nothing): near infrared, MIRI.
_FULL_FRAMES = ((2048, 2048), (1024, 1032))
_COLUMNS = {"photom": ("photmjsr", "photmj"), "apcorr": ("apcorr",)}
_LARGE = 2**20
"""Bytes of a table that is read anew each time: the weights of IRS2 readout have 90 MB."""
_STRUCTURE = {"SIMPLE", "BITPIX", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "CHECKSUM", "DATASUM"}


def open_reference(path: Path | str, kind: type[R], science: Meta, shape: tuple[int, int]) -> R:
    """Return the reference file at `path` as `kind`, for an exposure with keywords `science` and `shape` (ny, nx).

    Arrays are in native byte order and read-only. Those on detector pixels are cut by SUBSTRT1/2 to (..., ny, nx); for
    an exposure that reads stripes of the detector they are put together from these (`stripes`).
    Flags are translated by the names of the DQ_DEF table into the standard bits; names that JWST does not define are
    dropped (documentation: Data Quality Flags). A file without DQ or ERR beside its data has zeros there.

    Raises ReferenceFault for a file that cannot be read or is of another type, for a missing extension or branch, for a
    shape that does not hold the exposure, and for NaN: at all in `ipc`, in more than half of the pixels where the steps
    know what a missing value means (as a gain or a read noise of 0 or less is), in every row of a `photom` or `apcorr`
    table.
    """
    return ReferenceFile(Path(path), kind, science, shape).piece()


class ReferenceFile(Generic[R]):
    """A reference file for an exposure with keywords `science` and `shape` (ny, nx), read as a whole or in pieces.

    What `open_reference` says of it holds for every piece.
    """

    def __init__(self, path: Path, kind: type[R], science: Meta, shape: tuple[int, int]) -> None:
        self._kind, self._path, self._shape = kind, path, shape
        self._tree = _tree(path, kind.reftype) if issubclass(kind, Tree) else None
        if self._tree is None:
            try:
                with opened(path) as hdus:
                    self._open(hdus, science)
            except DataFault as reason:
                raise ReferenceFault(f"reference file {reason}") from reason

    def _open(self, hdus: fits.HDUList, science: Meta) -> None:
        self._meta = Meta(primary=_bare(hdus[0].header), sci=_bare(_first_header(hdus)), source=self._path.name)
        _check_type(self._path, self._meta.get("REFTYPE"), self._kind.reftype)
        self._fields = declared(self._kind)
        self._flags = _definitions(self._path, hdus)
        window = _Window(self._path, self._meta, science, self._shape, self._kind.a_mean)
        self._parts = {name: self._part(hdus, name, window) for name in self._fields}
        self._check()

    def _part(self, hdus: fits.HDUList, name: str, window: _Window) -> Any:
        """Return what a field of the kind will come from: a table, an array on disk with where to cut it, or None."""
        where = self._fields[name]
        hdu = _extension(self._path, hdus, where)
        if hdu is None:
            beside_data = name in ("dq", "err") and len(self._fields) > 1
            if not (where.optional or beside_data):
                raise ReferenceFault(
                    f"{self._path}: extension {where.name} is missing; the file has {_extensions(hdus)}"
                )
            return None
        if where.dtype == "table":
            return hdu.data if hdu.size < _LARGE else _Later(self._path, where)
        array = stored(self._path, hdu, hdus.unpacked)
        on_detector = where.ndim > 0 or len(array.shape) == 4
        return array, window.box(array.shape, where.name) if on_detector else ()

    def _check(self) -> None:
        name = "coeffs" if "coeffs" in self._parts else "data"
        if self._kind.reftype in _NAN_SHARE:
            array, box = self._parts[name]
            place = f"{self._path}[{self._fields[name].name}]"
            _check_pixels(place, array, box or (), self._kind.reftype)
        for column in _COLUMNS.get(self._kind.reftype, ()):
            _check_column(f"{self._path}[{self._fields['table'].name}]", self._parts["table"], column)

    def piece(self, rows: slice = slice(None), columns: slice = slice(None)) -> R:
        """Return the file for these rows and columns of the exposure."""
        if self._tree is not None:
            values: dict[str, Any] = {"tree": self._tree}
            return self._kind(meta=Meta(source=self._path.name), **values)
        return self._kind(meta=self._meta, **{name: self._value(name, rows, columns) for name in self._fields})

    def _value(self, name: str, rows: slice, columns: slice) -> Any:
        """Return a table, or an array cut to the exposure, native and read-only."""
        where, part = self._fields[name], self._parts[name]
        if where.dtype == "table":
            return part.read() if isinstance(part, _Later) else part
        if part is None:
            return None if where.optional else _blank(where, _cut_shape(self._shape, rows, columns))
        array, box = part
        if box is None:
            return _mean(array, where, _cut_shape(self._shape, rows, columns))
        if box:
            box = tuple(_within(outer, inner) for outer, inner in zip(box, (rows, columns), strict=True))
        values = read(array, box, np.dtype(where.dtype))
        values = _translated(values, self._flags) if name == "dq" else values
        if name == "dq" and values.ndim > where.ndim:
            values = np.bitwise_or.reduce(values.reshape(-1, *values.shape[-2:]))
        values.flags.writeable = False
        return values


@dataclass(frozen=True)
class _Later:
    """A table so large that it is read when it is needed, and not kept."""

    path: Path
    where: Hdu

    def read(self) -> Any:
        with opened(self.path) as hdus:
            hdu = hdus[self.where.name, self.where.version]
            return hdu.data if hdus.unpacked or Columns.are_scaled(hdu) else Columns.of(self.path, hdu)


def _mean(array: Stored, where: Hdu, shape: tuple[int, int]) -> np.ndarray:
    values = np.full(shape, np.nanmean(array.read(), dtype=np.float64), where.dtype)
    values.flags.writeable = False
    return values


def _within(outer: slice | np.ndarray, inner: slice) -> slice | np.ndarray:
    if isinstance(outer, np.ndarray):
        return outer[inner]
    start, stop, _ = inner.indices(outer.stop - outer.start)
    return slice(outer.start + start, outer.start + stop)


def _cut_shape(shape: tuple[int, int], rows: slice, columns: slice) -> tuple[int, int]:
    return len(range(shape[0])[rows]), len(range(shape[1])[columns])


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


def _extensions(hdus: fits.HDUList) -> str:
    return ", ".join(hdu.name or "PRIMARY" for hdu in hdus)


def _extension(path: Path, hdus: fits.HDUList, where: Hdu) -> Any:
    """Return the HDU of an extension, None where it is absent."""
    if (where.name, where.version) not in hdus:
        return None
    hdu = hdus[where.name, where.version]
    axes = (where.ndim, where.or_ndim) if where.or_ndim else (where.ndim,) if where.ndim else (2, 4)
    if where.dtype == "table":
        return hdu
    if not hdu.header["NAXIS"]:
        raise ReferenceFault(f"{path}[{where.name}]: the extension is empty")
    shape = tuple(hdu.header[f"NAXIS{k}"] for k in range(hdu.header["NAXIS"], 0, -1))
    if len(shape) not in axes:
        expected = " or ".join(map(str, axes))
        raise ReferenceFault(f"{path}[{where.name}]: shape {shape}, where {expected} axes are expected")
    return hdu


def _definitions(path: Path, hdus: fits.HDUList) -> list[tuple[int, int]] | None:
    """Return (private bits, standard flag) of the DQ_DEF table, None where the bits are the standard ones."""
    if "DQ_DEF" not in hdus or hdus["DQ_DEF"].data is None or not len(hdus["DQ_DEF"].data):
        return None
    table = hdus["DQ_DEF"].data
    pairs = [(int(value), by_name(str(name))) for value, name in zip(table["VALUE"], table["NAME"], strict=True)]
    for (_, flag), name in zip(pairs, table["NAME"], strict=True):
        if flag is None:
            log.debug("%s[DQ_DEF]: JWST defines no flag '%s'; it is dropped", path.name, name)
    return [(value, int(flag)) for value, flag in pairs if flag is not None]


def _translated(dq: np.ndarray, definitions: list[tuple[int, int]] | None) -> np.ndarray:
    """Return the flags with the private bits of the file replaced, in place, by the standard ones."""
    if definitions is None:
        return dq
    bits, meanings = (np.array([pair[k] for pair in definitions], np.uint32) for k in (0, 1))
    kernel.translate(dq.reshape(-1), bits, meanings)
    return dq


class _Window:
    """Where the exposure's subarray lies in the arrays of the reference file."""

    def __init__(self, path: Path, reference: Meta, science: Meta, shape: tuple[int, int], a_mean: bool) -> None:
        self.path, self.shape = path, shape
        self.layout = layout_of(science, shape)
        self.stripes = stripes_of(science, shape)
        self.a_mean = a_mean and science.get("EXP_TYPE") == "FGS_ID-STACK"
        self.ours = (science.get("SUBSTRT2"), science.get("SUBSTRT1"))
        self.theirs = (reference.get("SUBSTRT2"), reference.get("SUBSTRT1"))

    def box(self, shape: Sequence[int], extension: str) -> Box | None:
        """Return which rows and columns of an array of `shape` (..., rows, columns) the exposure covers.

        None where its mean stands for the exposure. For one in IRS2 readout these are its frames as read, or those of
        the detector: as the file has them. A file that is for the same stripes as the exposure has them already.
        """
        ny, nx = shape[-2:]
        known = None not in self.theirs
        theirs = (1, 1) if not known and (ny, nx) in _FULL_FRAMES else self.theirs
        if None in (*self.ours, *theirs):
            if (ny, nx) == tuple(self.shape):
                return slice(0, ny), slice(0, nx)
            raise ReferenceFault(self._unplaced((ny, nx), extension))
        y, x = (ours - start for ours, start in zip(self.ours, theirs, strict=True))
        rows, columns = self.shape
        is_alike = (y, x, ny, nx) == (0, 0, rows, columns)
        if self.stripes is not None and (self.stripes.superstripes or not is_alike):
            return self._of_stripes((y, x), (ny, nx), theirs, extension)
        if self.layout and ny < rows:
            rows = self.layout.light.size
        if min(y, x) < 0 or y + rows > ny or x + columns > nx:
            if self.a_mean:
                return None
            raise ReferenceFault(self._outside((ny, nx), extension))
        return slice(y, y + rows), slice(x, x + columns)

    def _of_stripes(self, start: tuple[int, int], found: tuple[int, int], theirs: Any, extension: str) -> Box:
        """Return the lines of the stripes, of their whole length."""
        assert self.stripes is not None
        axis = self.stripes.axis
        box: list[slice | np.ndarray] = [slice(first, first + n) for first, n in zip(start, self.shape, strict=True)]
        box[axis] = lines = self.stripes.lines - (theirs[axis] - 1)
        along = start[-3 - axis], start[-3 - axis] + self.shape[-3 - axis]
        if min(lines.min(), along[0]) < 0 or lines.max() >= found[axis] or along[1] > found[-3 - axis]:
            what = ("rows", "columns")[axis]
            raise ReferenceFault(
                f"{self.path}[{extension}]: shape {found} (rows, columns) from SUBSTRT2, SUBSTRT1 = {theirs} does not"
                f" hold the stripes that the exposure reads, {what} {self.stripes.lines.min()} to"
                f" {self.stripes.lines.max()} of the detector (counted from 0); give a file of the full frame"
            )
        return tuple(box)

    def _unplaced(self, found: tuple[int, int], extension: str) -> str:
        lacking = "the exposure" if None in self.ours else "the reference file"
        return (
            f"{self.path}[{extension}]: shape {found}, expected {tuple(self.shape)}; it cannot be cut out,"
            f" because {lacking} has no SUBSTRT1 and SUBSTRT2; write them into its header, or give another file"
        )

    def _outside(self, found: tuple[int, int], extension: str) -> str:
        return (
            f"{self.path}[{extension}]: shape {found} (rows, columns) from SUBSTRT2, SUBSTRT1 ="
            f" {self.theirs} does not hold the exposure's {tuple(self.shape)} from {self.ours};"
            " give another reference file"
        )


def _blank(where: Hdu, shape: tuple[int, int]) -> np.ndarray:
    """Return the flags or errors of a file that gives none."""
    zeros = np.zeros(shape, dtype=where.dtype)
    zeros.flags.writeable = False
    return zeros


def _check_pixels(place: str, array: Stored, box: Box, reftype: str) -> None:
    """Refuse an array with too high a share of NaN or infinite values, in `_POSITIVE` also of those not above 0."""
    count, size, allowed = 0, 0, _NAN_SHARE[reftype]
    as_they_are = array.dtype == ">f4" and array.zero == 0 and array.scale == 1
    stored_parts = (raw for piece in boxes(box) for raw, _ in array.parts(piece))
    for numbers in stored_parts if as_they_are else (read(array, box),):
        count += _not_finite(numbers)
        count += int(np.count_nonzero(numbers <= 0)) if reftype in _POSITIVE else 0
        size += numbers.size
    if count <= allowed * size:
        return
    values = read(array, box)
    bad = ~np.isfinite(values) | ((values <= 0) & (reftype in _POSITIVE))
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    what = "NaN or infinite, or not above 0" if reftype in _POSITIVE else "NaN or infinite"
    raise ReferenceFault(
        f"{place}: {count} of {size} values are {what}, the first at {where} (counted from 0);"
        f" at most {allowed:.0%} may be; give another reference file"
    )


def _not_finite(numbers: np.ndarray) -> int:
    """Return how many of the numbers, which may be as they are stored, are NaN or infinite."""
    if numbers.dtype == ">f4":
        return kernel.count_not_finite(np.ascontiguousarray(numbers).view(np.uint32).reshape(-1))
    return int(np.count_nonzero(~np.isfinite(numbers)))


def _check_column(place: str, table: fits.FITS_rec, column: str) -> None:
    if column in {name.lower() for name in table.names} and not np.isfinite(table[column]).any():
        raise ReferenceFault(f"{place}: column {column} has no finite value in {len(table)} rows")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return plain_asdf.read(path)
    except plain_asdf.NotPlain:
        import asdf  # takes longer to load than most steps

        with asdf.open(path, memmap=False, lazy_load=False) as file:
            return dict(file.tree)


def _tree(path: Path, reftype: str) -> Mapping[str, Any]:
    """Return the tree of an ASDF file, complete in memory."""
    try:
        tree = {name: value for name, value in _read(path).items() if name not in ("asdf_library", "history")}
    except FileNotFoundError as reason:
        raise ReferenceFault(f"reference file {path}: there is no such file") from reason
    except Exception as reason:  # asdf and YAML raise what they like on a damaged file
        raise ReferenceFault(f"reference file {path}: cannot be read as ASDF ({reason}); fetch it again") from reason
    _check_type(path, (tree.get("meta") or {}).get("reftype"), reftype)
    if missing := [name for name in _BRANCHES.get(reftype, ()) if name not in tree]:
        raise ReferenceFault(f"{path}: {missing} is missing; the file has {sorted(tree)}")
    return tree
