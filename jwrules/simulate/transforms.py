"""The reference files in ASDF: distortion, offsets of the filters, and AB minus Vega magnitudes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asdf
import numpy as np
from astropy import units
from astropy.modeling.core import Model
from astropy.modeling.models import Mapping, Polynomial2D, Shift
from astropy.table import Table
from numpy.polynomial import polynomial

from jwrules.simulate.nircam import Band, Detector, Pointing
from jwrules.simulate.optics import MIDDLE, distortion
from jwrules.simulate.references import DATE, USEAFTER, Shelf

BACK = 5


def _meta(reftype: str, model: str, path: Path, **instrument: Any) -> dict[str, Any]:
    return {
        "author": "jwrules simulator",
        "date": DATE,
        "description": f"Simulated {reftype}",
        "filename": path.name,
        "instrument": {"name": "NIRCAM"} | instrument,
        "model_type": model,
        "pedigree": "DUMMY",
        "reftype": reftype,
        "telescope": "JWST",
        "useafter": USEAFTER,
    }


def save(path: Path, tree: dict[str, Any]) -> None:
    """Write the tree, with the list of the extensions that it needs in order: asdf itself keeps them in a set."""
    draft = io.BytesIO()
    asdf.AsdfFile(tree).write_to(draft)
    with asdf.open(io.BytesIO(draft.getvalue())) as file:
        needed = sorted(file["history"]["extensions"], key=lambda extension: str(extension["extension_uri"]))
    asdf.AsdfFile({"history": {"extensions": needed}} | tree).write_to(path)


def write_distortion(shelf: Shelf, pointing: Pointing) -> None:
    """Write the way from pixels of the full frame, counted from 0, to V2, V3 in arcsec, and its inverse."""
    detector, band = pointing.detector, pointing.band
    path = shelf.path("distortion", "asdf")
    meta = _meta(
        "distortion", "DistortionModel", path,
        detector=detector.name, module=detector.module, channel=detector.channel, filter=band.filter,
        pupil=band.pupil, p_pupil=f"{band.pupil}|GRISMR|", p_filter=f"{band.filter}|",
    )  # fmt: skip
    meta |= {"input_units": units.pix, "output_units": units.arcsec}
    meta["exposure"] = {"type": "NRC_IMAGE", "p_exptype": "NRC_IMAGE|NRC_TACQ|NRC_TSIMAGE|"}
    meta["subarray"] = {"name": "GENERIC"}
    save(path, {"meta": meta, "model": distortion_model(detector)})


def distortion_model(detector: Detector) -> Model:
    """Return the distortion as an astropy model with its inverse; it has no bounds, the array that it serves has."""
    forward = [_polynomial(c) for c in distortion(detector)]
    v2, v3 = detector.center
    model = Shift(-MIDDLE) & Shift(-MIDDLE) | Mapping((0, 1, 0, 1)) | forward[0] & forward[1]
    backward = [_polynomial(c) for c in _inverse(detector)]
    home = Shift(MIDDLE) & Shift(MIDDLE)
    model.inverse = Shift(-v2) & Shift(-v3) | Mapping((0, 1, 0, 1)) | backward[0] & backward[1] | home
    return model


def _polynomial(coefficients: np.ndarray) -> Polynomial2D:
    degree = len(coefficients) - 1
    terms = {f"c{i}_{j}": coefficients[i, j] for i in range(degree + 1) for j in range(degree + 1 - i)}
    return Polynomial2D(degree, **terms)


def _inverse(detector: Detector) -> list[np.ndarray]:
    """Return coefficients from V2, V3 about the middle to pixels about the middle; good to 1e-5 pixels."""
    axis = np.linspace(-1.02, 1.02, 41) * MIDDLE
    dx, dy = (grid.ravel() for grid in np.meshgrid(axis, axis))
    v2, v3 = (polynomial.polyval2d(dx, dy, c) - c0 for c, c0 in zip(distortion(detector), detector.center, strict=True))
    size = max(np.abs(v2).max(), np.abs(v3).max())
    powers = [(i, j) for i in range(BACK + 1) for j in range(BACK + 1 - i)]
    terms = np.transpose([(v2 / size) ** i * (v3 / size) ** j for i, j in powers])
    found = []
    for target in (dx, dy):
        fit = np.linalg.lstsq(terms, target, rcond=None)[0]
        coefficients = np.zeros((BACK + 1, BACK + 1))
        for (i, j), value in zip(powers, fit, strict=True):
            coefficients[i, j] = value / size ** (i + j)
        found.append(coefficients)
    return found


def write_offsets(shelf: Shelf, pointing: Pointing) -> None:
    """Write where the filters of a channel and module move the image to, in pixels."""
    detector, band = pointing.detector, pointing.band
    path = shelf.path("filteroffset", "asdf")
    meta = _meta(
        "filteroffset", "FilteroffsetModel", path,
        module=detector.module, channel=detector.channel, detector="N/A",
    )  # fmt: skip
    meta["input_units"] = units.pix
    row: dict[str, Any] = {"filter": band.filter, "pupil": band.pupil}
    row |= {"column_offset": band.offset[0], "row_offset": band.offset[1]}
    other = {"filter": "F212N", "pupil": "CLEAR", "column_offset": 0.31, "row_offset": -0.22}
    save(path, {"meta": meta, "filters": [row, other]})


def write_magnitudes(shelf: Shelf, bands: Sequence[Band]) -> None:
    """Write AB minus Vega magnitudes of the filters."""
    path = shelf.path("abvegaoffset", "asdf")
    meta = _meta("abvegaoffset", "ABVegaOffsetModel", path, detector="N/A")
    meta["exposure"] = {"type": "NRC_IMAGE"}
    table = Table(
        {
            "filter": [band.filter for band in bands],
            "pupil": [band.pupil for band in bands],
            "abvega_offset": np.array([band.ab_minus_vega for band in bands], np.float32),
        }
    )
    save(path, {"meta": meta, "abvega_offset": table})
