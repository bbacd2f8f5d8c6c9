"""A program cut out of a simulated one: a small window of few exposures, so that a run of it takes seconds."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from astropy.io import fits

SIZE = 160
NAME = "SUB160"
CORNERS = {"NRCB1": (1, 2048 - SIZE + 1), "NRCALONG": (1, 1)}
"""First column and row of the window, counted from 1: in the corners where reference pixels are."""

EXPOSURES = ("jw09001001001_02101_00001_nrcb1", "jw09001001001_02101_00002_nrcb1", "jw09001002001_02101_00001_nrcalong")
"""Two with F200W, one with F444W."""
ONE_MORE = "jw09001001001_02101_00003_nrcb1"

EVERYTHING = {
    "detector1": 3,
    "image2": 3,
    "association": 2,
    "image3": 2,
    "crf": 3,
    "picture_exposure": 3,
    "picture_mosaic": 2,
    "picture_segments": 2,
}
"""How many jobs of each rule make everything."""


def cut(simulated: Path, folder: Path, exposures: Iterable[str]) -> None:
    """Cut these raw exposures, and all reference files, of `simulated` and write them to `folder`."""
    for exposure in exposures:
        cut_file(simulated / "uncal" / f"{exposure}_uncal.fits", folder / "uncal" / f"{exposure}_uncal.fits")
    for path in sorted((simulated / "references").iterdir()):
        cut_file(path, folder / "references" / path.name)


def cut_file(path: Path, new: Path) -> None:
    """Write the window of one file; one that is on no pixels of the detector is copied as it is."""
    new.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".fits" or "SUBSTRT1" not in fits.getheader(path):
        shutil.copyfile(path, new)
        return
    with fits.open(path) as hdus:
        column, row = _offset(hdus[0].header)
        for hdu in hdus[1:]:
            if hdu.is_image:
                hdu.data = hdu.data[..., row : row + SIZE, column : column + SIZE].copy()
                _center(hdu.header)
        _name(hdus[0].header)
        hdus.writeto(new)


def _offset(header: fits.Header) -> tuple[int, int]:
    """Return how far the window lies from the first pixel of an array, columns and rows."""
    column, row = CORNERS[header["DETECTOR"]]
    return column - header["SUBSTRT1"], row - header["SUBSTRT2"]


def _name(header: fits.Header) -> None:
    whole = header["SUBARRAY"] == "GENERIC"
    column, row = CORNERS[header["DETECTOR"]]
    header.update({"SUBARRAY": "GENERIC" if whole else NAME, "SUBSTRT1": column, "SUBSTRT2": row})
    header.update({"SUBSIZE1": SIZE, "SUBSIZE2": SIZE})
    if "NOUTPUTS" in header:
        header["NOUTPUTS"] = 1


def _center(header: fits.Header) -> None:
    if "CRPIX1" in header:
        header.update({"CRPIX1": (SIZE + 1) / 2, "CRPIX2": (SIZE + 1) / 2})
