"""Simulated exposures read once more in stripes, as multistripe and superstripe subarrays are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


def lines(readout: Readout) -> list[np.ndarray]:
    """The rows of `DHS`, or the columns that each superstripe of `SOSS` has, in science pixels."""
    if readout is DHS:
        return [np.r_[0, 10:22, 0, 29:41, 0, 48:60]]
    return [np.r_[2044 - 408 * (k + 1) : 2044 - 408 * k, 2044:2048] for k in range(5)]


def read(readout: Readout, folder: Path) -> Taken:
    """Simulate an exposure and read it in stripes."""
    (row, *_) = BY_NAME[readout.template]
    row = replace(row, subarray=readout.made_of, segments=1)
    wishes = Wishes(groups=readout.groups, integrations=readout.integrations)
    stage1.simulate(folder, [row], "full", 1, wishes)
    (raw,) = (folder / "uncal").iterdir()
    with fits.open(raw, mode="update", uint=True) as hdus:
        sci, parts = hdus["SCI"], lines(readout)
        axis = 2 if readout is DHS else 3
        frames = [np.take(frame[np.newaxis], parts[k % len(parts)], axis) for k, frame in enumerate(sci.data)]
        sci.data = np.concatenate(frames)
        hdus[0].header.update(readout.keywords)
    for path in (folder / "references").glob("*.fits"):
        fits.setval(path, "SUBARRAY", value="GENERIC")
    if readout is DHS:
        (dark,) = (folder / "references").glob("*_dark_*.fits")
        _cut(dark)
    return Taken(folder, raw)


def _cut(dark: Path) -> None:
    """Give the dark the rows of the exposure, as those of such subarrays have them: the official step cuts none."""
    with fits.open(dark, mode="update") as hdus:
        for name in ("SCI", "DQ"):
            hdus[name].data = np.take(hdus[name].data, lines(DHS)[0], -2)
        hdus[0].header["SUBSIZE2"] = len(lines(DHS)[0])
