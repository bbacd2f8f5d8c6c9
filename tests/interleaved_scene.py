"""Frames of NIRSpec in IRS2 readout, and their reference files, with known truth."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from astropy.io import fits
from ramp_scene import meta, ramp
from scipy import fft

from jwrules.products.kinds import Ramp, Refpix
from jwrules.simulate import irs2

NOISE, CLOCK = irs2.Noise(), irs2.Clock()
WAVES = CLOCK.samples


class Source:
    """Random numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.standard_normal(shape, np.float32)

    def series(self, spectrum: np.ndarray) -> np.ndarray:
        wave = self.rng.standard_normal((2, len(spectrum)), np.float32)
        return fft.irfft((wave[0] + 1j * wave[1]) * spectrum)


def keywords(detector: str, **more: Any) -> dict[str, Any]:
    """The keywords of an exposure in IRS2 readout."""
    sign = 1 if detector == "NRS1" else -1
    named = {"INSTRUME": "NIRSPEC", "DETECTOR": detector, "READPATT": "NRSIRS2RAPID", "SUBARRAY": "FULL"}
    return {**named, "NRS_NORM": 16, "NRS_REF": 4, "FASTAXIS": 2 * sign, "SLOWAXIS": sign, "NOUTPUTS": 5} | more


def exposure(data: np.ndarray, detector: str, **more: Any) -> Ramp:
    """A ramp of stored frames."""
    return ramp(data, **keywords(detector, **more))


def light(groups: int, seed: int, step: float = 50.0) -> np.ndarray:
    """Frames of the detector (groups, 2048, 2048): light that grows within the border of reference pixels, and noise.

    Over the mean of the frames light grows from group to group alike, so that it is known after correction.
    """
    frames = np.random.default_rng(seed).normal(0, 2, (groups, 2048, 2048)).astype(np.float32)
    frames[:, 4:-4, 4:-4] += step * np.arange(groups, dtype=np.float32)[:, np.newaxis, np.newaxis]
    return frames


@cache
def stored(detector: str, groups: int = 2, seed: int = 1) -> np.ndarray:
    """`light` as it is stored, (groups, 3200, 2048), without bias. Read only."""
    source, electronics = Source(seed), irs2.electronics(detector)
    bias = electronics.bias(np.zeros((2048, 2048)))
    frames = np.stack([electronics.stored(frame, source) - bias for frame in light(groups, seed)])
    frames.flags.writeable = False
    return frames


@cache
def reference_file(*bad: tuple[int, int, int]) -> Refpix:
    """The weights that suit the noise, and a list of bad reference pixels."""
    listed = np.array(list(bad), dtype=[("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")])
    table = irs2.weight_table(NOISE, CLOCK).data
    return Refpix(meta=meta(), table=table, bad=fits.FITS_rec.from_columns(fits.BinTableHDU(listed).columns))
