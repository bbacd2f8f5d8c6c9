"""Reading the keywords of FITS files without their pixels (FITS standard 4.0, section 4), plain or gzipped."""

from __future__ import annotations

import gzip
import math
import re
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from jwrules.errors import DataFault, HeaderFault

BLOCK = 2880
CARD = 80
_END = b"END".ljust(CARD)
_GZIP = b"\x1f\x8b"

Header = dict[str, Any]
"""Keyword -> str, bool, int, float or complex, None where the card has no value; of equal keywords the first counts."""

Extension = int | str | tuple[str, int]
"""Which HDU: its number (0 is the primary), its EXTNAME, or EXTNAME and EXTVER."""


@dataclass(frozen=True)
class Hdu:
    """A header-data unit: its header, and the bytes of its data (without padding) from `start` on."""

    number: int
    header: Header
    start: int
    size: int

    @property
    def name(self) -> str:
        """EXTNAME, or PRIMARY for the first."""
        return str(self.header.get("EXTNAME") or ("PRIMARY" if self.number == 0 else "")).strip()

    @property
    def end(self) -> int:
        """The first byte after the data and its padding to whole blocks."""
        return self.start + math.ceil(self.size / BLOCK) * BLOCK

    def is_called(self, wanted: Extension) -> bool:
        """Return whether this is the HDU that `wanted` means."""
        if isinstance(wanted, int):
            return self.number == wanted
        name, version = (wanted, None) if isinstance(wanted, str) else wanted
        return self.name.upper() == name.upper() and version in (None, self.header.get("EXTVER", 1))


def read(path: Path | str, extension: Extension | None = None) -> Header:
    """Return the primary header of a file, or with `extension` that of another HDU.

    Raises HeaderFault for a file that is no FITS, ends within a header, or has no such extension.
    """
    path = Path(path)
    with _open(path) as stream:
        if extension is None:
            return _parse(_cards(stream, path, 0), path)
        seen = []
        for hdu in _walk(stream, path):
            if hdu.is_called(extension):
                return hdu.header
            seen.append(hdu)
    raise HeaderFault(_not_there(path, extension, seen))


def hdus(path: Path | str) -> tuple[Hdu, ...]:
    """Return every HDU of a file, in order; HeaderFault for a file that is no FITS or ends within a header."""
    path = Path(path)
    with _open(path) as stream:
        return tuple(_walk(stream, path))


def check_complete(path: Path | str) -> tuple[str, ...]:
    """Return the names of the HDUs of a file that is as long as its headers say; DataFault as `complete`."""
    return tuple(hdu.name for hdu in complete(path))


def complete(path: Path | str) -> tuple[Hdu, ...]:
    """Return every HDU of a file that is as long as its headers say, in order.

    Raises DataFault that names the HDU, the size by its header and the size of the file.
    """
    path = Path(path)
    with _open(path) as stream:
        size = _size(stream, path)
        stream.seek(0)
        hdus = []
        for hdu in _walk(stream, path):
            if hdu.end > size:
                raise DataFault(_truncated(path, hdu, size))
            hdus.append(hdu)
    return tuple(hdus)


def find(hdus: Sequence[Hdu], extension: Extension, path: Path) -> Hdu:
    """Return the HDU of the file at `path` that is called so; HeaderFault where there is none."""
    for hdu in hdus:
        if hdu.is_called(extension):
            return hdu
    raise HeaderFault(_not_there(path, extension, hdus))


def _not_there(path: Path, extension: Extension, hdus: Sequence[Hdu]) -> str:
    has = ", ".join(hdu.name or str(hdu.number) for hdu in hdus)
    return f"{path}: there is no extension {extension!r}; it has {has}"


def _truncated(path: Path, hdu: Hdu, size: int) -> str:
    axes = " x ".join(str(hdu.header[f"NAXIS{n}"]) for n in range(1, hdu.header["NAXIS"] + 1))
    return (
        f"{path}: truncated: HDU {hdu.number} ({hdu.name or 'no name'}, BITPIX {hdu.header['BITPIX']}, {axes}) ends at "
        f"byte {hdu.end} according to its header, the file at byte {size}; get the file again"
    )


def _open(path: Path) -> BinaryIO:
    try:
        stream = path.open("rb")
        if stream.read(2) != _GZIP:
            stream.seek(0)
            return stream
        stream.close()
        return cast(BinaryIO, gzip.open(path))
    except OSError as fault:
        raise HeaderFault(f"{path}: cannot be read: {fault.strerror}") from fault


def _size(stream: BinaryIO, path: Path) -> int:
    try:
        return stream.seek(0, 2) if not isinstance(stream, gzip.GzipFile) else _drain(stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise DataFault(f"{path}: truncated or damaged within the gzip: {fault}; get the file again") from fault


def _drain(stream: gzip.GzipFile) -> int:
    while stream.read(1 << 20):
        pass
    return stream.tell()


def _walk(stream: BinaryIO, path: Path) -> Iterator[Hdu]:
    number, at = 0, 0
    while True:
        stream.seek(at)
        if number and not _more(stream, at):
            return
        header = _parse(_cards(stream, path, number), path)
        hdu = Hdu(number, header, stream.tell(), _data_size(header, path, number))
        yield hdu
        number, at = number + 1, hdu.end


def _more(stream: BinaryIO, at: int) -> bool:
    """Return whether another extension begins here; zeros or nothing may follow the last one."""
    start = stream.read(CARD)
    stream.seek(at)
    return bool(start.strip(b"\0"))


def _cards(stream: BinaryIO, path: Path, number: int) -> bytes:
    """Return the header that begins here, without END; the stream then stands after its last block."""
    text = bytearray()
    while True:
        block = _block(stream, path)
        if not text:
            _check_start(block, path, number)
        if len(block) < BLOCK:
            where = f"the header of HDU {number} has no END; the file ends {len(text) + len(block)} bytes into it"
            raise HeaderFault(f"{path}: truncated: {where}; get the file again")
        at = block.find(_END)
        while at >= 0 and at % CARD:
            at = block.find(_END, at + 1)
        if at >= 0:
            return bytes(text + block[:at])
        text += block


def _block(stream: BinaryIO, path: Path) -> bytes:
    try:
        return stream.read(BLOCK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise HeaderFault(f"{path}: truncated or damaged within the gzip: {fault}; get the file again") from fault
    except OSError as fault:
        raise HeaderFault(f"{path}: cannot be read: {fault.strerror or fault}") from fault


def _check_start(block: bytes, path: Path, number: int) -> None:
    expected = b"XTENSION=" if number else b"SIMPLE  ="
    if not block:
        raise HeaderFault(f"{path}: the file is empty")
    if not block.startswith(expected):
        raise HeaderFault(f"{path}: HDU {number} begins with {block[:9]!r}, not {expected!r}: this is no FITS file")


def _data_size(header: Mapping[str, Any], path: Path, number: int) -> int:
    """Return the bytes of data that belong to a header (FITS standard, equations 1 and 2)."""
    try:
        axes = [int(header[f"NAXIS{n}"]) for n in range(1, int(header["NAXIS"]) + 1)]
        if not axes:
            return 0
        groups, parameters = int(header.get("GCOUNT", 1)), int(header.get("PCOUNT", 0))
        return abs(int(header["BITPIX"])) // 8 * groups * (parameters + math.prod(axes))
    except (KeyError, TypeError, ValueError) as fault:
        raise HeaderFault(
            f"{path}: HDU {number}: BITPIX, NAXIS or NAXISn is missing or no integer ({fault})"
        ) from fault


_VALUE = re.compile(
    r"""\s*(?:
        '(?P<text>(?:[^']|'')*)'
      | (?P<logical>[TF])(?=\s*(?:/|$))
      | (?P<integer>[+-]?\d+)(?=\s*(?:/|$))
      | (?P<real>[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?)(?=\s*(?:/|$))
      | \(\s*(?P<complex>[^)]*)\)(?=\s*(?:/|$))
      | (?=/|$)
    )""",
    re.VERBOSE | re.ASCII,
)
_COMMENTS = ("", "COMMENT", "HISTORY")
_LONG_KEYWORD = re.compile(r"HIERARCH\s+(?P<keyword>[^=]+?)\s*=(?P<rest>.*)")


def _parse(cards: bytes, path: Path) -> Header:
    header: Header = {}
    text = cards.decode("ascii", errors="replace")
    open_string = ""
    for start in range(0, len(text), CARD):
        card = text[start : start + CARD]
        if open_string and card.startswith("CONTINUE"):
            more = _value(card[8:], card, path)
            joined = header[open_string].removesuffix("&") + (more if isinstance(more, str) else "")
            header[open_string], open_string = joined, open_string if joined.endswith("&") else ""
            continue
        open_string = ""
        keyword, rest = _split(card)
        if not keyword or keyword in header:
            continue
        value = header[keyword] = _value(rest, card, path)
        if isinstance(value, str) and value.endswith("&"):
            open_string = keyword
    return header


def _split(card: str) -> tuple[str, str]:
    """Return keyword and the text after '= '; no keyword for comments."""
    if card[:8].rstrip() in _COMMENTS:
        return "", ""
    if card[8:10] == "= ":
        return sys.intern(card[:8].rstrip()), card[10:]
    long = _LONG_KEYWORD.match(card)
    return (long["keyword"], long["rest"]) if long else ("", "")


def _value(rest: str, card: str, path: Path) -> Any:
    found = _VALUE.match(rest.rstrip())
    if not found:
        raise HeaderFault(f"{path}: no value of FITS in the card '{card.rstrip()}'")
    kind = found.lastgroup
    if kind == "text":
        return found["text"].replace("''", "'").rstrip()
    if kind == "logical":
        return found["logical"] == "T"
    if kind == "integer":
        return int(found["integer"])
    if kind == "real":
        return float(found["real"].upper().replace("D", "E"))
    if kind == "complex":
        return complex(*(float(part) for part in found["complex"].split(",")))
    return None
