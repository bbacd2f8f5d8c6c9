"""The header of a product made of several: one blended value of each keyword, and a table of all of them.

Source: JWST documentation, metadata blending; the rules are those of the keyword dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from jwrules.products.kinds import Meta


def _common(values: Sequence[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else "MULTIPLE"


def _tolerance(values: Sequence[Any]) -> str:
    outside = "outside calibration tolerance"
    return outside if outside in values else "within commanded tolerance"


def _mean(values: Sequence[Any]) -> float:
    return float(np.mean(values))


_RULES: Mapping[Callable[[Sequence[Any]], Any], tuple[str, ...]] = {
    min: ("DATE-OBS", "TIME-OBS", "DATE-BEG", "EXPSTART", "MJD-BEG", "TDB-BEG", "INTSTART"),
    max: ("DATE-END", "EXPEND", "MJD-END", "TDB-END", "INTEND", "FWPOSOFF", "PWPOSOFF"),
    _mean: ("EXPMID", "MJD-AVG", "TDB-MID"),
    sum: ("EFFEXPTM", "XPOSURE", "TMEASURE", "DURATION", "TELAPSE"),
    _common: ("DETECTOR", "MODULE", "FILTER", "GRATING", "BAND"),
    _tolerance: ("FWPOSTOL", "PWPOSTOL"),
}


def blended(metas: Sequence[Meta]) -> Meta:
    """Return the keywords of the first of `metas`; times, detectors and optics are those of all of them."""
    first = metas[0]
    primary, sci = first.primary.copy(), first.sci.copy()
    for rule, keywords in _RULES.items():
        for keyword in keywords:
            values = [value for meta in metas if (value := meta.get(keyword)) is not None]
            if values:
                _home(keyword, primary, sci)[keyword] = rule(values)
    return Meta(primary=primary, sci=sci, source=first.source)


def tabulated(metas: Sequence[Meta]) -> Table:
    """Return one row for each of `metas` with one column for each keyword that any of them has.

    What is missing is an empty text or NaN; truth is 1 or 0. DATE is left out: when the files were written is not
    data, and the same exposures give the same table.
    """
    keywords = dict.fromkeys(k for meta in metas for header in (meta.primary, meta.sci) for k in header)
    named = [keyword for keyword in keywords if keyword not in ("", "COMMENT", "HISTORY", "DATE")]
    return Table({keyword: _column([meta.get(keyword) for meta in metas]) for keyword in named})


def _column(values: Sequence[Any]) -> np.ndarray:
    present = [value for value in values if value is not None]
    if not present or any(isinstance(value, str) for value in present):
        return np.array(["" if value is None else str(value) for value in values])
    if len(present) < len(values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array(values, dtype=np.int8 if all(isinstance(v, bool | np.bool_) for v in values) else None)


def with_summed_times(meta: Meta, metas: Sequence[Meta]) -> Meta:
    """Return `meta` with the exposure times of `metas`, one of each exposure, added up; those that all of them know."""
    sums = {keyword: _sum(keyword, metas) for keyword in ("XPOSURE", "DURATION", "TMEASURE")}
    sums |= {"EFFEXPTM": sums["XPOSURE"], "TELAPSE": sums["DURATION"]}
    primary, sci = meta.primary.copy(), meta.sci.copy()
    for keyword, value in sums.items():
        if value is not None:
            _home(keyword, primary, sci)[keyword] = value
    return Meta(primary=primary, sci=sci, source=meta.source)


def _home(keyword: str, primary: fits.Header, sci: fits.Header) -> fits.Header:
    """Return the header that has the keyword; for a new one, that of the primary HDU."""
    return sci if keyword in sci else primary


def _sum(keyword: str, metas: Sequence[Meta]) -> float | None:
    values = [meta.get(keyword) for meta in metas]
    return None if None in values else float(sum(values))
