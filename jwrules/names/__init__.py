"""How exposures, products, associations and pools are spelt; nobody else in the house knows.

Each kind of name (`kinds`) has fields and a grammar: its fields in order, each with what stands before it. `parse` and
`str` both follow that grammar, so they cannot disagree. `words` holds the vocabulary and the patterns for Snakemake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple

from jwrules.errors import NameFault
from jwrules.names.grammar import read
from jwrules.names.kinds import (
    AssociationName,
    ExposureName,
    GuideStarName,
    IdentificationName,
    MsaName,
    Name,
    PoolName,
    ProductName,
)
from jwrules.names.words import (
    ACID,
    ASSOCIATION_TYPES,
    DETECTORS,
    EXPOSURE,
    EXTENSIONS,
    GUIDE_STAR,
    INTERMEDIATE,
    PRODUCT,
    SUFFIXES,
)

__all__ = [
    "ACID",
    "ASSOCIATION_TYPES",
    "DETECTORS",
    "EXPOSURE",
    "GUIDE_STAR",
    "PRODUCT",
    "SUFFIXES",
    "AssociationName",
    "ExposureName",
    "GuideStarName",
    "IdentificationName",
    "MsaName",
    "Name",
    "PoolName",
    "ProductName",
    "flagged",
    "is_one_name",
    "of_source",
    "parse",
    "stem",
    "with_suffix",
]

_KINDS: tuple[tuple[str, type[Name]], ...] = (
    (r"jw\d+-.*_asn(?![a-z])", AssociationName),
    (r"jw\d+-", ProductName),
    (r"jw\d{5}_", PoolName),
    (r".*_gs-id(?![a-z0-9])", IdentificationName),
    (r".*_gs", GuideStarName),
    (r".*_msa(?![a-z])", MsaName),
    (r"", ExposureName),
)


def parse(path: PurePath | str) -> Name:
    """Return the name of a file (folders are left off), or of a product or exposure without suffix.

    Raises NameFault with the position of the first character that cannot be, and what is expected there.
    """
    text = PurePath(path).name
    kind = next(kind for pattern, kind in _KINDS if re.match(pattern, text))
    return kind(**read(kind.grammar, text))


_ENDING = re.compile(
    r"(?P<stem>.+?)(?:(?P<joint>_|-(?=uncal|cal))(?:"
    + "|".join(sorted(map(re.escape, (*SUFFIXES, *INTERMEDIATE)), key=len, reverse=True))
    + r"))?(?P<extension>\.(?:"
    + "|".join(map(re.escape, EXTENSIONS))
    + r"))?"
)


def is_one_name(text: str) -> bool:
    """Return whether a text names a file in the folder where it is to be, and none in another, nor a hidden one."""
    return bool(re.fullmatch(r"[^/\\\0.][^/\\\0]*", text))


_TABLES = ("cat", "phot", "whtlt")


def stem(path: PurePath | str) -> str:
    """Return a file name without folder, suffix and file type: `a/jw_00001_uncal.fits` gives `jw_00001`.

    It looks at the end of the name alone, so it serves names that the grammar refuses.
    """
    return _split(path).stem


def with_suffix(path: PurePath | str, suffix: str) -> str:
    """Return a file name with another suffix in place of its own, and the file type that goes with it.

    A name without file type (a product in an association) stays without; catalogues and light curves are .ecsv.
    """
    parts = _split(path)
    kind = ("." + ("ecsv" if suffix in _TABLES else "fits")) if parts.extension else ""
    return f"{parts.stem}{parts.joint or '_'}{suffix}{kind}"


def flagged(path: PurePath | str, acid: str, suffix: str = "crf") -> str:
    """Return the name of an exposure that stage 3 wrote again for association candidate `acid`."""
    return with_suffix(f"{stem(path)}_{acid}_cal.fits", suffix)


def of_source(product: str, source: int, kind: str = "s", slits: Sequence[str] = ()) -> str:
    """Return the name that a product of an association has for one of its sources.

    `{source_id}` becomes s (b for a background, v for a virtual source) and nine digits, `{slit_name}` the slits.
    """
    return product.replace("{source_id}", f"{kind}{abs(source):09d}").replace("{slit_name}", "-".join(slits).lower())


class _Parts(NamedTuple):
    stem: str
    joint: str
    extension: str


def _split(path: PurePath | str) -> _Parts:
    name = path.rpartition("/")[2] if isinstance(path, str) else path.name
    found = _parts(name or PurePath(path).name)
    if found is None:
        raise NameFault(f"'{path}' is no file name")
    return found


@lru_cache(maxsize=1 << 16)
def _parts(name: str) -> _Parts | None:
    """Return the parts of a file name; a plan asks for those of the same names again and again."""
    found = _ENDING.fullmatch(name)
    return _Parts(found["stem"], found["joint"] or "", found["extension"] or "") if found else None
