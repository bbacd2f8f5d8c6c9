"""The program as it was flown: which exposure was taken when, where the telescope pointed, and where it truly did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from astropy.time import Time

from jwrules.simulate import miri
from jwrules.simulate.nircam import Pointing, imaging
from jwrules.simulate.optics import Attitude, View, reference_point
from jwrules.simulate.wishes import Wishes

PROGRAM = "09001"
TARGET = (80.4875, -69.4975)
ROLL = 37.216
FIRST_START = 60748.3021
BETWEEN = 95.0
ABERRATION = 1.0000427
ERROR = (0.030, 0.095)
AS_IT_IS = Wishes()


@dataclass(frozen=True)
class Taken:
    """One exposure, or a segment of one, counted from 1; start in MJD.

    `nominal` is the attitude that its header claims, `true` the one that it had.
    """

    pointing: Pointing
    number: int
    start: float
    nominal: Attitude
    true: Attitude
    sky: float
    segment: int = 0

    @property
    def visit(self) -> str:
        """Program, observation and visit, eleven digits."""
        return f"{PROGRAM}{self.pointing.observation:03d}001"

    @property
    def name(self) -> str:
        """The stem of the names of its files."""
        if guiding := self.pointing.mode.guiding:
            end = Time(self.start + self.duration / 86400, format="mjd", scale="utc")
            return f"jw{self.visit}_gs-{guiding}{'' if guiding.startswith('id') else end.strftime('_%Y%j%H%M%S')}"
        segment = f"-seg{self.segment:03d}" if self.segment else ""
        return f"jw{self.visit}_02101_{self.number:05d}{segment}_{self.pointing.detector.name.lower()}"

    @property
    def segments(self) -> list[Taken]:
        """The files of the exposure: itself, or its segments."""
        total = self.pointing.mode.segments
        return [self] if total == 1 else [replace(self, segment=k) for k in range(1, total + 1)]

    @property
    def integrations(self) -> range:
        """The integrations in the file, of those of the exposure, counted from 0."""
        count, total = self.pointing.readout.integrations, self.pointing.mode.segments
        if not self.segment:
            return range(count)
        return range(count * (self.segment - 1) // total, count * self.segment // total)

    @property
    def error(self) -> tuple[float, float]:
        """How far the telescope pointed from where its header says, mas along the great circles of RA and Dec."""
        dra = (self.true.ra - self.nominal.ra) * np.cos(np.radians(self.nominal.dec))
        return float(dra * 3.6e6), float((self.true.dec - self.nominal.dec) * 3.6e6)

    @cached_property
    def view(self) -> View:
        """Where things truly fall."""
        return self._view(self.true)

    @cached_property
    def claimed(self) -> View:
        """Where things would fall if the header were right."""
        return self._view(self.nominal)

    def _view(self, attitude: Attitude) -> View:
        p = self.pointing
        return View(p.detector, p.band, p.window, attitude, ABERRATION)

    @property
    def duration(self) -> float:
        """Seconds from the start of the exposure to its end, the resets between integrations included."""
        readout, frame = self.pointing.readout, self.pointing.window.frame_time
        return frame * (readout.integrations * readout.frames_read + readout.integrations - 1)


def fly(size: str, rng: np.random.Generator, instrument: str = "NIRCAM", wishes: Wishes = AS_IT_IS) -> list[Taken]:
    """Return all exposures of the program with this instrument, as asked for, in order."""
    taken: list[Taken] = []
    start = FIRST_START
    for pointing in map(wishes.granted, miri.imaging(size) if instrument == "MIRI" else imaging(size)):
        for number in range(1, len(pointing.dithers) + 1):
            taken.append(take(pointing, number, start, rng))
            start += (taken[-1].duration + BETWEEN) / 86400
        start += 0.03
    return taken


def take(pointing: Pointing, number: int, start: float, rng: np.random.Generator) -> Taken:
    """Return an exposure of this number that starts then (MJD), with its errors of pointing and sky."""
    nominal = _dithered(pointing, number - 1)
    size, direction = rng.uniform(*ERROR), rng.uniform(0, 2 * np.pi)
    true = nominal.moved(size * np.cos(direction), size * np.sin(direction))
    sky = pointing.band.sky * (1 + rng.uniform(-0.04, 0.04))
    return Taken(pointing, number, start, nominal, true, sky)


def _dithered(pointing: Pointing, step: int) -> Attitude:
    """Return the attitude that looks with the middle of the window at the target, moved by this dither."""
    detector = pointing.detector
    v2, v3 = reference_point(detector, pointing.window)
    at_target = Attitude(v2, v3, *TARGET, ROLL)
    x, y = pointing.dithers[step]
    c, s = np.cos(np.radians(detector.yang)), np.sin(np.radians(detector.yang))
    moved = (v2 + detector.parity * x * c + y * s, v3 - detector.parity * x * s + y * c)
    ra, dec = at_target.to_sky(*(np.array([value]) for value in moved))
    return Attitude(v2, v3, float(ra[0]), float(dec[0]), at_target.roll_at(*moved))
