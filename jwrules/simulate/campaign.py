"""The whole simulation: sky, detectors, exposures, reference files and truth of one program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits

from jwrules.simulate import (
    headers,
    mid_infrared,
    mid_infrared_references,
    miri,
    pixels,
    program,
    ramps,
    references,
    scene,
    tables,
    transforms,
    truth,
)
from jwrules.simulate.nircam import Pointing, Readout
from jwrules.simulate.pixels import Pixels
from jwrules.simulate.program import Taken
from jwrules.simulate.psf import Psf
from jwrules.simulate.scene import Sources

THREADS = 2


@dataclass(frozen=True)
class Camera:
    """A detector: its pixels, and how it records charge (electron/s) in a readout."""

    pixels: Pixels
    expose: Callable[[Readout, np.ndarray, np.random.Generator], ramps.Exposure]


def simulate(directory: Path, size: str, seed: int, instrument: str = "NIRCAM") -> None:
    """Write the program of this instrument in this size: uncal, references and truth below `directory`."""
    for folder in ("uncal", "references", "truth"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    taken = program.fly(size, np.random.default_rng([seed, 10]), instrument)
    pointings = list(dict.fromkeys(one.pointing for one in taken))
    fields = [(p, next(t.claimed for t in taken if t.pointing is p)) for p in pointings]
    sources = scene.populate(fields, np.random.default_rng([seed, 11]))
    _write_sources(directory / "truth", pointings, taken, sources)
    shelf = references.Shelf(directory / "references", instrument)
    if instrument == "MIRI":
        mid_infrared_references.write_shared(shelf, pointings)
    else:
        _write_shared(shelf, pointings)
    for pointing in pointings:
        camera = (_mid_infrared if instrument == "MIRI" else _near_infrared)(shelf, pointing, seed)
        _observe(directory, [t for t in taken if t.pointing is pointing], camera, sources, seed)


def _near_infrared(shelf: references.Shelf, pointing: Pointing, seed: int) -> Camera:
    detector = pixels.make(pointing.detector, pointing.window, seed)
    references.write_detector(shelf, pointing, detector, seed)
    transforms.write_distortion(shelf, pointing)
    transforms.write_offsets(shelf, pointing)
    return Camera(detector, partial(ramps.expose, detector))


def _mid_infrared(shelf: references.Shelf, pointing: Pointing, seed: int) -> Camera:
    chip = mid_infrared.make(pointing.detector, miri.window(pointing.window.name), seed)
    mid_infrared_references.write_detector(shelf, pointing, chip, seed)
    mid_infrared_references.write_optics(shelf, pointing)
    return Camera(chip.pixels, partial(mid_infrared.expose, chip))


def _observe(directory: Path, taken: Sequence[Taken], camera: Camera, sources: Sources, seed: int) -> None:
    """Take the exposures of one observation, a few at a time; each has its own random numbers."""
    psf = Psf(taken[0].pointing.band.fwhm)
    psf.draw(np.zeros((1, 1)), 0.0, 0.0, 1.0)

    def take(one: Taken) -> None:
        _expose(directory, one, camera, sources, psf, seed)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(take, taken))


def _expose(directory: Path, taken: Taken, camera: Camera, sources: Sources, psf: Psf, seed: int) -> None:
    image = truth.brightness(taken, sources, psf)
    detector = camera.pixels
    rate = truth.count_rate(taken, detector, image)
    rng = np.random.default_rng([seed, 12, taken.pointing.observation, taken.number])
    exposure = camera.expose(taken.pointing.readout, rate * detector.gain, rng)
    hdus = [
        fits.PrimaryHDU(header=headers.primary(taken)),
        fits.ImageHDU(exposure.ramp, header=headers.science(taken), name="SCI"),
        fits.BinTableHDU(tables.group_table(taken), name="GROUP"),
        fits.BinTableHDU(tables.integration_table(taken), name="INT_TIMES"),
        tables.asdf_table(taken),
    ]
    fits.HDUList(hdus).writeto(directory / "uncal" / f"{taken.name}_uncal.fits", overwrite=True)
    truth.write(directory / "truth", taken, sources, image, rate, detector.gain, exposure.cosmic)


def _write_sources(folder: Path, pointings: Sequence[Pointing], taken: Sequence[Taken], sources: Sources) -> None:
    views = {p.band.filter: [t.view for t in taken if t.pointing is p] for p in pointings}
    signal = {
        p.band.filter: truth.signal_to_noise(p, sources, scene.coverage(sources, views[p.band.filter]))
        for p in pointings
    }
    scene.catalogue(sources, views, signal).write(folder / "sources.ecsv", overwrite=True)
    truth.astrometric(sources).write(folder / "astrometric_catalog.ecsv", overwrite=True)


def _write_shared(shelf: references.Shelf, pointings: Sequence[Pointing]) -> None:
    bands = [p.band for p in pointings]
    references.write_apertures(shelf, bands)
    transforms.write_magnitudes(shelf, bands)
