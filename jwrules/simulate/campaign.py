"""The whole simulation: sky, detectors, exposures, reference files and truth of one program."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from jwrules.simulate import mid_infrared_references, program, recording, references, scene, transforms, truth
from jwrules.simulate.nircam import Pointing
from jwrules.simulate.program import Taken
from jwrules.simulate.psf import Psf
from jwrules.simulate.recording import Camera
from jwrules.simulate.scene import Sources
from jwrules.simulate.wishes import Wishes

THREADS = 2


def simulate(directory: Path, size: str, seed: int, instrument: str, wishes: Wishes) -> None:
    """Write the program of this instrument in this size: uncal, references and truth below `directory`."""
    for folder in ("uncal", "references", "truth"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    taken = program.fly(size, np.random.default_rng([seed, 10]), instrument, wishes)
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
    camera = recording.near_infrared(pointing, seed)
    references.write_detector(shelf, pointing, camera.pixels, seed)
    transforms.write_distortion(shelf, pointing)
    transforms.write_offsets(shelf, pointing)
    return camera


def _mid_infrared(shelf: references.Shelf, pointing: Pointing, seed: int) -> Camera:
    camera, chip = recording.mid_infrared_chip(pointing, seed)
    mid_infrared_references.write_detector(shelf, pointing, chip, seed)
    mid_infrared_references.write_optics(shelf, pointing)
    return camera


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
    lit = [rate * detector.gain] * taken.pointing.readout.integrations
    diary = recording.write(directory / "uncal", taken, camera, lit, rng)
    truth.write(directory / "truth", taken, sources, image, rate, detector.gain, diary.tables())


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
