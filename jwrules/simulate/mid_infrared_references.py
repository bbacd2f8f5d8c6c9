"""The reference files that calibrate a simulated mid-infrared detector, in the format and with the keywords of CRDS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.io import fits

from jwrules.simulate import mid_infrared, references, transforms
from jwrules.simulate.mid_infrared import Chip
from jwrules.simulate.miri import RESET_GROUPS, SKIPPED
from jwrules.simulate.nircam import Pointing
from jwrules.simulate.references import Flags, Shelf, image

POINTS = 500
READOUT = {"READPATT": "FASTR1"}


def write_detector(shelf: Shelf, pointing: Pointing, chip: Chip, seed: int) -> None:
    """Write everything that belongs to the detector and the window read from it."""
    keys = references.detector_keywords(pointing.detector, pointing.window)
    references.mask(shelf, chip.pixels, keys)
    references.saturation(shelf, chip.pixels, keys)
    references.linearity(shelf, chip.pixels, keys)
    references.flat(shelf, pointing.band, chip.pixels, keys, seed)
    _noise(shelf, chip, keys)
    _reset(shelf, chip, keys)
    _rscd(shelf, pointing)
    _dark(shelf, pointing, chip, keys)
    _interference(shelf, chip)


def _noise(shelf: Shelf, chip: Chip, keys: Mapping[str, Any]) -> None:
    pixels = chip.pixels
    hdus = [image("SCI", pixels.gain, unit="electrons/DN")]
    shelf.put("gain", "Gain", hdus, "GainModel", **keys)
    hdus = [image("SCI", np.sqrt(2) * pixels.noise / pixels.gain, unit="DN")]
    shelf.put("readnoise", "Noise of the difference of two reads", hdus, "ReadnoiseModel", **keys, **READOUT)


def _reset(shelf: Shelf, chip: Chip, keys: Mapping[str, Any]) -> None:
    """Write what the reset leaves, for the first and for later integrations."""
    left = np.array([chip.residue(i, RESET_GROUPS) for i in (0, 1)])
    hdus = [image("SCI", left, unit="DN"), image("ERR", np.zeros_like(left)), *_no_flags(chip)]
    more = {"NINTS": len(left), "NGROUPS": RESET_GROUPS}
    shelf.put("reset", "What the reset leaves in the first groups", hdus, "ResetModel", **keys, **READOUT, **more)


def _no_flags(chip: Chip) -> list[Any]:
    return Flags(chip.window.shape, ("UNRELIABLE_SLOPE",)).hdus()


def _rscd(shelf: Shelf, pointing: Pointing) -> None:
    dtype = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    rows = np.array([(name, "FASTR1", *SKIPPED) for name in ("FULL", "SUB128", "BRIGHTSKY")], dtype)
    table = fits.BinTableHDU(rows, name="RSCD_GROUP_SKIP")
    describe = "Groups that an integration leaves out at its start"
    shelf.put("rscd", describe, [table], "RSCDModel", DETECTOR=pointing.detector.name)


def _dark(shelf: Shelf, pointing: Pointing, chip: Chip, keys: Mapping[str, Any]) -> None:
    """Write the dark of the first and of later integrations; it may end before the exposure does."""
    groups, seconds = min(pointing.readout.groups, pointing.dark_frames), pointing.window.frame_time
    ramp = np.array([chip.dark(i, seconds, groups) for i in (0, 1)])
    pixels = chip.pixels
    flags = Flags(chip.window.shape, ("HOT", "WARM"))
    flags.set(pixels.hot & (pixels.dark > 10), "HOT").set(pixels.hot & (pixels.dark <= 10), "WARM")
    dq, table = flags.hdus()
    planes = image("DQ", np.repeat(dq.data[None, None], 2, axis=0), "u4")
    more: dict[str, Any] = {
        "NFRAMES": 1,
        "NINTS": 2,
        "NGROUPS": groups,
        "GROUPGAP": 0,
        "AVDRKCUR": float(np.median(pixels.dark)),
    }
    more |= {"TFRAME": seconds, "TGROUP": seconds, "EXP_TYPE": "MIR_DARKIMG"}
    hdus = [image("SCI", ramp, unit="DN"), planes, table]
    shelf.put("dark", "Dark current, group by group", hdus, "DarkMIRIModel", **keys, **READOUT, **more)


def _interference(shelf: Shelf, chip: Chip) -> None:
    """Write the shape of the interference, 1 DN high, and the timing of the window."""
    path = shelf.path("emicorr", "asdf")
    _, hertz = chip.effects.wave
    values = mid_infrared.shape((np.arange(POINTS) + 0.5) / POINTS)
    window = chip.window
    case = {
        "rowclocks": window.row_ticks,
        "frameclocks": window.frame_ticks,
        "freqs": {"FAST": ["Hz390"], "SLOW": {"MIRIMAGE": ["Hz390"]}},
    }
    name = "FULL_FAST" if window.name == "FULL" else window.name
    meta = {"reftype": "emicorr", "telescope": "JWST", "instrument": {"name": "MIRI", "detector": "MIRIMAGE"}}
    meta |= {"author": "jwrules simulator", "pedigree": "DUMMY", "description": "Simulated emicorr"}
    meta |= {"useafter": references.USEAFTER, "date": references.DATE, "filename": path.name, "model_type": "EmiModel"}
    frequencies = {"Hz390": {"frequency": hertz, "phase_amplitudes": values}}
    transforms.save(path, {"meta": meta, "frequencies": frequencies, "subarray_cases": {name: case}})
