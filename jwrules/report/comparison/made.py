"""What two products say of themselves: keywords, steps and their options, reference files, place on the sky."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from astropy.io import fits as pyfits

from jwrules.report.comparison.opened import Opened
from jwrules.report.comparison.results import Change

_MAS = 3.6e6
_STORAGE = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "BSCALE", "BZERO", "EXTNAME"}
_STORAGE |= {"EXTVER", "TFIELDS", *(f"NAXIS{k}" for k in range(1, 7))}
_NOT_TOLD = _STORAGE | {"CHECKSUM", "DATASUM", "DATE", "FILENAME", "COMMENT", "HISTORY", ""}


def keywords(a: Opened, b: Opened) -> tuple[Change, ...]:
    """Return the keywords of the primary and science headers that differ; not dates, checksums, nor storage."""
    found: dict[str, Change] = {}
    for key in (("PRIMARY", 1), ("SCI", 1)):
        if key in a.headers and key in b.headers:
            for change in _changes(a.headers[key], b.headers[key]):
                found.setdefault(change.what, change)
    return tuple(found.values())


def _changes(a: pyfits.Header, b: pyfits.Header) -> Iterator[Change]:
    for keyword in dict.fromkeys([*a, *b]):
        if keyword not in _NOT_TOLD and not _same(a.get(keyword), b.get(keyword)):
            yield Change(keyword, _text(a, keyword), _text(b, keyword))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12)
    return bool(a == b) or (isinstance(a, pyfits.card.Undefined) and isinstance(b, pyfits.card.Undefined))


def _text(header: pyfits.Header, keyword: str) -> str | None:
    if keyword not in header:
        return None
    value = header[keyword]
    return "" if isinstance(value, pyfits.card.Undefined) else str(value)


def options(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs in how two products were made: releases, steps, options, references, members.

    An option that is not told has its default, if its step is told; products of others tell nothing at all.
    """
    if not (a and b):
        return (Change("how", *("told by jwrules" if made else "not told" for made in (a, b))),) if a or b else ()
    one, two = dict(_facts(a)), dict(_facts(b))
    names = dict.fromkeys([*one, *two])
    return tuple(Change(n, _said(n, one), _said(n, two)) for n in names if one.get(n) != two.get(n))


def _said(name: str, facts: Mapping[str, str]) -> str:
    step, dot, _ = name.partition(".")
    return facts.get(name, "(default)" if dot and step in facts else "(none)")


def _facts(made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield everything that a product says of how it was made, name and value; earlier stages first."""
    for stage in [*made.get("before", []), made]:
        name = str(stage.get("stage", "?"))
        if "release" in stage:
            yield f"{name}: jwrules", str(stage["release"])
        for step in stage.get("steps", []):
            yield f"{step['step']}", str(step["status"])
            for option, value in step.get("params", {}).items():
                yield f"{step['step']}.{option}", str(value)
        for kind, reference in sorted(stage.get("references", {}).items()):
            yield f"{name}: reference {kind}", f"{reference['file']} (sha256 {str(reference['sha256'])[:12]})"
        members = sorted(str(member["file"]) for member in stage.get("members", []))
        if members:
            yield f"{name}: members", ", ".join(members)


def offsets(a: Opened, b: Opened) -> tuple[tuple[float, float], ...]:
    """Return how far the same pixel lies apart on the sky, A - B, east and north (mas): middle, then the corners.

    Empty where one of them has no WCS of the sky.
    """
    one, two = (file.tree.get("meta", {}).get("wcs") for file in (a, b))
    if not all(getattr(wcs, "output_frame", None) is not None for wcs in (one, two)) or ("SCI", 1) not in a.arrays:
        return ()
    if any(wcs.world_n_dim != 2 or wcs.pixel_n_dim != 2 for wcs in (one, two)):
        return ()
    ny, nx = a.arrays["SCI", 1].shape[-2:]
    x, y = np.array([(nx - 1) / 2, 0, 0, nx - 1, nx - 1]), np.array([(ny - 1) / 2, 0, ny - 1, ny - 1, 0])
    (ra, dec), (ra_b, dec_b) = (wcs(x, y, with_bounding_box=False) for wcs in (one, two))
    east = (np.mod(ra - ra_b + 180, 360) - 180) * np.cos(np.radians(dec)) * _MAS
    north = (dec - dec_b) * _MAS
    return tuple((float(e), float(n)) for e, n in zip(east, north, strict=True))
