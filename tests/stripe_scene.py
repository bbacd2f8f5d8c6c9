"""Simulated exposures read once more in stripes, as multistripe and superstripe subarrays are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from template_scene import Taken

from jwrules.products.stripes import KEYWORDS
from jwrules.simulate import stage1
from jwrules.simulate.templates import BY_NAME
from jwrules.simulate.wishes import Wishes


@dataclass(frozen=True)
class Readout:
    """A template that is read in stripes: of which subarray it is made, and what its header says then."""

    template: str
    made_of: str
    integrations: int
    groups: int
    keywords: Mapping[str, Any]
    effects: Mapping[str, float] = field(default_factory=dict)


def _said(name: str, *numbers: int, **more: int) -> dict[str, Any]:
    return {"SUBARRAY": name} | dict(zip(KEYWORDS, numbers, strict=True)) | more


DHS = Readout(
    "nircam_grism_time_series",
    "SUBGRISM64",
    4,
    6,
    _said("SUB41STRIPE1_DHS", 1, 9, 12, 7, 1, 1, 0, 0, SUBSIZE2=39),
)
"""Three stripes of 12 rows from 10, 29 and 48 on, each after the first row of the detector."""
SOSS = Readout(
    "niriss_soss",
    "SUBSTRIP96",
    10,
    5,
    _said("SUB680STRIPE_SOSS", 4, 0, 408, 0, 1, 1, 408, 5, SUBSTRT1=2048, SUBSIZE1=412),
)
"""Two rounds of five superstripes of 408 columns, each beside the last four columns of the detector."""
ROWS = Readout(
    "nircam_grism_time_series",
    "SUBGRISM64",
    8,
    5,
    _said("FULL_SUPSTP024", 1, 3, 15, 0, 1, 0, 15, 4, SUBSIZE2=16),
    {"zeroframe": True},
)
"""Two rounds of four superstripes of 15 rows, each after the first row of the detector, with their first frames."""
PURE = Readout(
    "nircam_grism_time_series",
    "SUBGRISM64",
    8,
    5,
    _said("FULL_SUPSTP024", 0, 0, 0, 0, 0, 0, 16, 4, SUBSIZE2=16),
)
"""Two rounds of four superstripes of 16 rows: side by side they have the shape of the detector."""


def lines(readout: Readout) -> list[np.ndarray]:
    """The rows, or the columns of `SOSS`, that the detector has read in each frame, in science pixels."""
    if readout is DHS:
        return [np.r_[0, 10:22, 0, 29:41, 0, 48:60]]
    if readout is ROWS:
        return [np.r_[0, 4 + 15 * k : 19 + 15 * k] for k in range(4)]
    if readout is PURE:
        return [np.r_[16 * k : 16 * k + 16] for k in range(4)]
    return [np.r_[2044 - 408 * (k + 1) : 2044 - 408 * k, 2044:2048] for k in range(5)]


def read(readout: Readout, folder: Path) -> Taken:
    """Simulate an exposure and read it in stripes."""
    (row, *_) = BY_NAME[readout.template]
    row = replace(row, subarray=readout.made_of, segments=1)
    wishes = Wishes(groups=readout.groups, integrations=readout.integrations, effects=readout.effects)
    stage1.simulate(folder, [row], "full", 1, wishes)
    (raw,) = (folder / "uncal").iterdir()
    with fits.open(raw, mode="update", uint=True) as hdus:
        parts = lines(readout)
        axis = -1 if readout is SOSS else -2
        for hdu in (hdus[name] for name in ("SCI", "ZEROFRAME") if name in hdus):
            frames = [np.take(frame, parts[k % len(parts)], axis) for k, frame in enumerate(hdu.data)]
            hdu.data = np.stack(frames)
        hdus[0].header.update(readout.keywords)
    for path in (folder / "references").glob("*.fits"):
        fits.setval(path, "SUBARRAY", value="GENERIC")
    if readout in (DHS, ROWS):
        (dark,) = (folder / "references").glob("*_dark_*.fits")
        _cut(dark, *((lines(DHS)[0], 1) if readout is DHS else (np.arange(4, 64), 5)))
    return Taken(folder, raw)


def _cut(dark: Path, rows: np.ndarray, start: int) -> None:
    """Give the dark the rows of the exposure, as those of such subarrays have them: the official step cuts none."""
    with fits.open(dark, mode="update") as hdus:
        for name in ("SCI", "DQ"):
            hdus[name].data = np.take(hdus[name].data, rows, -2)
        hdus[0].header["SUBSTRT2"], hdus[0].header["SUBSIZE2"] = start, len(rows)
