"""How a detector records light: charge is gathered frame by frame, read with noise, averaged, and converted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.simulate import drifts
from jwrules.simulate.nircam import Readout
from jwrules.simulate.pixels import Pixels

HITS_PER_PIXEL_SECOND = 1.6e-5
RESET_NOISE = 18.0
TRACK = 12
CONVERTER = 65535

COSMIC = [("integration", "i4"), ("group", "i4"), ("frame", "i4"), ("y", "i4"), ("x", "i4"), ("electrons", "f4")]


@dataclass(frozen=True)
class Exposure:
    """A raw ramp, uint16 (nints, ngroups, ny, nx), and the cosmic rays in it.

    Each row of `cosmic` is a charge left in one pixel: first group (and frame of that group) that holds it, all
    counted from 0; a charge that came before the first read of an integration has group 0, frame 0.
    """

    ramp: np.ndarray
    cosmic: np.ndarray


def expose(pixels: Pixels, readout: Readout, electrons: np.ndarray, rng: np.random.Generator) -> Exposure:
    """Expose the detector to `electrons` (electron/s per pixel, gathered charge without dark current)."""
    shape = (readout.integrations, readout.groups, *pixels.window.shape)
    ramp = np.empty(shape, np.uint16)
    cosmic = []
    for i in range(readout.integrations):
        hits = _integrate(pixels, readout, electrons, ramp[i], rng)
        hits["integration"] = i
        cosmic.append(hits)
    return Exposure(ramp, np.concatenate(cosmic))


def _integrate(
    pixels: Pixels, readout: Readout, electrons: np.ndarray, ramp: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Fill `ramp` (ngroups, ny, nx) with one integration and return its cosmic rays."""
    frame = pixels.window.frame_time
    sensitive = ~pixels.reference
    per_second = np.where(sensitive, electrons + pixels.dark, 0.0).astype(np.float32)
    charge = np.zeros(pixels.window.shape, np.float32)
    pedestal = pixels.bias + RESET_NOISE * rng.standard_normal(charge.shape, np.float32)
    drift = drifts.Drift(pixels.detector, pixels.window, rng)
    cosmic = []
    for group in range(readout.groups):
        signal = np.zeros(charge.shape, np.float32)
        for read in range(readout.frames):
            seconds = frame * (1 + readout.gap * (read == 0 and group > 0))
            charge += rng.poisson(per_second * seconds).astype(np.float32)
            struck = hits(pixels, seconds, rng)
            struck["group"], struck["frame"] = group, read
            np.add.at(charge, (struck["y"], struck["x"]), struck["electrons"])
            cosmic.append(struck)
            signal += np.minimum(pixels.read(charge), CONVERTER - pedestal)
        noise = pixels.noise / pixels.gain * rng.standard_normal(charge.shape, np.float32)
        noise += drift.one_over_f()
        raw = pedestal + signal / readout.frames + drift.step() + noise / np.sqrt(readout.frames)
        ramp[group] = np.clip(np.rint(raw), 0, CONVERTER)
    return np.concatenate(cosmic)


def hits(pixels: Pixels, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return the charges that cosmic rays leave in `seconds`: short tracks, spread a little into neighbours."""
    ny, nx = pixels.window.shape
    number = rng.poisson(HITS_PER_PIXEL_SECOND * ny * nx * seconds)
    energy = np.clip(rng.lognormal(np.log(1300.0), 1.3, number), 60.0, 9e4)
    angle, length = rng.uniform(0, 2 * np.pi, number), rng.exponential(1.2, number)
    along = rng.uniform(0, 1, (number, TRACK)) * length[:, None]
    x = rng.uniform(0, nx, number)[:, None] + along * np.cos(angle)[:, None]
    y = rng.uniform(0, ny, number)[:, None] + along * np.sin(angle)[:, None]
    x, y = (np.floor(c + 0.2 * rng.standard_normal(c.shape)).astype(int) for c in (x, y))
    share = np.repeat(energy / TRACK, TRACK)
    inside = ((x >= 0) & (x < nx) & (y >= 0) & (y < ny)).ravel()
    where, owner = np.unique((y * nx + x).ravel()[inside], return_inverse=True)
    charge = np.rint(np.bincount(owner, share[inside], len(where)))
    struck = np.zeros(len(where), dtype=COSMIC)
    struck["y"], struck["x"], struck["electrons"] = where // nx, where % nx, charge
    return struck[~pixels.reference[struck["y"], struck["x"]]]
