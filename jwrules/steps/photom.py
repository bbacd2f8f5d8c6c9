"""Turn count rates (DN/s) into surface brightness (MJy/sr).

The row of the photom reference file that is for the filter, pupil and subarray of the exposure gives one factor for all
pixels, divided by what the loss of sensitivity since the reference day leaves over, where the file has such tables. The
factor is kept in PHOTMJSR and PHOTUJA2, the nominal area of a pixel in PIXAR_SR and PIXAR_A2, the map of relative pixel
areas in AREA. `inverse` goes back to DN/s. Source: JWST documentation, photom step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io.fits import FITS_rec, FITS_record

from jwrules.errors import CannotRun, ReferenceFault
from jwrules.products.kinds import Area, Image, Meta, Photom
from jwrules.products.pixels import agreed, scaled
from jwrules.steps.declare import par, step

UJY_PER_ARCSEC2 = 1e12 * (np.pi / 180 / 3600) ** 2
_SELECTORS = ("filter", "pupil", "subarray")


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which way the conversion is applied, and whether it follows the loss of sensitivity with time."""

    inverse: bool = par(False, "divide by the conversion factor instead of multiplying")
    apply_time_correction: bool = par(True, "correct for the loss of sensitivity since the reference day")


@step(status="S_PHOTOM")
def photom(image: Image, params: Params, *, photom: Photom, area: Area | None = None) -> Image:
    """Return the image in MJy/sr; CannotRun where the reference has no row for its filter, pupil and subarray."""
    row = matching_row(photom, image.meta)
    factor = float(photom.table["photmjsr"][row])
    if params.apply_time_correction:
        factor /= throughput(photom, row, image.meta)
    if not np.isfinite(factor) or factor == 0:
        raise ReferenceFault(f"{photom.meta.source}: the conversion factor in row {row + 1} is {factor}")
    converted = agreed(scaled(image, 1 / factor if params.inverse else factor))
    unit = "DN/s" if params.inverse else "MJy/sr"
    return replace(
        converted,
        meta=_with_factors(image.meta, factor, unit, photom, area),
        area=image.area if area is None else area.data,
    )


def matching_row(photom: Photom, meta: Meta) -> int:
    """Return the index of the row for the exposure; a row for the subarray GENERIC serves where its own has none.

    Rows are told apart by the columns filter, pupil and subarray, as far as the table has them.
    Raises CannotRun where there is no row, ReferenceFault where there are several.
    """
    names = {name.lower() for name in photom.table.names}
    wanted = {column: str(meta.get(column.upper(), "")).strip().upper() for column in _SELECTORS if column in names}
    rows = _rows(photom.table, wanted)
    if not len(rows) and "subarray" in wanted:
        rows = _rows(photom.table, wanted | {"subarray": "GENERIC"})
    described = ", ".join(f"{column.upper()}={value}" for column, value in wanted.items())
    if not len(rows):
        known = sorted({" ".join(str(row[column]).strip() for column in wanted) for row in photom.table})
        raise CannotRun(f"{photom.meta.source} has no row for {described}; it has {', '.join(known)}")
    if len(rows) > 1:
        raise ReferenceFault(f"{photom.meta.source} has {len(rows)} rows for {described}; there must be one")
    return int(rows[0])


def _rows(table: FITS_rec, wanted: dict[str, str]) -> np.ndarray:
    match = np.ones(len(table), dtype=bool)
    for column, value in wanted.items():
        match &= np.array([str(entry).strip().upper() == value for entry in table[column]], dtype=bool)
    return np.flatnonzero(match)


def throughput(photom: Photom, row: int, meta: Meta) -> float:
    """Return the sensitivity at mid-exposure (EXPMID, MJD) relative to the reference day; 1 without time tables."""
    result = 1.0
    for table, law in ((photom.linear, _linear), (photom.exponential, _exponential), (photom.powerlaw, _powerlaw)):
        if table is None:
            continue
        if len(table) != len(photom.table):
            raise ReferenceFault(f"{photom.meta.source}: its tables have {len(photom.table)} and {len(table)} rows")
        result *= law(meta["EXPMID"] - table["t0"][row], table[row])
    return float(result)


def _linear(days: float, row: FITS_record) -> float:
    return float(1 - row["lossperyear"] * days / 365)


def _exponential(days: float, row: FITS_record) -> float:
    return float(row["amplitude"] * np.exp(-days / row["tau"]) + row["const"])


def _powerlaw(days: float, row: FITS_record) -> float:
    return float(row["year1value"] * ((days + row["tsoft"]) / (365 + row["tsoft"])) ** row["alpha"])


def _with_factors(meta: Meta, factor: float, unit: str, photom: Photom, area: Area | None) -> Meta:
    keywords: dict[str, Any] = {
        "BUNIT": (unit, "physical units of the array values"),
        "PHOTMJSR": (factor, "Flux density (MJy/steradian) producing 1 cps"),
        "PHOTUJA2": (factor * UJY_PER_ARCSEC2, "Flux density (uJy/arcsec2) producing 1 cps"),
    }
    comments = {"PIXAR_SR": "Nominal pixel area in steradians", "PIXAR_A2": "Nominal pixel area in arcsec^2"}
    for keyword, comment in comments.items():
        value = _first(keyword, area, photom)
        if value is not None:
            keywords[keyword] = (float(value), comment)
    return meta.updated_sci(**keywords)


def _first(keyword: str, *references: Photom | Area | None) -> Any:
    found = (reference.meta.get(keyword) for reference in references if reference is not None)
    return next((value for value in found if value is not None), None)
