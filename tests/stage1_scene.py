"""Small exposures for every parameter of the steps of stage 1: what a step is handed, made anew at each call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import interference_scene
import interleaved_scene
import numpy as np
from astropy.io import fits
from flicker_scene import exposure, transposed
from guide_scene import raw
from ramp_scene import gain_and_readnoise, meta, noisy, one_pixel, ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import (
    Dark,
    Flat,
    Persat,
    PictureFrame,
    Ramp,
    Rscd,
    Saturation,
    SirsKernel,
    TrapDensity,
    TrapPars,
)

Handed = tuple[Any, dict[str, Any]]
Scene = Callable[[], Handed]

DETECTOR = (2048, 2048)
MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FASTAXIS": 1, "SLOWAXIS": 2}
NIRSPEC = {"INSTRUME": "NIRSPEC", "SUBARRAY": "FULL", "EXP_TYPE": "NRS_IFU", "FASTAXIS": 2, "SLOWAXIS": 1}


def with_gain(product: Any) -> Handed:
    """The product with uniform gain and read noise."""
    return product, gain_and_readnoise(product.pixeldq.shape)


def struck(ngroups: int = 8, nints: int = 1, side: int = 60, **keywords: Any) -> Scene:
    """Noise with cosmic rays of all heights, without flags."""

    def scene() -> Handed:
        shape = (nints, ngroups, side, side)
        random = np.random.default_rng(3)
        rays = np.where(random.random(shape) < 0.02, 10 ** random.uniform(1.2, 4.6, shape), 0)
        return with_gain(ramp(noisy(5.0, shape, seed=2) + rays.cumsum(axis=1), **keywords))

    return scene


def flagged() -> Handed:
    """Noise with steps that are flagged as jumps, a pixel with one good group, and a first group that is too high."""
    shape = (2, 8, 20, 20)
    product = ramp(noisy(5.0, shape, seed=2))
    product.data[:, 0] += 50
    product.data[:, 7] -= 50
    product.data[:, 4:, :9] += 800
    product.groupdq[:, 4, :9] = DQ.JUMP_DET
    product.groupdq[:, 1:, 0, 0] = DQ.SATURATED
    return with_gain(product)


def bent() -> Handed:
    """Rates that fall along the ramp, by more and more from column to column."""
    time = np.linspace(0, 1, 8)[:, None, None]
    fall = np.linspace(0, 0.5, 20) * 500 * (time - time**2 / 2) * 70
    return with_gain(ramp(noisy(500.0, (1, 8, 10, 20)) - fall))


def snowballs() -> Handed:
    """Large events with a saturated core and without, amid the field and near an edge."""
    product = ramp(np.tile(100.0 * np.arange(8)[:, None, None], (2, 1, 80, 80)))
    rows, columns = np.ogrid[:80, :80]
    middle, edge = np.hypot(rows - 40, columns - 40), np.hypot(rows - 40, columns - 6)
    product.data[0, 4:, middle < 6] += 5000
    product.groupdq[0, 4:, middle < 3] = DQ.SATURATED
    product.data[0, 6:, edge < 9] += 5000
    product.data[1, 4:, 30:36, 60:66] += 5000
    return with_gain(product)


def shower() -> Handed:
    """A disc in which every pixel rises by two sigma."""
    product = ramp(noisy(2.0, (2, 8, 90, 90), seed=3) + 1000)
    product.data[0, 4:, np.hypot(*np.ogrid[-50:40, -40:50]) < 12] += 17
    return with_gain(product)


def flicker(**keywords: Any) -> Scene:
    """1/f noise on sky, stars and a slope of the background."""

    def scene() -> Handed:
        product = exposure((128, 64), nints=2, ngroups=4, **keywords).ramp
        product.data[...] += (np.linspace(0, 60, 128)[:, None] * np.arange(1, 5)[:, None, None]).astype(np.float32)
        response = np.linspace(0.7, 1.3, 64) * np.ones((128, 1))
        return product, gain_and_readnoise((128, 64)) | {"flat": reference(Flat, data=response, err=0 * response)}

    return scene


def flicker_of_amplifiers() -> Handed:
    """Rows of a full frame; one amplifier is too high in one of them."""
    product = ramp(noisy(1.0, (1, 4, 16, 2048)), EXP_TYPE="NRC_IMAGE", SUBARRAY="FULL", FASTAXIS=1, SLOWAXIS=2)
    product.data[0, 2, 5, 512:1024] += 16
    return with_gain(product)


def flicker_of_nirspec() -> Handed:
    """Columns, of which a part lies behind shutters that are stuck open."""
    product = transposed(exposure((32, 128), ngroups=3).ramp, **(NIRSPEC | {"SUBARRAY": "SUB32"}))
    product.pixeldq[:60] = DQ.MSA_FAILED_OPEN
    product.data[0, 2, :60] += 3
    return with_gain(product)


def frames(level: float = 100.0, **keywords: Any) -> Ramp:
    """A full frame with its border of reference pixels, whose rows drift and whose columns are of two levels."""
    product = ramp(np.full((1, 1, *DETECTOR), level), **({"FASTAXIS": 1, "SLOWAXIS": 2} | keywords))
    product.pixeldq[:4], product.pixeldq[-4:] = DQ.REFERENCE_PIXEL, DQ.REFERENCE_PIXEL
    product.pixeldq[:, :4], product.pixeldq[:, -4:] = DQ.REFERENCE_PIXEL, DQ.REFERENCE_PIXEL
    product.data[...] += 5 * np.sin(np.arange(2048.0) / 20)[:, None]
    product.data[..., 1::2] += 8
    product.data[0, 0, :4] += np.random.default_rng(1).normal(0, 3, (4, 2048))
    product.data[0, 0, 1000, :4] += 4000
    return product


def drifting() -> Handed:
    """Such a frame, and kernels for its side pixels."""
    wave = np.exp(-((np.arange(65) / 12) ** 2)) * np.ones((4, 1)) + 0j
    return frames(), {"sirskernel": SirsKernel(meta=meta(), tree={"nrcalong": {"gamma": wave, "zeta": 0.5 * wave}})}


def interleaved() -> Handed:
    """Frames in IRS2 readout with a pair of reference pixels that is too high."""
    product = interleaved_scene.exposure(interleaved_scene.stored("NRS1"), "NRS1")
    product.data[0, :, 1000:1020] += 40
    return product, {"refpix": interleaved_scene.reference_file()}


def mid_infrared_drift() -> Handed:
    """Groups of MIRI, whose even rows have risen."""
    product = ramp(np.full((1, 2, 8, 1032), 100.0), **MIRI)
    product.pixeldq[:, [*range(4), *range(1028, 1032)]] = DQ.REFERENCE_PIXEL
    product.data[0, 1, ::2] += 6
    return product, {}


def picture() -> Handed:
    """A glow of the border, light in the midst, and a part of it behind shutters that are stuck open."""
    glow, product = _glow(), ramp(_noise_of_a_frame(), **NIRSPEC)
    product.pixeldq[100:1960, 100:1960] = DQ.MSA_FAILED_OPEN
    product.data[0, 1:] += 5 + 6 * glow
    product.data[0, 1:, 100:700, 100:1960] += 3
    frame = reference(PictureFrame, data=glow)
    return product, {"pictureframe": frame, **_gain_and_readnoise_of_a_frame()}


@cache
def _glow() -> np.ndarray:
    edge = np.minimum(np.arange(2048), np.arange(2048)[::-1])
    return np.exp(-np.minimum(edge[:, None], edge) / 100).astype(np.float32)


@cache
def _noise_of_a_frame() -> np.ndarray:
    random = np.random.default_rng(1)
    return (
        random.normal(0, 3, (1, 4, *DETECTOR)).astype(np.float32) + 10 * np.arange(4, dtype=np.float32)[:, None, None]
    )


@cache
def _gain_and_readnoise_of_a_frame() -> dict[str, Any]:
    return gain_and_readnoise(DETECTOR)


def interference(height: float | list[float] = 5.0) -> Scene:
    """MIRI ramps with a wave in it, noise, and integrations in which it is of other heights."""

    def scene() -> Handed:
        product, _ = interference_scene.exposure((4, 6, 32, 72), noise=3.0, height=height)
        return product, {"emicorr": interference_scene.reference()}

    return scene


def after_saturation(**keywords: Any) -> Scene:
    """Two integrations of a pixel that saturates and one of 500 DN, with when they were taken."""

    def scene() -> Handed:
        product = ramp(np.full((2, 4, 1, 2), [1e4, 500.0]), EFFINTTM=50.0, EXPSTART=60000.0, **keywords)
        product.groupdq[0, 2:, 0, 0] = DQ.SATURATED
        return product, {}

    return scene


def traps() -> Handed:
    """A bright integration and a faint one, with traps."""
    names = ("capture0", "capture1", "capture2", "decay_param")
    table = np.array([(900.0, -0.02, 150.0, -0.01)], [(name, "f8") for name in names])
    rates = np.array([500.0, 2.0])[:, None, None, None]
    product = ramp(
        rates * 10 * np.arange(1, 9)[:, None, None], TGROUP=10.0, NRSTSTRT=1, NRESETS=1, EXPSTART=60000.0, EFFINTTM=90.0
    )
    density, well = reference(TrapDensity, data=[[1.0]]), reference(Persat, data=[[60000.0]])
    pars = TrapPars(meta=meta(), table=fits.BinTableHDU(table).data)
    return product, {"trapdensity": density, "persat": well, "trappars": pars}


def decaying() -> Handed:
    """Two integrations of MIRI, and a file with numbers for both methods."""
    numbers = {"tau": 1.5, "ascale": 0.01, "pow": 0.5, "illum_zp": 1.0, "illum_slope": 0.1, "illum2": 0.01}
    numbers |= {"param3": 9000.0, "crossopt": 1000.0, "sat_zp": 1e-3, "sat_slope": 1e-5, "sat_2": 1e-6}
    numbers |= {"sat_mzp": 2.0, "sat_rowterm": 1e-4, "sat_scale": 1.1}
    columns = [("subarray", "S13"), ("readpatt", "S4"), ("rows", "S4"), *((name, "f8") for name in numbers)]
    decay = np.array([("FULL", "FAST", kind, *numbers.values()) for kind in ("EVEN", "ODD")], columns)
    skipped = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    table = np.array([("FULL", "FASTR1", 2, 4)], skipped)
    file = Rscd(meta=meta(), table=fits.BinTableHDU(table).data, decay=fits.BinTableHDU(decay).data)
    data = np.broadcast_to(2000.0 * np.arange(1, 9)[:, None, None], (2, 8, 1, 1))
    return ramp(data, SUBARRAY="FULL", READPATT="FASTR1", NINTS=2), {"rscd": file}


def saturating() -> Handed:
    """Averaged frames of which one group may have been saturated in part; in a corner it is the last one."""
    product = ramp(np.tile(np.reshape([1e4, 5e4, 5.1e4], (3, 1, 1)), (1, 1, 5, 5)), NFRAMES=4)
    product.data[0, 2, 2, 2], product.data[0, :, 0, 0] = 6.1e4, [1e4, 3.5e4, 5.5e4]
    return product, {"saturation": reference(Saturation, data=np.full((5, 5), 6e4))}


def bright() -> Handed:
    """A pixel that reaches 30000 DN."""
    return one_pixel([1e4, 2e4, 3e4]), {}


def settling() -> Handed:
    """A pixel of MIRI that is saturated in its third group."""
    product = one_pixel([1e4, 3e4, 6e4, 6e4])
    product.groupdq[:, 2:] = DQ.SATURATED
    return product, {}


def dark() -> Handed:
    """A dark without a keyword of its own."""
    return one_pixel([1.0, 2.0]), {"dark": reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0}, data=np.ones((2, 1, 1)))}


def guide_star() -> Handed:
    """Reads of an acquisition."""
    return raw(np.tile(np.reshape([100.0, 150.0], (1, 2, 1, 1)), (1, 1, 2, 3))), gain_and_readnoise((2, 3))
