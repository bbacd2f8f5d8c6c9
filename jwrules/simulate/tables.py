"""The tables of a raw exposure: when each group and each integration ended, and the ASDF tree."""

from __future__ import annotations

import io
from itertools import product

import asdf
import numpy as np
from astropy.io import fits
from astropy.time import Time

from jwrules.simulate.headers import BARYCENTRIC, HELIOCENTRIC, iso
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
    first = Time("2000-01-01T00:00:00", scale="utc").mjd
    for row, (i, g) in zip(rows, product(taken.integrations, range(readout.groups)), strict=True):
        frames = i * (readout.frames_read + 1) + g * (readout.frames + readout.gap) + readout.frames
        mjd = taken.start + frames * window.frame_time / 86400
        day, rest = divmod((mjd - first) * 86400e3, 86400e3)
        row["integration_number"], row["group_number"] = i + 1, g + 1
        row["end_day"], row["end_milliseconds"] = day, int(rest)
        row["end_submilliseconds"] = int(rest % 1 * 1000)
        row["group_end_time"] = iso(mjd)
        row["number_of_columns"], row["number_of_rows"] = window.nx, window.ny
        row["completion_code_text"] = "COMPLETE"
        row["bary_end_time"] = mjd + BARYCENTRIC / 86400
        row["helio_end_time"] = mjd + HELIOCENTRIC / 86400
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
    meta = {"model_type": "Level1bModel", "filename": f"{taken.name}_uncal.fits", "telescope": "JWST"}
    buffer = io.BytesIO()
    asdf.AsdfFile({"meta": meta}).write_to(buffer)
    cell = np.frombuffer(buffer.getvalue(), np.uint8)[np.newaxis]
    column = fits.Column(name="ASDF_METADATA", format=f"{cell.shape[1]}B", array=cell)
    return fits.BinTableHDU.from_columns([column], name="ASDF")
