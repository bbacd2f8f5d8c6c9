"""The reference files that calibrate the simulated detectors, in the format and with the keywords of CRDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from jwrules.simulate import drifts
from jwrules.simulate.instruments import READ_PATTERNS
from jwrules.simulate.nircam import FULL, Band, Detector, Pointing, Window
from jwrules.simulate.optics import nominal_area, pixel_area
from jwrules.simulate.pixels import DEGREE, Pixels, full_gain
from jwrules.simulate.psf import Psf

DATE = "2025-01-15T00:00:00.000"
USEAFTER = "2022-04-01T00:00:00"
FLAT_ERROR = 5e-4
ENERGIES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
ANNULUS = (14.0, 20.0)
SQUARE_ARCSEC = (np.pi / 180 / 3600) ** 2


def header(reftype: str, describe: str, **keywords: Any) -> fits.Header:
    """Return the primary header of a reference file of this type."""
    header = fits.Header()
    header["DATE"] = (DATE, "[UTC] when this file was made")
    header["REFTYPE"] = (reftype.upper(), "type of reference file")
    header["DESCRIP"] = (describe, "what it holds")
    header["AUTHOR"] = ("jwrules simulator", "who made it")
    header["USEAFTER"] = (USEAFTER, "serves exposures from this date on")
    header["PEDIGREE"] = ("DUMMY", "where it comes from")
    header["TELESCOP"] = ("JWST", "telescope")
    header["INSTRUME"] = ("NIRCAM", "instrument")
    for keyword, value in keywords.items():
        header[keyword] = value
    header["HISTORY"] = "Made together with the ramps that it calibrates, from the same numbers."
    return header


def detector_keywords(detector: Detector, window: Window, subarray: str | None = None) -> dict[str, Any]:
    """Return the keywords that tie a reference file to a detector and to the part of it that it covers."""
    return {
        "DETECTOR": detector.name,
        "SUBARRAY": subarray or window.name,
        "SUBSTRT1": window.x0 + 1,
        "SUBSTRT2": window.y0 + 1,
        "SUBSIZE1": window.nx,
        "SUBSIZE2": window.ny,
        "FASTAXIS": detector.fast,
        "SLOWAXIS": detector.slow,
    }


def image(name: str, array: np.ndarray, dtype: str = "f4", unit: str = "") -> fits.ImageHDU:
    """Return an array as an image extension."""
    hdu = fits.ImageHDU(np.ascontiguousarray(array, dtype), name=name)
    if unit:
        hdu.header["BUNIT"] = unit
    return hdu


class Flags:
    """A DQ array with bits of its own, named in a table DQ_DEF; the translation is the reader's."""

    def __init__(self, shape: tuple[int, int], names: Sequence[str]) -> None:
        self._array = np.zeros(shape, np.uint32)
        self._bits = {name: bit for bit, name in enumerate(names)}

    def set(self, where: np.ndarray, *names: str) -> Flags:
        """Give these flags to the pixels `where`."""
        for name in names:
            self._array[where] |= np.uint32(1 << self._bits[name])
        return self

    def rearranged(self, rearrange: Callable[[np.ndarray, int], np.ndarray], *names: str) -> Flags:
        """Return flags where what `rearrange` adds to the array has the bits of these names."""
        bits = sum(1 << self._bits[name] for name in names)
        array = rearrange(self._array, bits)
        new = Flags((array.shape[0], array.shape[1]), list(self._bits))
        new._array[...] = array
        return new

    def hdus(self) -> list[Any]:
        """Return the extensions DQ and DQ_DEF."""
        rows = [(bit, 1 << bit, name, f"simulated {name.lower()}") for name, bit in self._bits.items()]
        dtype = [("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")]
        table = fits.BinTableHDU(np.array(rows, dtype=dtype), name="DQ_DEF")
        return [image("DQ", self._array, "u4"), table]


class Shelf:
    """The folder of reference files; files are numbered as CRDS does."""

    def __init__(self, folder: Path, instrument: str = "NIRCAM") -> None:
        self.folder, self.instrument = folder, instrument
        self._count: dict[str, int] = {}
        self._shared: set[tuple[str, str]] = set()

    def path(self, reftype: str, suffix: str = "fits") -> Path:
        """Return the next free name for a file of this type."""
        self._count[reftype] = self._count.get(reftype, 0) + 1
        return self.folder / f"jwst_{self.instrument.lower()}_{reftype}_{self._count[reftype]:04d}.{suffix}"

    def put(self, reftype: str, describe: str, hdus: Sequence[Any], model: str, **keywords: Any) -> None:
        """Write a FITS reference file."""
        path = self.path(reftype)
        keywords = {"FILENAME": path.name, "DATAMODL": model, "INSTRUME": self.instrument} | keywords
        primary = fits.PrimaryHDU(header=header(reftype, describe, **keywords))
        fits.HDUList([primary, *hdus]).writeto(path, overwrite=True)

    def put_once(self, reftype: str, describe: str, hdus: Sequence[Any], model: str, **keywords: Any) -> None:
        """Write a FITS reference file that all exposures with a detector share, unless it is there."""
        if (reftype, keywords["DETECTOR"]) not in self._shared:
            self._shared.add((reftype, keywords["DETECTOR"]))
            self.put(reftype, describe, hdus, model, **keywords)


def write_detector(shelf: Shelf, pointing: Pointing, pixels: Pixels, seed: int) -> None:
    """Write everything that belongs to one detector and the window read from it."""
    write_for_ramps(shelf, pointing, pixels, seed)
    keys = detector_keywords(pointing.detector, pointing.window)
    area(shelf, pointing, FULL, detector_keywords(pointing.detector, FULL, "GENERIC"))
    flat(shelf, pointing.band, pixels, keys, seed)
    _photom(shelf, pointing)


def write_for_ramps(shelf: Shelf, pointing: Pointing, pixels: Pixels, seed: int) -> None:
    """Write what stage 1 needs."""
    keys = detector_keywords(pointing.detector, pointing.window)
    write_of_pixels(shelf, pointing, pixels, seed)
    mask(shelf, bad_pixels(pixels), keys)
    _superbias(shelf, pointing, pixels, keys)
    noise(shelf, pointing, pixels, drifts.variance(pointing.extras.one_over_f))


def write_of_pixels(shelf: Shelf, pointing: Pointing, pixels: Pixels, seed: int) -> None:
    """Write what is the same however the pixels are stored."""
    keys = detector_keywords(pointing.detector, pointing.window)
    saturation(shelf, pixels, keys)
    linearity(shelf, pixels, keys)
    _dark(shelf, pointing, pixels, keys)
    _gain(shelf, pointing, seed)
    ipc(shelf, pointing.detector)


def bad_pixels(pixels: Pixels) -> Flags:
    """Return which pixels are bad or see no light."""
    names = ("REFERENCE_PIXEL", "DO_NOT_USE", "HOT", "DEAD", "NON_SCIENCE", "UNRELIABLE_SLOPE")
    flags = Flags(pixels.window.shape, names)
    flags.set(pixels.reference, "REFERENCE_PIXEL", "NON_SCIENCE")
    flags.set(pixels.dead, "DEAD", "DO_NOT_USE").set(pixels.hot, "HOT")
    flags.set(pixels.hot & (pixels.dark > 100), "DO_NOT_USE").set(pixels.noisy, "UNRELIABLE_SLOPE")
    return flags


def mask(shelf: Shelf, flags: Flags, keys: Mapping[str, Any]) -> None:
    """Write `bad_pixels`, as the frames have them that are stored."""
    shelf.put("mask", "Bad pixels and reference pixels", flags.hdus(), "MaskModel", **keys)


def saturation(shelf: Shelf, pixels: Pixels, keys: Mapping[str, Any]) -> None:
    """Write where each pixel is full."""
    flags = Flags(pixels.window.shape, ("NO_SAT_CHECK",)).set(pixels.reference, "NO_SAT_CHECK")
    hdus = [image("SCI", pixels.ceiling, unit="DN"), *flags.hdus()]
    shelf.put("saturation", "Raw signal beyond which a pixel is full", hdus, "SaturationModel", **keys)


def _any_pattern(pointing: Pointing) -> dict[str, str]:
    """Return the keywords of a file that serves every readout pattern of the instrument."""
    return {"READPATT": "ANY", "P_READPA": " | ".join(READ_PATTERNS[pointing.detector.instrument]) + " |"}


def _superbias(shelf: Shelf, pointing: Pointing, pixels: Pixels, keys: Mapping[str, Any]) -> None:
    flags = Flags(pixels.window.shape, ("UNRELIABLE_BIAS",)).set(pixels.noisy, "UNRELIABLE_BIAS")
    error = np.full(pixels.window.shape, 0.5)
    hdus = [image("SCI", pixels.bias, unit="DN"), image("ERR", error), *flags.hdus()]
    describe = "Level of every pixel after its reset"
    shelf.put("superbias", describe, hdus, "SuperBiasModel", **keys, **_any_pattern(pointing))


def linearity(shelf: Shelf, pixels: Pixels, keys: Mapping[str, Any]) -> None:
    """Write what makes the response of each pixel linear, and for the long channel what bends it too."""
    flags = Flags(pixels.window.shape, ("NONLINEAR", "NO_LIN_CORR")).set(pixels.reference, "NO_LIN_CORR")
    hdus = [image("COEFFS", pixels.linearity), *flags.hdus()]
    if pixels.detector.channel == "LONG":
        hdus.insert(1, image("INV_COEFFS", pixels.curve))
    describe = f"Polynomial of degree {DEGREE} from read to linear signal"
    shelf.put("linearity", describe, hdus, "LinearityModel", **keys)


def _dark(shelf: Shelf, pointing: Pointing, pixels: Pixels, keys: Mapping[str, Any]) -> None:
    """Write the dark ramp, frame by frame; it may end before the exposure does, as real ones may."""
    frames = min(pointing.readout.frames_read, pointing.dark_frames)
    seconds = pointing.window.frame_time
    ramp = (pixels.dark / pixels.gain)[None] * (seconds * np.arange(1, frames + 1))[:, None, None]
    flags = Flags(pixels.window.shape, ("HOT", "WARM", "UNRELIABLE_DARK"))
    flags.set(pixels.hot & (pixels.dark > 10), "HOT").set(pixels.hot & (pixels.dark <= 10), "WARM")
    hdus = [image("SCI", ramp, unit="DN"), *flags.hdus()]
    more = {
        **_darks(pointing),
        "NOUTPUTS": pointing.window.outputs,
        "NFRAMES": 1,
        "NGROUPS": frames,
        "GROUPGAP": 0,
        "TFRAME": seconds,
        "TGROUP": seconds,
        "AVDRKCUR": float(np.median(pixels.dark)),
    }
    shelf.put("dark", "Dark current, frame by frame", hdus, "DarkModel", **keys, **more)


def _darks(pointing: Pointing) -> dict[str, str]:
    """Return which exposures a dark serves: in NIRCam those of some kinds, elsewhere those of its readout pattern."""
    if pointing.detector.instrument != "NIRCAM":
        return {"EXP_TYPE": f"{pointing.mode.exp_type[:3]}_DARK", "READPATT": pointing.readout.pattern}
    kinds = dict.fromkeys((pointing.mode.exp_type, "NRC_DARK"))
    return {"EXP_TYPE": "NRC_DARK", "P_EXP_TY": " | ".join(kinds) + " |", "READPATT": "RAPID"}


def noise(shelf: Shelf, pointing: Pointing, pixels: Pixels, shared: float) -> None:
    """Write the noise of the pixels; `shared` is the variance, DN^2, of what many of them share."""
    keys = detector_keywords(pointing.detector, pointing.window)
    single = np.hypot(pixels.noise / pixels.gain, np.sqrt(shared))
    hdus = [image("SCI", np.sqrt(2) * single, unit="DN")]
    describe = "Noise of the difference of two reads"
    shelf.put("readnoise", describe, hdus, "ReadnoiseModel", **keys, **_any_pattern(pointing))


def _gain(shelf: Shelf, pointing: Pointing, seed: int) -> None:
    """Write the gain of the full frame, from which that of every subarray is cut."""
    detector = pointing.detector
    keys = detector_keywords(detector, FULL, "GENERIC")
    hdus = [image("SCI", full_gain(detector, seed), unit="electrons/DN")]
    shelf.put_once("gain", "Gain", hdus, "GainModel", **keys)


def area(shelf: Shelf, pointing: Pointing, window: Window, keys: Mapping[str, Any]) -> None:
    """Write the area on the sky of each pixel of the window."""
    hdus = [image("SCI", pixel_area(pointing.detector, window))]
    describe = "Area of the pixels in units of PIXAR_SR"
    more = {**keys, **_optics(pointing), **nominal(pointing.detector)}
    shelf.put("area", describe, hdus, "PixelAreaModel", **more)


def _optics(pointing: Pointing) -> dict[str, Any]:
    optics = {
        "FILTER": pointing.band.filter,
        "PUPIL": pointing.band.pupil,
        "CHANNEL": pointing.detector.channel,
        "MODULE": pointing.detector.module,
        "EXP_TYPE": pointing.mode.exp_type,
    }
    return {keyword: value for keyword, value in optics.items() if value}


def nominal(detector: Detector) -> dict[str, float]:
    """Return the keywords of the area of the nominal pixel."""
    arcsec = nominal_area(detector)
    return {"PIXAR_SR": arcsec * SQUARE_ARCSEC, "PIXAR_A2": arcsec}


def ipc(shelf: Shelf, detector: Detector) -> None:
    """Write the deconvolution kernel of a detector whose pixels do not share charge."""
    kernel = np.zeros((3, 3))
    kernel[1, 1] = 1.0
    describe = "Deconvolution of the inter-pixel capacitance"
    keys = {"DETECTOR": detector.name, "SUBARRAY": "GENERIC"}
    shelf.put_once("ipc", describe, [image("SCI", kernel)], "IPCModel", **keys)


def flat(shelf: Shelf, band: Band, pixels: Pixels, keys: Mapping[str, Any], seed: int) -> None:
    """Write the flat as a uniform sky would show it, measured with a small error that the file states."""
    rng = np.random.default_rng([seed, pixels.detector.number, 2])
    blind = pixels.reference | pixels.dead
    flat = pixels.flat * (1 + FLAT_ERROR * rng.standard_normal(pixels.window.shape))
    error = np.where(blind, 0.0, FLAT_ERROR * pixels.flat)
    flags = Flags(pixels.window.shape, ("NO_FLAT_FIELD", "DO_NOT_USE", "UNRELIABLE_FLAT"))
    flags.set(blind, "NO_FLAT_FIELD", "DO_NOT_USE")
    hdus = [image("SCI", np.where(blind, np.nan, flat)), image("ERR", error), *flags.hdus()]
    optics = {"FILTER": band.filter, "PUPIL": band.pupil, "CHANNEL": pixels.detector.channel}
    more = {keyword: value for keyword, value in optics.items() if value}
    shelf.put("flat", "Relative response to a uniform sky", hdus, "FlatModel", **keys, **more)


def flat_of_guider(shelf: Shelf, pointing: Pointing, pixels: Pixels, seed: int) -> None:
    """Write the flat for what a guider does; those of FGS are told apart by the kind of exposure."""
    keys = detector_keywords(pointing.detector, pointing.window) | {"EXP_TYPE": pointing.mode.exp_type}
    flat(shelf, pointing.band, pixels, keys, seed)


def _photom(shelf: Shelf, pointing: Pointing) -> None:
    band, detector = pointing.band, pointing.detector
    dtype = [("filter", "S12"), ("pupil", "S12"), ("photmjsr", "f4"), ("uncertainty", "f4")]
    rows = [(band.filter, band.pupil, band.photmjsr, 0.002 * band.photmjsr)]
    rows.append(("F212N", "CLEAR", 11 * band.photmjsr, 0.02 * band.photmjsr))
    table = fits.BinTableHDU(np.array(rows, dtype=dtype), name="PHOTOM")
    keys = {"DETECTOR": detector.name, "SUBARRAY": "GENERIC", "EXP_TYPE": "NRC_IMAGE", "P_EXP_TY": "NRC_IMAGE |"}
    model = "NrcImgPhotomModel"
    shelf.put("photom", "MJy/sr for 1 DN/s", [table], model, **keys, **nominal(detector))


def apertures(band: Band) -> list[tuple[float, ...]]:
    """Return share of the energy, radius, correction and annulus of the circular apertures of a filter."""
    psf = Psf(band.fwhm)
    radii = [(energy, psf.radius_of(energy)) for energy in ENERGIES]
    return [(energy, radius, psf.correction(radius, ANNULUS), *ANNULUS) for energy, radius in radii]


def write_apertures(shelf: Shelf, bands: Sequence[Band]) -> None:
    """Write the aperture corrections, one row for each filter and share of the energy."""
    dtype = [("filter", "S12"), ("pupil", "S15")]
    dtype += [(name, "f4") for name in ("eefraction", "radius", "apcorr", "skyin", "skyout")]
    rows = [(band.filter, band.pupil, *row) for band in bands for row in apertures(band)]
    table = fits.BinTableHDU(np.array(rows, dtype=dtype), name="APCORR")
    keys = {"DETECTOR": "MULTIPLE", "EXP_TYPE": "NRC_IMAGE", "P_EXP_TY": "NRC_IMAGE | NRC_TSIMAGE |"}
    shelf.put("apcorr", "Aperture corrections of mosaics", [table], "NrcImgApcorrModel", **keys)
