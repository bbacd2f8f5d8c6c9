"""Guide-star exposures and reference files of a guider, as files and as products, made with numpy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from jwrules.products.kinds import GuiderRaw, Meta

NAME = "jw01019001001_gs-acq1_2022117003102"
GAIN, READNOISE = 2.0, 8.0
PLACE = {"SUBSTRT1": 11, "SUBSTRT2": 21}

EXPOSURE = {
    "TELESCOP": "JWST",
    "INSTRUME": "FGS",
    "DETECTOR": "GUIDER2",
    "DATAMODL": "Level1bModel",
    "EXP_TYPE": "FGS_ACQ1",
    "READPATT": "ACQ1",
    "SUBARRAY": "128X128",
    "PROGRAM": "01019",
    "OBSERVTN": "001",
    "VISIT": "001",
    "TSOVISIT": False,
    "NFRAMES": 1,
    "TFRAME": 0.25,
    "TGROUP": 0.5,
    "FASTAXIS": 2,
    "SLOWAXIS": -1,
    "DATE-OBS": "2022-04-27",
    "TIME-OBS": "00:30:49.000",
}

STARS = np.array(
    [(b"A1", 10.5, 20.5, 1000.0), (b"B2", 30.5, 5.5, 250.0)],
    dtype=[("reference_star_id", "S2"), ("id_x", "f8"), ("id_y", "f8"), ("count_rate", "f8")],
)


TREE = b"""#ASDF 1.0.0
#ASDF_STANDARD 1.5.0
%YAML 1.1
%TAG ! tag:stsci.edu:asdf/
--- !core/asdf-1.1.0
asdf_library: !core/software-1.0.0 {author: The ASDF Developers, name: asdf, version: 2.15.1}
meta:
  instrument: {detector: GUIDER2, name: FGS}
  wcsinfo: {v2_ref: 22.835, v3_ref: -699.423}
...
"""
"""What the ground system writes beside the reads."""


def embedded() -> fits.BinTableHDU:
    """Return the ASDF extension of a raw exposure."""
    cell = np.frombuffer(TREE, np.uint8)[np.newaxis]
    column = fits.Column(name="ASDF_METADATA", format=f"{cell.shape[1]}B", array=cell)
    return fits.BinTableHDU.from_columns([column], name="ASDF")


def reads(first: Any, second: Any) -> np.ndarray:
    """Return integrations of two reads, (nints, 2, ny, nx), from two arrays (nints, ny, nx)."""
    return np.stack([np.asarray(first, float), np.asarray(second, float)], axis=1)


def raw(data: np.ndarray, **keywords: Any) -> GuiderRaw:
    """Return reads (nints, ngroups, ny, nx) of a guide star without flags; keywords over EXPOSURE."""
    header = fits.Header(list((EXPOSURE | keywords).items()))
    return GuiderRaw(meta=Meta(primary=header, source="made for a test"), data=np.asarray(data, np.float32))


def write_raw(path: Path, data: np.ndarray, **keywords: Any) -> Path:
    """Write an exposure as the ground system does: unsigned integers and a table of stars."""
    nints, ngroups, ny, nx = data.shape
    shape = {"NINTS": nints, "NGROUPS": ngroups, "SUBSIZE1": nx, "SUBSIZE2": ny}
    header = fits.Header(
        list((EXPOSURE | PLACE | shape | {"FILENAME": path.name, "DATE": "2022-05-01"} | keywords).items())
    )
    science = fits.ImageHDU(np.asarray(data, np.uint16), fits.Header({"BUNIT": "DN"}), name="SCI")
    stars = fits.BinTableHDU(STARS, name="Flight Reference Stars")
    fits.HDUList([fits.PrimaryHDU(header=header), science, stars, embedded()]).writeto(path)
    return path


def write_references(folder: Path, size: int = 64, **changed: np.ndarray) -> dict[str, Path]:
    """Write mask, gain, readnoise and flat of a square detector; `changed` are arrays in place of the uniform ones."""
    shape = (size, size)
    arrays = {
        "mask": {"DQ": np.zeros(shape, np.uint32)},
        "gain": {"SCI": np.full(shape, GAIN, np.float32)},
        "readnoise": {"SCI": np.full(shape, READNOISE, np.float32)},
        "flat": {"SCI": np.ones(shape, np.float32), "ERR": np.zeros(shape, np.float32)},
    }
    arrays["flat"]["DQ"] = np.zeros(shape, np.uint32)
    for name, array in changed.items():
        kind, _, extension = name.partition("_")
        arrays[kind][extension.upper()] = array
    return {kind: _write_reference(folder / f"jwst_fgs_{kind}_0001.fits", kind, one) for kind, one in arrays.items()}


def _write_reference(path: Path, kind: str, arrays: dict[str, np.ndarray]) -> Path:
    size = next(iter(arrays.values())).shape[-1]
    header = {"TELESCOP": "JWST", "REFTYPE": kind.upper(), "INSTRUME": "FGS", "DETECTOR": "GUIDER2"}
    header |= {"USEAFTER": "2015-01-01T00:00:00", "DESCRIP": "made for a test", "AUTHOR": "a test", "PEDIGREE": "DUMMY"}
    header |= {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": size, "SUBSIZE2": size, "SUBARRAY": "GENERIC"}
    extensions = [fits.ImageHDU(array, name=name) for name, array in arrays.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(header=fits.Header(header)), *extensions]).writeto(path)
    return path
