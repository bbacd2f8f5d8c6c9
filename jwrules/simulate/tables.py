"""The tables of a raw exposure: when each group and each integration ended, and the ASDF tree."""

from __future__ import annotations

import io

import asdf
import numpy as np
from astropy.io import fits
from astropy.time import Time

from jwrules.simulate.headers import BARYCENTRIC, HELIOCENTRIC
from jwrules.simulate.program import Taken

GROUP = np.dtype(
    [
        ("integration_number", "i4"), ("group_number", "i2"), ("end_day", "i2"), ("end_milliseconds", "i4"),
        ("end_submilliseconds", "i2"), ("group_end_time", "S26"), ("number_of_columns", "i2"),
        ("number_of_rows", "i2"), ("number_of_gaps", "i2"), ("completion_code_number", "i2"),
        ("completion_code_text", "S36"), ("bary_end_time", "f8"), ("helio_end_time", "f8"),
    ]
)  # fmt: skip
INT_TIMES = np.dtype(
    [("integration_number", "i4")]
    + [(f"int_{which}_{scale}", "f8") for scale in ("MJD_UTC", "BJD_TDB") for which in ("start", "mid", "end")]
)


def extensions(taken: Taken) -> list[fits.BinTableHDU]:
    """Return the extensions GROUP, INT_TIMES and ASDF."""
    return [
        fits.BinTableHDU(group_table(taken), name="GROUP"),
        fits.BinTableHDU(integration_table(taken), name="INT_TIMES"),
        asdf_table(taken),
    ]


def group_table(taken: Taken) -> np.ndarray:
    """Return the table GROUP: one row for each group, when it ended and whether it arrived."""
    readout, window = taken.pointing.readout, taken.pointing.window
    rows = np.zeros(len(taken.integrations) * readout.groups, GROUP)
    i, g = (axis.ravel() for axis in np.meshgrid(taken.integrations, range(readout.groups), indexing="ij"))
    frames = i * (readout.frames_read + 1) + g * (readout.frames + readout.gap) + readout.frames
    mjd = taken.start + frames * window.frame_time / 86400
    day, rest = np.divmod((mjd - Time("2000-01-01T00:00:00", scale="utc").mjd) * 86400e3, 86400e3)
    rows["integration_number"], rows["group_number"] = i + 1, g + 1
    rows["end_day"], rows["end_milliseconds"], rows["end_submilliseconds"] = day, rest, rest % 1 * 1000
    rows["group_end_time"] = Time(mjd, format="mjd", scale="utc").isot
    rows["number_of_columns"], rows["number_of_rows"] = window.nx, window.ny
    rows["completion_code_text"] = "COMPLETE"
    rows["bary_end_time"], rows["helio_end_time"] = (mjd + delay / 86400 for delay in (BARYCENTRIC, HELIOCENTRIC))
    return rows


def integration_table(taken: Taken) -> np.ndarray:
    """Return the table INT_TIMES: one row for each integration, its start, middle and end."""
    readout, frame = taken.pointing.readout, taken.pointing.window.frame_time
    rows = np.zeros(len(taken.integrations), INT_TIMES)
    for i, row in zip(taken.integrations, rows, strict=True):
        begin = i * (readout.frames_read + 1)
        row["integration_number"] = i + 1
        frames = {"start": begin, "mid": begin + readout.frames_read / 2, "end": begin + readout.frames_read}
        for which, count in frames.items():
            mjd = taken.start + count * frame / 86400
            row[f"int_{which}_MJD_UTC"] = mjd
            row[f"int_{which}_BJD_TDB"] = mjd + BARYCENTRIC / 86400
    return rows


def asdf_table(taken: Taken) -> fits.BinTableHDU:
    """Return the extension ASDF that every exposure carries: one cell that holds a tree, here of a few words."""
    meta = {"model_type": taken.pointing.mode.model, "filename": f"{taken.name}_uncal.fits", "telescope": "JWST"}
    buffer = io.BytesIO()
    asdf.AsdfFile({"meta": meta}).write_to(buffer)
    cell = np.frombuffer(buffer.getvalue(), np.uint8)[np.newaxis]
    column = fits.Column(name="ASDF_METADATA", format=f"{cell.shape[1]}B", array=cell)
    return fits.BinTableHDU.from_columns([column], name="ASDF")
