"""Reading and writing of FITS products from the declarations in `kinds`."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyUserWarning

import jwrules
from jwrules.errors import DataFault, HeaderFault
from jwrules.products import asdf as embedded
from jwrules.products import placed, scratch
from jwrules.products.in_pieces import UNIT as BLOCK
from jwrules.products.in_pieces import InPieces
from jwrules.products.kinds import Hdu, Meta, Mosaic, Product, Ramp
from jwrules.products.plausible import check as check_keywords
from jwrules.products.stored import Source, Stored, Unpacked, stored
from jwrules.products.table_hdu import TableHDU

P = TypeVar("P", bound=Product)

_STRUCTURE = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BSCALE", "BZERO"}
_STRUCTURE |= {"EXTNAME", "EXTVER", "CHECKSUM", "DATASUM", "TFIELDS", *(f"NAXIS{i}" for i in range(1, 7))}
# 80 characters less keyword, "= ", and the " / " before the comment.
_CARD_LENGTH = 67


def declared(kind: type[Product]) -> dict[str, Hdu]:
    """Return where each array of `kind` is stored, by field name."""
    return {f.name: f.metadata["hdu"] for f in fields(kind) if "hdu" in f.metadata}


def read(path: Path | str, kind: type[P]) -> P:
    """Read the file at `path` as a product of `kind`, arrays in native byte order.

    Raises DataFault for a file that is no FITS file, is truncated, lacks an extension, or whose arrays do not have
    the shape that its header promises.
    """
    path = Path(path)
    with opened(path) as hdus:
        values = {name: _array(path, hdus, where, kind) for name, where in declared(kind).items()}
        meta = Meta(primary=_bare(hdus[0].header), sci=_bare(_sci_header(hdus)), source=path.name)
        tables = {name: hdus[name].data.copy() for name in kind.carried if name in hdus}
        tree = _tree(path, hdus)
    values |= _blank_flags(values) if kind is Ramp else {}
    if "wcs" in {f.name for f in fields(kind)}:
        values["wcs"] = tree.get("meta", {}).get("wcs")
    if issubclass(kind, Ramp):
        _check_shape(path, meta, values)
    return kind(meta=meta, tables=tables, provenance=tree.get("jwrules", {}), **values)


@dataclass(frozen=True)
class Described:
    """What a file holds, its arrays not read yet: `sources` by name of field."""

    meta: Meta
    tables: Mapping[str, Any]
    provenance: Mapping[str, Any]
    sources: Mapping[str, Source]


def described(path: Path | str, kind: type[Product]) -> Described:
    """Return what the file at `path` holds as a product of `kind`; DataFault as for `read`."""
    path = Path(path)
    with opened(path) as hdus:
        found = {name: _source(path, hdus, where, kind) for name, where in declared(kind).items()}
        meta = Meta(primary=_bare(hdus[0].header), sci=_bare(_sci_header(hdus)), source=path.name)
        tables = {name: hdus[name].data.copy() for name in kind.carried if name in hdus}
        provenance = _tree(path, hdus).get("jwrules", {})
    sources = {name: source for name, source in found.items() if source is not None}
    if issubclass(kind, Ramp):
        _check_shape(path, meta, sources)
    return Described(meta, tables, provenance, sources)


def members(path: Path) -> set[str]:
    """Return the names of the files that the product at `path` was made from; empty for a file that is none of ours."""
    with opened(path) as hdus:
        return {one["file"] for one in _tree(path, hdus).get("jwrules", {}).get("members", [])}


def _source(path: Path, hdus: fits.HDUList, where: Hdu, kind: type[Product]) -> Stored | None:
    if (where.name, where.version) not in hdus:
        _refuse_absent(path, hdus, where, kind)
        return None
    source = stored(path, hdus[where.name, where.version], hdus.unpacked)
    if where.ndim and len(source.shape) != where.ndim:
        raise DataFault(_other_axes(f"{path}[{where.name}]", source.shape, where, kind))
    if 0 in source.shape:
        raise DataFault(f"{path}[{where.name}]: shape {source.shape}: there is nothing in it; fetch or make it again")
    return source


def _other_axes(place: str, shape: tuple[int, ...] | None, where: Hdu, kind: type[Product]) -> str:
    return f"{place}: shape {shape} where {where.ndim} axes are expected; give a file that holds a {kind.__name__}"


def _tree(path: Path, hdus: fits.HDUList) -> dict[str, Any]:
    """Return the tree of the ASDF extension; empty where there is none."""
    try:
        tree = embedded.extract(hdus)
        if not isinstance(tree.get("jwrules", {}), Mapping):
            raise ValueError("jwrules is no mapping")
        return tree
    except Exception as reason:  # asdf and YAML raise what they like on a damaged tree
        why = " ".join(str(reason).split())
        raise DataFault(f"{path}[ASDF]: cannot be read ({why}); fetch or make it again") from reason


def _refuse_absent(path: Path, hdus: fits.HDUList, where: Hdu, kind: type[Product]) -> None:
    """Refuse a file without an extension that it must have."""
    if not where.optional and not (kind is Ramp and where.name in ("PIXELDQ", "GROUPDQ")):
        found = ", ".join(hdu.name or "PRIMARY" for hdu in hdus)
        raise DataFault(f"{path}: extension {where.name} is missing; the file has {found}")


@contextmanager
def opened(path: Path) -> Iterator[fits.HDUList]:
    """Open a FITS file for reading; what astropy only warns of, truncation above all, is a DataFault here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyUserWarning)
            warnings.simplefilter("ignore", VerifyWarning)
            with path.open("rb") as packed:
                unpacked = Unpacked.of(packed)
                file = unpacked.open() if unpacked else packed
                with fits.open(file, memmap=False, lazy_load_hdus=False) as hdus:
                    _check_end(path, file, hdus)
                    hdus.unpacked = unpacked
                    yield hdus
    except FileNotFoundError as reason:
        raise DataFault(f"{path}: there is no such file") from reason
    except (OSError, EOFError, zlib.error, AstropyUserWarning, TypeError, ValueError) as reason:
        why = str(reason).split(". ")[0]
        raise DataFault(f"{path}: cannot be read as FITS ({why}); fetch or make it again") from reason


def _check_end(path: Path, file: Any, hdus: fits.HDUList) -> None:
    """Refuse a file that ends within the header of an extension: astropy passes over it without a word."""
    last = hdus[-1].fileinfo()
    end = last["datLoc"] + last["datSpan"]
    place = file.tell()
    file.seek(end)
    more = file.read(BLOCK)
    file.seek(place)
    if more.strip(b"\0"):
        before = hdus[-1].name or "PRIMARY"
        raise DataFault(f"{path}: ends within the header of the extension after {before}; fetch or make it again")


def _array(path: Path, hdus: fits.HDUList, where: Hdu, kind: type[Product]) -> Any:
    if (where.name, where.version) not in hdus:
        _refuse_absent(path, hdus, where, kind)
        return None
    data = hdus[where.name, where.version].data
    if where.dtype == "table":
        return data
    if data is None or (where.ndim and data.ndim != where.ndim):
        shape = None if data is None else data.shape
        raise DataFault(_other_axes(f"{path}[{where.name}]", shape, where, kind))
    return np.ascontiguousarray(data, dtype=np.dtype(where.dtype))


def _sci_header(hdus: fits.HDUList) -> fits.Header:
    return hdus["SCI"].header if "SCI" in hdus else fits.Header()


def _bare(header: fits.Header) -> fits.Header:
    """Return the header without the keywords that describe how the array is stored."""
    header = header.copy()
    for keyword in _STRUCTURE & set(header):
        del header[keyword]
    return header


def _blank_flags(values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    shape = values["data"].shape
    blank = {"pixeldq": np.zeros(shape[-2:], np.uint32), "groupdq": np.zeros(shape, np.uint8)}
    return {name: array for name, array in blank.items() if values[name] is None}


def _check_shape(path: Path, meta: Meta, values: Mapping[str, Any]) -> None:
    """Refuse a ramp whose keywords cannot be, or whose arrays are not what they promise, or do not fit each other."""
    check_keywords(meta, str(path))
    data = values.get("data")
    if data is None or len(data.shape) != 4:
        return
    promised = {"NINTS": meta.get("NINTS"), "NGROUPS": meta.get("NGROUPS")}
    if meta.get("EXSEGTOT", 1) > 1:
        promised = {"INTEND - INTSTART + 1": _integrations(path, meta), "NGROUPS": meta.get("NGROUPS")}
    for (keyword, value), found in zip(promised.items(), data.shape[:2], strict=True):
        if value is not None and value != found:
            raise DataFault(
                f"{path}[SCI]: {keyword} is {value} in the header, but the array holds {found}"
                f" (shape {data.shape}); the file is damaged or its header was edited"
            )

    _check_alike(path, data.shape, values)


def _integrations(path: Path, meta: Meta) -> int:
    """Return how many integrations a segment of an exposure holds."""
    missing = [keyword for keyword in ("INTSTART", "INTEND") if meta.get(keyword) is None]
    if missing:
        raise HeaderFault(
            f"{path}: without {' and '.join(missing)} it is not known which segment of {meta['EXSEGTOT']} (EXSEGTOT) it"
            " is; get the file again"
        )
    return int(meta["INTEND"] - meta["INTSTART"] + 1)


def _check_alike(path: Path, shape: tuple[int, ...], values: Mapping[str, Any]) -> None:
    sizes = dict(zip("igyx", shape, strict=True)) | {"r": shape[-1] // 4}
    for name, where in declared(Ramp).items():
        wanted = tuple(sizes[axis] for axis in where.axes)
        if values.get(name) is not None and values[name].shape != wanted:
            raise DataFault(
                f"{path}[{where.name}]: shape {values[name].shape}, where {wanted} goes with SCI of {shape};"
                " the file is damaged"
            )


def write(path: Path | str, product: Product) -> Path:
    """Write `product` to `path`, complete or not at all: first under a temporary name, then renamed."""
    path = Path(path)
    with arriving(path) as temporary:
        hdus(path.name, product).writeto(temporary)
    return path


@contextmanager
def arriving(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` on success, remove it on failure.

    With `scratch` the name is there, from where the file is copied beside `path` before it is renamed. What a killed
    process left of the same product is removed. Raises DataFault where the folder cannot be written or a disk is full.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    if path.is_dir():
        raise DataFault(f"{path}: a folder has the name of this product; rename it, or choose another --output")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        with scratch.aside(temporary, path) as written:
            yield written
        placed.put(temporary, path)
    except OSError as reason:
        raise _unwritten(path, reason) from reason
    finally:
        if os.access(path.parent, os.W_OK):
            temporary.unlink(missing_ok=True)


def _unwritten(path: Path, reason: OSError) -> DataFault:
    why = reason.strerror or str(reason).partition(". ")[0]
    if place := scratch.folder():
        why += f", there or in {place} where it is written first"
    return DataFault(f"{path}: cannot be written ({why}); nothing was left under this name")


def _remove_abandoned(path: Path) -> None:
    for part in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
        process = part.name.removeprefix(f".{path.stem}.").partition(".")[0]
        if not scratch.is_at_work(process):
            part.unlink(missing_ok=True)


def hdus(filename: str, product: Product) -> fits.HDUList:
    """Return the HDUs of a product: PRIMARY, the declared arrays, carried tables, HDRTAB, ASDF."""
    extensions = [
        _image(where, getattr(product, name), product)
        for name, where in declared(type(product)).items()
        if getattr(product, name) is not None
    ]
    everything = fits.HDUList([_primary(filename, product), *extensions, *_after_arrays(product)])
    for hdu in everything:
        _trim_comments(hdu.header)
        hdu.add_checksum(when="when written")
    return everything


def _after_arrays(product: Product) -> list[Any]:
    extensions = [TableHDU(table, name=name) for name, table in product.tables.items()]
    if isinstance(product, Mosaic) and product.headers is not None:
        extensions.append(TableHDU(product.headers, name="HDRTAB"))
    tree: dict[str, Any] = {"jwrules": dict(product.provenance)}
    if getattr(product, "wcs", None) is not None:
        tree["meta"] = {"wcs": getattr(product, "wcs")}  # noqa: B009
    return [*extensions, embedded.embed(tree)]


class Growing:
    """A product that is written piece by piece to `temporary`; its final name is that of `path`.

    `product` is any piece: its keywords, tables and provenance are those of the whole. Its arrays have the shapes
    `shapes`, by name of field.
    """

    def __init__(self, temporary: Path, path: Path, product: Product, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._fields = {n: w for n, w in declared(type(product)).items() if getattr(product, n) is not None}
        self._path, self._name, self._shapes = path, path.name, shapes
        tail = _after_arrays(product)
        for hdu in tail:
            _trim_comments(hdu.header)
        self._file = InPieces(temporary, self._keywords(product), self._arrays(product), tail)

    def _keywords(self, product: Product) -> fits.Header:
        header = _primary(self._name, product).header
        _trim_comments(header)
        return header

    def _arrays(self, product: Product) -> dict[str, tuple[fits.Header, tuple[int, ...], str]]:
        found = {}
        for name, where in self._fields.items():
            header = _image_header(where, product)
            _trim_comments(header)
            found[where.name] = (header, tuple(self._shapes[name]), where.dtype)
        return found

    def put(self, product: Product, boxes: Mapping[str, tuple[slice, ...]], inner: Mapping[str, Any]) -> None:
        """Write a piece: `boxes` tell where the fields belong, `inner` which part of them."""
        try:
            for name, where in self._fields.items():
                if name in boxes:
                    self._file.put(where.name, getattr(product, name)[inner[name]], boxes[name])
        except OSError as reason:
            raise _unwritten(self._path, reason) from reason

    def finish(self, product: Product) -> None:
        """Write the keywords as they are at the end, and the checksums."""
        header = _image_header(next(iter(self._fields.values())), product)
        _trim_comments(header)
        self._file.finish(self._keywords(product), header)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _trim_comments(header: fits.Header) -> None:
    """Cut comments that no longer fit beside a long value: astropy would, with a warning for each."""
    for card in header.cards:
        room = _CARD_LENGTH - len(repr(card.value)) if isinstance(card.value, str) else _CARD_LENGTH
        if 0 <= room < len(card.comment):
            card.comment = card.comment[:room]


def _primary(filename: str, product: Product) -> fits.PrimaryHDU:
    header = product.meta.without("FILETYPE").primary.copy()  # it says 'uncalibrated', of what the archive packed
    header["DATE"] = (_dates.get(filename) or _now(), "UTC date file created")
    header["FILENAME"] = (filename, "Name of the file")
    header["DATAMODL"] = (product.model_of(product.meta), "Type of data model")
    header["JWRULES"] = (jwrules.__version__, "Version of jwrules that made this file")
    how = product.provenance
    header.update(_chosen_by(str(how.get("context", ""))))
    if "recipe" in how:
        header["JWRECIPE"] = (how["recipe"], "Digest of the steps and their options")
        for line in _history(how):
            header["HISTORY"] = line.encode("ascii", "replace").decode()
    return fits.PrimaryHDU(header=header)


def _history(how: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a stage did: a line for itself, then one for each step with the options that the recipe gave it."""
    yield f"jwrules {how['release']} {how['stage']}, recipe {how['recipe']}"
    for step in how["steps"]:
        options = "".join(f" {name}={value}" for name, value in step["params"].items())
        reason = f" ({step['reason']})" if step["reason"] else ""
        yield f"  {step['step']} {step['status']}{reason}{options}"


def _chosen_by(context: str) -> dict[str, tuple[str, str]]:
    """Return what says who chose the reference files: CRDS_CTX, CRDS_VER; N/A where they came from a directory."""
    if not context:
        return {}
    if not context.endswith(".pmap"):
        comment = "No context: files chosen by their headers"
        return {"CRDS_CTX": (context, comment), "CRDS_VER": (context, "CRDS was not used")}
    comment = "CRDS context that chose the reference files"
    return {"CRDS_CTX": (context, comment), "CRDS_VER": (version("crds"), "Version of the CRDS library")}


def _now() -> str:
    """Return the time that a product bears: SOURCE_DATE_EPOCH (seconds) where it is set, to compare bytes."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    time = datetime.fromtimestamp(float(given), UTC) if given else datetime.now(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


_dates: dict[str, str] = {}


@contextmanager
def dated(dates: Mapping[str, str]) -> Iterator[None]:
    """Let products bear these dates meanwhile, by file name, as those did that they are to be compared with."""
    _dates.update(dates)
    try:
        yield
    finally:
        _dates.clear()


def _image(where: Hdu, data: np.ndarray, product: Product) -> fits.ImageHDU:
    header = _image_header(where, product)
    return fits.ImageHDU(np.ascontiguousarray(data, dtype=where.dtype), header=header, name=where.name)


def _image_header(where: Hdu, product: Product) -> fits.Header:
    header = product.meta.sci.copy() if where.name == "SCI" else fits.Header()
    if where.name == "ERR" and product.meta.get("BUNIT"):
        header["BUNIT"] = (product.meta["BUNIT"], "physical units of the array values")
    return header
