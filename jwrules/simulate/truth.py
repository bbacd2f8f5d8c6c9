"""What is true, written down: the sources, and for every exposure what its products ought to hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from jwrules.simulate.nircam import Pointing
from jwrules.simulate.optics import nominal_area, pixel_area
from jwrules.simulate.pixels import Pixels
from jwrules.simulate.program import Taken
from jwrules.simulate.psf import Psf
from jwrules.simulate.references import SQUARE_ARCSEC
from jwrules.simulate.scene import Sources, draw


def brightness(taken: Taken, sources: Sources, psf: Psf) -> np.ndarray:
    """Return the surface brightness, MJy/sr, that each pixel of the window sees: sources and sky."""
    view = taken.view
    area = nominal_area(view.detector) * SQUARE_ARCSEC * pixel_area(view.detector, view.window)
    return draw(sources, view, psf) * 1e-6 / area + taken.sky


def count_rate(taken: Taken, pixels: Pixels, image: np.ndarray) -> np.ndarray:
    """Return DN/s of a linear detector without dark current that sees `image` (MJy/sr)."""
    return np.asarray(image * pixels.flat / taken.pointing.band.photmjsr)


def signal_to_noise(pointing: Pointing, sources: Sources, exposures: np.ndarray) -> np.ndarray:
    """Return what photometry in the aperture with 70 % of the energy of a star reaches in this many exposures."""
    band, detector, readout = pointing.band, pointing.detector, pointing.readout
    pixel = nominal_area(detector) * SQUARE_ARCSEC * 1e6
    seconds = pointing.window.frame_time * readout.frames_read * readout.integrations
    per_jansky = detector.gain / band.photmjsr / pixel
    electrons = 0.7 * sources.flux[band.filter] * per_jansky * seconds
    extent = 4 * np.pi * sources.size**2 * sources.axis_ratio / nominal_area(detector)
    pixels = np.pi * Psf(band.fwhm).radius_of(0.7) ** 2 + extent
    read = 12 * readout.integrations * detector.read_noise**2 / readout.frames / readout.groups
    background = (band.sky / band.photmjsr * detector.gain + detector.dark) * seconds + read
    return np.asarray(np.sqrt(exposures) * electrons / np.sqrt(electrons + pixels * background))


def write(
    folder: Path,
    taken: Taken,
    sources: Sources,
    image: np.ndarray,
    rate: np.ndarray,
    gain: np.ndarray,
    events: Sequence[fits.BinTableHDU],
) -> None:
    """Write the truth of an exposure, `NAME_truth.fits`.

    RATE (DN/s), ELECTRON (electron/s) and CAL (MJy/sr) without dark current and noise; SOURCES, where each source
    falls (pixels from 0 of the window); what happened in the ramps, as in `write_ramps`. The header has the pointing
    error: true minus claimed place of the reference point.
    """
    hdus = [fits.PrimaryHDU(header=_header(taken))]
    for name, array, unit in (
        ("RATE", rate, "DN/s"),
        ("ELECTRON", rate * gain, "electron/s"),
        ("CAL", image, "MJy/sr"),
    ):
        hdus.append(fits.ImageHDU(array.astype(np.float32), name=name))
        hdus[-1].header["BUNIT"] = unit
    hdus += events
    x, y = taken.view.to_pixel(sources.ra, sources.dec)
    places = Table({"id": np.arange(1, len(sources) + 1), "x": x, "y": y})
    hdus.append(fits.BinTableHDU(places, name="SOURCES"))
    fits.HDUList(hdus).writeto(folder / f"{taken.name}_truth.fits", overwrite=True)


def write_ramps(
    folder: Path,
    taken: Taken,
    rate: np.ndarray,
    gain: np.ndarray,
    curve: np.ndarray,
    events: Sequence[fits.BinTableHDU],
) -> None:
    """Write the truth of the ramps of an exposure, all its segments together, `NAME_truth.fits`.

    RATE (DN/s) and ELECTRON (electron/s) are the mean of the integrations, without dark current and noise; LIGHT is
    that of each integration over the mean. Everything in the tables is counted from 0 and in science pixels.
    COSMIC: each charge (electron) that cosmic rays left. LARGE: snowballs, which have a core and a halo, or showers
    (radii in pixels); TOUCHED: each charge that they left. JUMPS: both, one row for each pixel and group. SATURATED:
    pixels that fill, the first group of which some frames are full (`partly`), and of which all are (`wholly`, NGROUPS
    if none is).
    """
    mean = rate * curve.mean()
    hdus = [fits.PrimaryHDU(header=_of_ramps(taken))]
    for name, array, unit in (("RATE", mean, "DN/s"), ("ELECTRON", mean * gain, "electron/s")):
        hdus.append(fits.ImageHDU(array.astype(np.float32), name=name))
        hdus[-1].header["BUNIT"] = unit
    light = np.zeros(len(curve), [("integration", "i4"), ("light", "f8")])
    light["integration"], light["light"] = np.arange(len(curve)), curve / curve.mean()
    fits.HDUList([*hdus, fits.BinTableHDU(light, name="LIGHT"), *events]).writeto(
        folder / f"{taken.name}_truth.fits", overwrite=True
    )


def _of_ramps(taken: Taken) -> fits.Header:
    header = fits.Header()
    header["FILENAME"] = f"{taken.name}_truth.fits"
    header["DETECTOR"] = taken.pointing.detector.name
    header["EXP_TYPE"] = taken.pointing.mode.exp_type
    return header


def _header(taken: Taken) -> fits.Header:
    header = fits.Header()
    error = taken.error
    header["FILENAME"] = f"{taken.name}_truth.fits"
    header["FILTER"] = taken.pointing.band.filter
    header["DETECTOR"] = taken.pointing.detector.name
    header["DRA"] = (error[0], "[mas] pointing error along right ascension")
    header["DDEC"] = (error[1], "[mas] pointing error along declination")
    header["RA_TRUE"] = (taken.true.ra, "[deg] where the reference point looked")
    header["DEC_TRUE"] = (taken.true.dec, "[deg] where the reference point looked")
    header["SKYLEVEL"] = (taken.sky, "[MJy/sr] uniform sky")
    return header


def astrometric(sources: Sources) -> Table:
    """Return the stars as an astrometric catalogue would list them, columns RA and DEC in degrees."""
    stars = sources.size == 0
    table = Table({"RA": sources.ra[stars], "DEC": sources.dec[stars]})
    table["RA"].unit = table["DEC"].unit = "deg"
    return table
