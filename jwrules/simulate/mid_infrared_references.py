"""The reference files that calibrate a simulated mid-infrared detector, in the format and with the keywords of CRDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Table

from jwrules.simulate import mid_infrared, miri, references, transforms
from jwrules.simulate.mid_infrared import Chip
from jwrules.simulate.miri import RESET_GROUPS, SKIPPED, Effects
from jwrules.simulate.nircam import Pointing
from jwrules.simulate.references import Flags, Shelf, image

POINTS = 500
DARK_TYPES = {"MIRIMAGE": "MIR_DARKIMG", "MIRIFUSHORT": "MIR_DARKMRS", "MIRIFULONG": "MIR_DARKMRS"}


def write_detector(shelf: Shelf, pointing: Pointing, chip: Chip, seed: int) -> None:
    """Write everything that belongs to the detector and the window read from it."""
    write_for_ramps(shelf, pointing, chip)
    keys = references.detector_keywords(pointing.detector, pointing.window)
    references.flat(shelf, pointing.band, chip.pixels, keys, seed)
    write_interference(shelf, [pointing], chip.effects)


def write_for_ramps(shelf: Shelf, pointing: Pointing, chip: Chip) -> None:
    """Write what stage 1 needs, but for the interference: its file serves all detectors."""
    keys = references.detector_keywords(pointing.detector, pointing.window)
    readout = {"READPATT": pointing.readout.pattern}
    references.mask(shelf, references.bad_pixels(chip.pixels), keys)
    references.saturation(shelf, chip.pixels, keys)
    references.linearity(shelf, chip.pixels, keys)
    _noise(shelf, chip, keys, readout)
    _reset(shelf, chip, keys | readout)
    _rscd(shelf, pointing)
    _dark(shelf, pointing, chip, keys | readout)
    references.ipc(shelf, pointing.detector)


def _noise(shelf: Shelf, chip: Chip, keys: Mapping[str, Any], readout: Mapping[str, Any]) -> None:
    pixels = chip.pixels
    hdus = [image("SCI", pixels.gain, unit="electrons/DN")]
    shelf.put("gain", "Gain", hdus, "GainModel", **keys)
    hdus = [image("SCI", np.sqrt(2) * pixels.noise / pixels.gain, unit="DN")]
    shelf.put("readnoise", "Noise of the difference of two reads", hdus, "ReadnoiseModel", **keys, **readout)


def _reset(shelf: Shelf, chip: Chip, keys: Mapping[str, Any]) -> None:
    """Write what the reset leaves, for the first and for later integrations."""
    left = np.array([[chip.residue(i, g) for g in range(RESET_GROUPS)] for i in (0, 1)])
    hdus = [image("SCI", left, unit="DN"), image("ERR", np.zeros_like(left)), *_no_flags(chip)]
    more = {"NINTS": len(left), "NGROUPS": RESET_GROUPS}
    shelf.put("reset", "What the reset leaves in the first groups", hdus, "ResetModel", **keys, **more)


def _no_flags(chip: Chip) -> list[Any]:
    return Flags(chip.window.shape, ("UNRELIABLE_SLOPE",)).hdus()


def _rscd(shelf: Shelf, pointing: Pointing) -> None:
    dtype = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    cases = dict.fromkeys([(name, "FASTR1") for name in ("FULL", "SUB128", "BRIGHTSKY")])
    cases[pointing.window.name, pointing.readout.pattern] = None
    rows = np.array([(*case, *SKIPPED) for case in cases], dtype)
    table = fits.BinTableHDU(rows, name="RSCD_GROUP_SKIP")
    describe = "Groups that an integration leaves out at its start"
    shelf.put("rscd", describe, [table], "RSCDModel", DETECTOR=pointing.detector.name)


def _dark(shelf: Shelf, pointing: Pointing, chip: Chip, keys: Mapping[str, Any]) -> None:
    """Write the dark of the first and of later integrations; it may end before the exposure does."""
    groups, seconds = min(pointing.readout.groups, pointing.dark_frames), pointing.window.frame_time
    ramp = np.array([[chip.dark(i, seconds, g) for g in range(groups)] for i in (0, 1)])
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
    more |= {
        "TFRAME": seconds,
        "TGROUP": seconds,
        "EXP_TYPE": DARK_TYPES[chip.pixels.detector.name],
    }
    hdus = [image("SCI", ramp, unit="DN"), planes, table]
    shelf.put("dark", "Dark current, group by group", hdus, "DarkMIRIModel", **keys, **more)


def write_interference(shelf: Shelf, pointings: Sequence[Pointing], effects: Effects) -> None:
    """Write the shape of the interference, 1 DN high, and the timing of the windows."""
    path = shelf.path("emicorr", "asdf")
    _, hertz = effects.wave
    values = mid_infrared.shape((np.arange(POINTS) + 0.5) / POINTS)
    slow = {pointing.detector.name: ["Hz390"] for pointing in pointings}
    cases = {}
    for pointing in pointings:
        window = pointing.window
        assert isinstance(window, miri.Window)
        speed = "SLOW" if pointing.readout.pattern.startswith("SLOW") else "FAST"
        cases[f"FULL_{speed}" if window.name == "FULL" else window.name] = {
            "rowclocks": window.row_ticks,
            "frameclocks": window.frame_ticks,
            "freqs": {"FAST": ["Hz390"], "SLOW": slow},
        }
    tree = {"frequencies": {"Hz390": {"frequency": hertz, "phase_amplitudes": values}}, "subarray_cases": cases}
    transforms.save(path, {"meta": _meta("emicorr", "EmiModel", path)} | tree)


def _meta(reftype: str, model: str, path: Path, **more: Any) -> dict[str, Any]:
    return {
        "author": "jwrules simulator",
        "date": references.DATE,
        "description": f"Simulated {reftype}",
        "filename": path.name,
        "instrument": {"name": "MIRI", "detector": "MIRIMAGE"},
        "model_type": model,
        "pedigree": "DUMMY",
        "reftype": reftype,
        "telescope": "JWST",
        "useafter": references.USEAFTER,
    } | more


def write_optics(shelf: Shelf, pointing: Pointing) -> None:
    """Write where pixels look, how large they are, and what their counts mean."""
    detector, band, window = pointing.detector, pointing.band, pointing.window
    exposure = {"type": "MIR_IMAGE", "p_exptype": "MIR_IMAGE|MIR_TACQ|"}
    path = shelf.path("distortion", "asdf")
    meta = _meta("distortion", "DistortionModel", path, exposure=exposure, subarray={"name": "GENERIC"})
    meta |= {"input_units": units.pix, "output_units": units.arcsec}
    transforms.save(path, {"meta": meta, "model": transforms.distortion_model(detector)})
    path = shelf.path("filteroffset", "asdf")
    meta = _meta("filteroffset", "FilteroffsetModel", path, exposure=exposure, input_units=units.pix)
    row = {"filter": band.filter, "column_offset": band.offset[0], "row_offset": band.offset[1]}
    other = {"filter": "F1800W", "column_offset": 0.31, "row_offset": -0.22}
    transforms.save(path, {"meta": meta, "filters": [row, other]})
    references.area(shelf, pointing, window, references.detector_keywords(detector, window))
    _photom(shelf, pointing)


def _photom(shelf: Shelf, pointing: Pointing) -> None:
    band, detector = pointing.band, pointing.detector
    dtype = [("filter", "S12"), ("subarray", "S15"), ("photmjsr", "f4"), ("uncertainty", "f4")]
    rows = [(band.filter, "GENERIC", band.photmjsr, 0.002 * band.photmjsr)]
    rows.append((band.filter, "MASKLYOT", 3 * band.photmjsr, 0.02 * band.photmjsr))
    table = fits.BinTableHDU(np.array(rows, dtype=dtype), name="PHOTOM")
    keys = {"DETECTOR": detector.name, **references.nominal(detector)}
    shelf.put("photom", "MJy/sr for 1 DN/s", [table], "MirImgPhotomModel", **keys)


def write_shared(shelf: Shelf, pointings: Sequence[Pointing]) -> None:
    """Write what mosaics need: aperture corrections, and AB minus Vega magnitudes of the filters."""
    bands = list(dict.fromkeys(pointing.band for pointing in pointings))
    names = dict.fromkeys(("FULL", *(pointing.window.name for pointing in pointings)))
    dtype = [("filter", "S12"), ("subarray", "S15")]
    dtype += [(name, "f4") for name in ("eefraction", "radius", "apcorr", "skyin", "skyout")]
    rows = [(band.filter, name, *row) for band in bands for name in names for row in references.apertures(band)]
    table = fits.BinTableHDU(np.array(rows, dtype=dtype), name="APCORR")
    keys = {"DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_IMAGE"}
    shelf.put("apcorr", "Aperture corrections of mosaics", [table], "MirImgApcorrModel", **keys)
    path = shelf.path("abvegaoffset", "asdf")
    magnitudes = np.array([band.ab_minus_vega for band in bands], np.float32)
    offsets = Table({"filter": [band.filter for band in bands], "abvega_offset": magnitudes})
    meta = _meta("abvegaoffset", "ABVegaOffsetModel", path, exposure={"type": "MIR_IMAGE"})
    transforms.save(path, {"meta": meta, "abvega_offset": offsets})
