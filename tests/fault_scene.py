"""A small raw exposure with its reference files, to be damaged, and stage 1 on it through the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits as pyfits
from ramp_scene import gain_and_readnoise, noisy, reference

from jwrules import cli
from jwrules.products import fits
from jwrules.products.kinds import Dark, Linearity, Mask, Reference, Saturation, Superbias

NAME = "jw01234001001_02101_00001_nrcalong"
SHAPE = (2, 5, 16, 24)
FRAME = SHAPE[2:]
RATE = 30.0
KEYWORDS = {
    "TELESCOP": "JWST",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
    "EXP_TYPE": "NRC_IMAGE",
    "READPATT": "RAPID",
    "SUBARRAY": "SUB64",
    "NOUTPUTS": 1,
    "NFRAMES": 1,
    "GROUPGAP": 0,
    "TGROUP": 10.0,
    "TFRAME": 10.0,
    "EFFINTTM": 50.0,
    "SUBSTRT1": 1,
    "SUBSTRT2": 1,
    "SUBSIZE1": FRAME[1],
    "SUBSIZE2": FRAME[0],
    "FASTAXIS": -1,
    "SLOWAXIS": 2,
}
STEPS = ("group_scale", "dq_init", "saturation", "superbias", "refpix", "linearity", "dark_current", "jump", "ramp_fit")
PRODUCTS = [f"{NAME}_rate.fits", f"{NAME}_rateints.fits"]


def counts(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Return groups of a steady light as a raw exposure has them."""
    return (8000 + noisy(RATE, shape, seed=3)).astype(np.uint16)


def references() -> list[Reference]:
    """Return reference files that leave the counts nearly as they are."""
    coeffs = np.stack([np.zeros(FRAME), np.ones(FRAME), np.zeros(FRAME)])
    return [
        reference(Mask, dq=np.zeros(FRAME, np.uint32)),
        reference(Saturation, data=np.full(FRAME, 6e4)),
        reference(Superbias, data=np.full(FRAME, 7000.0)),
        reference(Linearity, coeffs=coeffs),
        reference(Dark, data=np.zeros((5, *FRAME))),
        *gain_and_readnoise(FRAME).values(),
    ]


@dataclass
class Night:
    """A folder with a raw exposure and its reference files."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.uncal = self.folder / f"{NAME}_uncal.fits"
        self.output = self.folder / "out"
        self.expose()
        for one in references():
            self.give(one)

    def expose(self, data: np.ndarray | None = None, **keywords: Any) -> None:
        """Write the raw exposure; a keyword that is None is left out."""
        data = counts() if data is None else data
        numbers = dict(zip(("NINTS", "NGROUPS"), data.shape, strict=False))
        header = [(name, value) for name, value in (KEYWORDS | numbers | keywords).items() if value is not None]
        primary = pyfits.PrimaryHDU(header=pyfits.Header(header))
        pyfits.HDUList([primary, pyfits.ImageHDU(data, name="SCI")]).writeto(self.uncal, overwrite=True)

    def give(self, one: Reference, kind: str | None = None) -> Path:
        """Write a reference file; by `kind` it stands in for that type."""
        path = self.folder / f"{kind or one.reftype}.fits"
        meta = one.meta.updated(REFTYPE=one.reftype.upper(), SUBSTRT1=1, SUBSTRT2=1)
        fits.write(path, type(one)(**{**vars(one), "meta": meta}))
        self.files[kind or one.reftype] = path
        return path

    def change(self, change: Callable[[list[Any]], list[Any]], path: Path | None = None) -> None:
        """Write a file, by default the raw exposure, anew with its HDUs changed."""
        path = path or self.uncal
        with pyfits.open(path) as hdus:
            copies = [hdu.copy() for hdu in hdus]
        pyfits.HDUList(change(copies)).writeto(path, overwrite=True)

    def command(self, *more: str, steps: Sequence[str | dict[str, Any]] = STEPS) -> list[str]:
        """Return the command line of stage 1, as a rule gives it."""
        chain = json.dumps([{"step": one} if isinstance(one, str) else one for one in steps])
        files = [f"{kind}={path}" for kind, path in self.files.items()]
        return [
            *("detector1", str(self.uncal), "--output", str(self.output), "--quiet", "--steps", chain),
            *("--reference", *files, *more),
        ]

    def run(self, *more: str, steps: Sequence[str | dict[str, Any]] = STEPS) -> int:
        """Run stage 1; return the exit status."""
        return cli.main(self.command(*more, steps=steps))

    def left(self) -> list[str]:
        """Return what lies in the folder of the products, hidden files too."""
        return sorted(os.listdir(self.output)) if self.output.is_dir() else []
