"""Data for stage 1 of an observing template: raw exposures, the reference files for their ramps, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jwrules.simulate import irs2, light, mid_infrared_references, miri, program, recording, references, truth
from jwrules.simulate.nircam import Pointing, Readout
from jwrules.simulate.pixels import Pixels
from jwrules.simulate.program import Taken
from jwrules.simulate.recording import Camera
from jwrules.simulate.references import Shelf
from jwrules.simulate.templates import Template
from jwrules.simulate.wishes import Wishes

DIP = 0.01
"""Share of the light that is missing in the middle of a time series."""


def simulate(directory: Path, rows: Sequence[Template], size: str, seed: int, wishes: Wishes) -> None:
    """Write uncal, references and truth below `directory`: an exposure with each detector for each row of a template.

    Groups go into the files one by one, so that a time series may be longer than memory; with more than
    `recording.MANY` integrations their random numbers come from a pool (see `noise.Pooled`).
    """
    for folder in ("uncal", "references", "truth"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    planned = [(wishes.granted(pointing), row.light) for row in rows for pointing in row.pointings(size)]
    shelf = Shelf(directory / "references", planned[0][0].detector.instrument)
    if shelf.instrument == "MIRI":
        mid_infrared_references.write_interference(shelf, [pointing for pointing, _ in planned], miri.EFFECTS)
    for pointing, picture in planned:
        camera = (_mid_infrared if shelf.instrument == "MIRI" else _near_infrared)(shelf, pointing, seed)
        taken = program.take(pointing, 1, program.FIRST_START, np.random.default_rng([seed, 10]))
        _expose(directory, taken, camera, picture, seed)


def _near_infrared(shelf: Shelf, pointing: Pointing, seed: int) -> Camera:
    camera = recording.near_infrared(pointing, seed)
    interleaved = pointing.readout.pattern in irs2.PATTERNS
    write = irs2.write_for_ramps if interleaved else references.write_for_ramps
    write(shelf, pointing, camera.pixels, seed)
    if pointing.mode.guiding:
        references.flat_of_guider(shelf, pointing, camera.pixels, seed)
    return camera


def _mid_infrared(shelf: Shelf, pointing: Pointing, seed: int) -> Camera:
    camera, chip = recording.mid_infrared_chip(pointing, seed)
    mid_infrared_references.write_for_ramps(shelf, pointing, chip)
    return camera


def _expose(directory: Path, taken: Taken, camera: Camera, picture: str, seed: int) -> None:
    pointing, detector = taken.pointing, camera.pixels
    rng = np.random.default_rng([seed, 13, pointing.detector.number])
    rate = count_rate(detector, pointing.readout, light.PICTURES[picture](detector.window.shape, rng))
    curve = light_curve(pointing)
    lit = (rate * detector.gain * share for share in curve)
    diary = recording.write(directory / "uncal", taken, camera, lit, rng)
    truth.write_ramps(directory / "truth", taken, rate, detector.gain, curve, diary.tables())


def count_rate(detector: Pixels, readout: Readout, picture: np.ndarray) -> np.ndarray:
    """Return DN/s of a linear detector without dark current that sees a picture of `light`."""
    seconds = detector.window.frame_time * readout.frames_read
    full = detector.detector.full_well / detector.detector.gain
    return np.asarray(picture * detector.efficiency * full / seconds)


def light_curve(pointing: Pointing) -> np.ndarray:
    """Return the light in each integration: 1, but in the middle third of a time series, where a planet passes."""
    curve = np.ones(pointing.readout.integrations)
    if pointing.mode.series:
        curve[len(curve) // 3 : 2 * len(curve) // 3] -= DIP
    return curve
