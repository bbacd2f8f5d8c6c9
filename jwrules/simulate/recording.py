"""An exposure from the light on the detector to its raw files, group by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from jwrules.simulate import headers, mid_infrared, miri, pixels, ramps, stored, stream, tables
from jwrules.simulate.happened import Diary
from jwrules.simulate.mid_infrared import Chip
from jwrules.simulate.nircam import Extras, Pointing, Readout
from jwrules.simulate.noise import Noise, Pooled
from jwrules.simulate.pixels import Pixels
from jwrules.simulate.program import Taken

MANY = 50
"""Integrations from which on random numbers come from a pool."""

Record = Callable[[Readout, Iterable[np.ndarray], Noise, Extras], Iterator[ramps.Group]]


@dataclass(frozen=True)
class Camera:
    """The pixels of a detector, and how it records light (electron/s)."""

    pixels: Pixels
    record: Record


def near_infrared(pointing: Pointing, seed: int) -> Camera:
    """Return the near-infrared detector of an observation."""
    detector = pixels.make(pointing.detector, pointing.window, seed)
    return Camera(detector, partial(ramps.groups, detector))


def mid_infrared_chip(pointing: Pointing, seed: int) -> tuple[Camera, Chip]:
    """Return the mid-infrared detector of an observation, and what its reference files are made from."""
    assert isinstance(pointing.window, miri.Window)
    showers = (pointing.extras.showers, *miri.EFFECTS.showers[1:])
    chip = mid_infrared.make(pointing.detector, pointing.window, seed, replace(miri.EFFECTS, showers=showers))
    return Camera(chip.pixels, partial(mid_infrared.groups, chip)), chip


def write(folder: Path, taken: Taken, camera: Camera, light: Iterable[np.ndarray], rng: np.random.Generator) -> Diary:
    """Write the raw file of an exposure, or its segments, to the light of each integration; return what happened.

    Only one group is in memory at a time. With more than MANY integrations random numbers come from a pool.
    """
    pointing = taken.pointing
    noise = (Pooled if pointing.readout.integrations > MANY else Noise)(rng)
    diary = Diary(pointing.window.shape, pointing.readout.groups)
    groups = camera.record(pointing.readout, light, noise, pointing.extras)
    for segment in taken.segments:
        _write(folder / f"{segment.name}_uncal.fits", segment, groups, diary, noise)
    return diary


def _write(path: Path, taken: Taken, groups: Iterator[ramps.Group], diary: Diary, noise: Noise) -> None:
    pointing, integrations = taken.pointing, taken.integrations
    way = stored.way(pointing.readout.pattern)
    shape = (len(integrations), pointing.readout.groups, *way.shape(pointing.window))
    parts = (headers.primary(taken), headers.science(taken), shape, tables.extensions(taken))
    with stream.raw(path, *parts) as (science, first_frames):
        for i, g in np.ndindex(shape[:2]):
            group = next(groups)
            science.write(ramps.digitized(way.store(group.raw, pointing, pointing.readout.frames, noise)), i, g)
            if first_frames and group.first is not None:
                first_frames.write(ramps.digitized(way.store(group.first, pointing, 1, noise)), i)
            diary.note(integrations[i], g, group)
