"""Pixels of an image to the sky: NIRCam, NIRISS, FGS and MIRI imaging.

detector -[subarray, filter offset, distortion]-> v2v3 -[velocity aberration]-> v2v3vacorr -[pointing]-> world.
Source: JWST documentation, assign_wcs step, and JWST-STScI-001550 (coordinate systems).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from astropy import units as u
from astropy.coordinates import ICRS
from astropy.modeling import Model
from astropy.modeling.models import Identity, RotationSequence3D, Scale, Shift
from gwcs import WCS
from gwcs.coordinate_frames import CelestialFrame, Frame2D
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

from jwrules.wcs.footprint import Limits
from jwrules.wcs.pointing import Keywords, Pointing

EXP_TYPES = (
    *("NRC_IMAGE", "NRC_TACQ", "NRC_TACONFIRM", "NRC_CORON", "NRC_FOCUS", "NRC_TSIMAGE"),
    *("NIS_IMAGE", "NIS_TACQ", "NIS_TACONFIRM", "NIS_AMI", "NIS_FOCUS", "FGS_IMAGE", "FGS_FOCUS"),
    *("MIR_IMAGE", "MIR_TACQ", "MIR_TACONFIRM", "MIR_LYOT", "MIR_4QPM", "MIR_CORONCAL"),
)

FilterOffsets = Iterable[Mapping[str, Any]]


def build(
    keywords: Keywords, shape: tuple[int, int], distortion: Model, filter_offsets: FilterOffsets | None = None
) -> WCS:
    """Return the WCS of an imaging exposure of `shape` (ny, nx); pixels are 0-based, the sky is ICRS in degrees.

    `distortion` maps pixels of the full frame to V2, V3 in arcsec; `filter_offsets` are the rows {filter, pupil,
    column_offset, row_offset} of the filter-offset reference file. The bounding box is that of `distortion`, where it
    has one, else the array; for a subarray it is the array.
    """
    pointing = Pointing.of(keywords)
    origin = (int(keywords.get("SUBSTRT1") or 1) - 1, int(keywords.get("SUBSTRT2") or 1) - 1)
    to_v2v3 = _shift(*origin, filter_shift(keywords, filter_offsets), distortion)
    pixel = Frame2D(name="detector", axes_order=(0, 1), unit=(u.pix, u.pix))
    steps = [
        (pixel, to_v2v3),
        (_v2v3("v2v3"), velocity_aberration(pointing)),
        (_v2v3("v2v3vacorr"), telescope_to_sky(pointing)),
        (CelestialFrame(reference_frame=ICRS(), name="world"), None),
    ]
    wcs = WCS(steps)
    wcs.bounding_box = _bounding_box(distortion, origin, shape)
    wcs.array_shape = shape
    return wcs


def filter_shift(keywords: Keywords, rows: FilterOffsets | None) -> tuple[float, float] | None:
    """Return the offset (columns, rows) of the filter in use, None where there is none.

    MIRI has no pupil wheel: its rows are matched by filter alone.
    """
    wanted = {"filter": keywords.get("FILTER")}
    if keywords.get("INSTRUME") != "MIRI":
        wanted["pupil"] = keywords.get("PUPIL")
    for row in rows or ():
        if all(row.get(name) == value for name, value in wanted.items()):
            offset = row.get("column_offset", "N/A"), row.get("row_offset", "N/A")
            return None if "N/A" in offset else (float(offset[0]), float(offset[1]))
    return None


def velocity_aberration(pointing: Pointing) -> Model:
    """Return the scaling of V2, V3 about the reference point by the differential velocity aberration."""
    scale = pointing.va_scale
    if scale == 1:
        return Identity(2)
    correction = Scale(scale, name="dva_scale_v2") & Scale(scale, name="dva_scale_v3")
    shift_v2 = Shift((1 - scale) * pointing.v2, name="dva_v2_shift")
    correction |= shift_v2 & Shift((1 - scale) * pointing.v3, name="dva_v3_shift")
    correction.name = "DVA_Correction"
    return correction


def telescope_to_sky(pointing: Pointing) -> Model:
    """Return the rotation of V2, V3 (arcsec) to RA, Dec (degrees), RA in [0, 360)."""
    angles = [pointing.v2 / 3600, -pointing.v3 / 3600, pointing.roll, pointing.dec, -pointing.ra]
    model = (
        (Scale(1 / 3600) & Scale(1 / 3600))
        | SphericalToCartesian(wrap_lon_at=180)
        | RotationSequence3D(angles, axes_order="zyxyz")
        | CartesianToSpherical(wrap_lon_at=360)
    )
    model.name = "v23tosky"
    return model


def _shift(x0: int, y0: int, offset: tuple[float, float] | None, distortion: Model) -> Model:
    model = distortion if offset is None else Shift(offset[0]) & Shift(offset[1]) | distortion
    if not x0 and not y0:
        return model
    return (Shift(x0) if x0 else Identity(1)) & (Shift(y0) if y0 else Identity(1)) | model


def _v2v3(name: str) -> Frame2D:
    return Frame2D(name=name, axes_order=(0, 1), axes_names=("v2", "v3"), unit=(u.arcsec, u.arcsec))


def _bounding_box(distortion: Model, origin: tuple[int, int], shape: tuple[int, int]) -> Limits:
    """Return the array's outline, within the part of the detector for which the distortion was made."""
    (x0, x1), (y0, y1) = (-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5)
    if origin != (0, 0):
        return (x0, x1), (y0, y1)
    try:
        (low_x, high_x), (low_y, high_y) = distortion.bounding_box.bounding_box(order="F")
    except NotImplementedError:
        return (x0, x1), (y0, y1)
    return (max(x0, low_x), min(x1, high_x)), (max(y0, low_y), min(y1, high_y))
