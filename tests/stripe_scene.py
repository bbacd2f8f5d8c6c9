"""Simulated exposures read once more in stripes, as multistripe and superstripe subarrays are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, kw_only=True)
class Readout:
    """How a template is read in stripes of the subarray `made_of`.

    `lines` are the rows of the detector (axis -2) or columns (-1), in science pixels, in one frame after the other;
    `keywords` say so. Where the dark has the rows of the exposure `dark` tells them, and SUBSTRT2.
    """

    template: str
    made_of: str
    integrations: int
    groups: int
    lines: Sequence[np.ndarray]
    axis: int
    keywords: Mapping[str, Any]
    dark: tuple[np.ndarray, int] | None = None
    effects: Mapping[str, float] = field(default_factory=dict)
    pattern: str | None = None


def _said(name: str, *numbers: int, **more: int) -> dict[str, Any]:
    return {"SUBARRAY": name} | dict(zip(KEYWORDS, numbers, strict=True)) | more


DHS = Readout(
    template="nircam_grism_time_series",
    made_of="SUBGRISM64",
    integrations=4,
    groups=6,
    lines=[np.r_[0, 10:22, 0, 29:41, 0, 48:60]],
    axis=-2,
    keywords=_said("SUB41STRIPE1_DHS", 1, 9, 12, 7, 1, 1, 0, 0, SUBSIZE2=39),
    dark=(np.r_[0, 10:22, 0, 29:41, 0, 48:60], 1),
)
"""Three stripes of 12 rows from 10, 29 and 48 on, each after the first row of the detector."""
SOSS = Readout(
    template="niriss_soss",
    made_of="SUBSTRIP96",
    integrations=10,
    groups=5,
    lines=[np.r_[2044 - 408 * (k + 1) : 2044 - 408 * k, 2044:2048] for k in range(5)],
    axis=-1,
    keywords=_said("SUB680STRIPE_SOSS", 4, 0, 408, 0, 1, 1, 408, 5, SUBSTRT1=2048, SUBSIZE1=412),
)
"""Two rounds of five superstripes of 408 columns, each beside the last four columns of the detector."""
ROWS = Readout(
    template="nircam_grism_time_series",
    made_of="SUBGRISM64",
    integrations=8,
    groups=5,
    lines=[np.r_[0, 4 + 15 * k : 19 + 15 * k] for k in range(4)],
    axis=-2,
    keywords=_said("FULL_SUPSTP024", 1, 3, 15, 0, 1, 0, 15, 4, SUBSIZE2=16),
    dark=(np.arange(4, 64), 5),
    effects={"zeroframe": True},
)
"""Two rounds of four superstripes of 15 rows, each after the first row of the detector, with their first frames."""
AVERAGED = replace(ROWS, pattern="BRIGHT2")
"""The same in groups of two frames."""
PURE = replace(
    ROWS,
    lines=[np.r_[16 * k : 16 * k + 16] for k in range(4)],
    keywords=_said("FULL_SUPSTP024", 0, 0, 0, 0, 0, 0, 16, 4, SUBSIZE2=16),
    dark=None,
    effects={},
)
"""Two rounds of four superstripes of 16 rows: side by side they have the shape of the detector."""


def read(readout: Readout, folder: Path) -> Taken:
    """Simulate an exposure and read it in stripes."""
    (row, *_) = BY_NAME[readout.template]
    row = replace(row, subarray=readout.made_of, segments=1)
    wishes = Wishes(readout.groups, readout.integrations, readout.pattern, readout.effects)
    stage1.simulate(folder, [row], "full", 1, wishes)
    (raw,) = (folder / "uncal").iterdir()
    with fits.open(raw, mode="update", uint=True) as hdus:
        for hdu in (hdus[name] for name in ("SCI", "ZEROFRAME") if name in hdus):
            number = len(readout.lines)
            frames = [np.take(one, readout.lines[k % number], readout.axis) for k, one in enumerate(hdu.data)]
            hdu.data = np.stack(frames)
        hdus[0].header.update(readout.keywords)
    for path in (folder / "references").glob("*.fits"):
        fits.setval(path, "SUBARRAY", value="GENERIC")
    if readout.dark:
        (dark,) = (folder / "references").glob("*_dark_*.fits")
        _cut(dark, *readout.dark)
    return Taken(folder, raw)


def _cut(dark: Path, rows: np.ndarray, start: int) -> None:
    """Give the dark the rows of the exposure, as those of such subarrays have them: the official step cuts none."""
    with fits.open(dark, mode="update") as hdus:
        for name in ("SCI", "DQ"):
            hdus[name].data = np.take(hdus[name].data, rows, -2)
        hdus[0].header["SUBSTRT2"], hdus[0].header["SUBSIZE2"] = start, len(rows)
