"""How a detector records light: charge is gathered frame by frame, read with noise, averaged, and converted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jwrules.simulate import drifts, snowballs, stored
from jwrules.simulate.nircam import Extras, Readout
from jwrules.simulate.noise import Noise
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


class Group(NamedTuple):
    """A group as it is read, DN (ny, nx), and what came to it.

    `cosmic` are the charges that cosmic rays left, `large` the events, snowballs or showers, and `touched` the charges
    that these left. `partly` and `wholly` (ny, nx) tell in which pixels some or all of its frames are saturated. The
    first group may have its first frame beside it.
    """

    raw: np.ndarray
    cosmic: np.ndarray
    large: np.ndarray
    touched: np.ndarray
    partly: np.ndarray
    wholly: np.ndarray
    first: np.ndarray | None = None


def expose(pixels: Pixels, readout: Readout, electrons: np.ndarray, rng: np.random.Generator) -> Exposure:
    """Expose the detector to `electrons` (electron/s per pixel, gathered charge without dark current)."""
    shape = (readout.integrations * readout.groups, *pixels.window.shape)
    ramp = np.empty(shape, np.uint16)
    cosmic = []
    light = [electrons] * readout.integrations
    for k, group in enumerate(groups(pixels, readout, light, Noise(rng), Extras())):
        ramp[k] = digitized(group.raw)
        cosmic.append(group.cosmic)
    return Exposure(ramp.reshape(readout.integrations, readout.groups, *shape[1:]), np.concatenate(cosmic))


def digitized(raw: np.ndarray) -> np.ndarray:
    """Return what the converter makes of a signal, uint16."""
    return np.clip(np.rint(raw), 0, CONVERTER).astype(np.uint16)


def groups(
    pixels: Pixels, readout: Readout, light: Iterable[np.ndarray], noise: Noise, extras: Extras
) -> Iterator[Group]:
    """Yield the groups of an exposure to the `light` (electron/s per pixel) of each integration, one after another."""
    for i, electrons in enumerate(light):
        for group in _integrate(pixels, readout, electrons, noise, extras):
            for events in (group.cosmic, group.large, group.touched):
                events["integration"] = i
            yield group


def _integrate(
    pixels: Pixels, readout: Readout, electrons: np.ndarray, noise: Noise, extras: Extras
) -> Iterator[Group]:
    """Yield the groups of one integration."""
    sensitive = ~pixels.reference
    per_second = np.where(sensitive, electrons + pixels.dark, 0.0).astype(np.float32)
    charge = np.zeros(pixels.window.shape, np.float32)
    pedestal = pixels.bias + RESET_NOISE * noise.normal(charge.shape)
    kind = drifts.Still if stored.way(readout.pattern).adds_drifts else drifts.Drift
    drift = kind(pixels.detector, pixels.window, noise, extras.one_over_f)
    for group in range(readout.groups):
        signal = np.zeros(charge.shape, np.float32)
        full, events = [], []
        for read in range(readout.frames):
            events.append(_gather(pixels, charge, per_second, _seconds(pixels, readout, group, read), noise, extras))
            for one in events[-1]:
                one["group"], one["frame"] = group, read
            frame = np.minimum(pixels.read(charge), CONVERTER - pedestal)
            signal += frame
            full.append(pixels.bias + frame >= pixels.ceiling)
            if read == 0:
                earliest = frame
        wanted = extras.zeroframe and group == 0
        deviation, alone = _read_noise(pixels, noise, drift, readout.frames, wanted)
        step = drift.step()
        raw = pedestal + signal / readout.frames + step + deviation
        first = pedestal + earliest + step + alone if wanted else None
        cosmic, large, touched = (np.concatenate(parts) for parts in zip(*events, strict=True))
        yield Group(raw, cosmic, large, touched, np.any(full, axis=0), np.all(full, axis=0), first)


def _seconds(pixels: Pixels, readout: Readout, group: int, read: int) -> float:
    """Return the time since the last read, frames that were dropped included."""
    return pixels.window.frame_time * (1 + (readout.dropped(group) if read == 0 else 0))


def _gather(
    pixels: Pixels, charge: np.ndarray, per_second: np.ndarray, seconds: float, noise: Noise, extras: Extras
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add to `charge` what arrives in `seconds`; return cosmic rays, snowballs, and what the snowballs left."""
    charge += noise.photons(per_second * seconds)
    struck = hits(pixels, seconds, noise.rng, extras.cosmic_rays)
    large, touched = snowballs.fall(pixels, extras.snowballs * seconds, noise.rng)
    for one in (struck, touched):
        np.add.at(charge, (one["y"], one["x"]), one["electrons"])
    return struck, large, touched


def _read_noise(
    pixels: Pixels, noise: Noise, drift: drifts.Drift, frames: int, first_too: bool
) -> tuple[np.ndarray, np.ndarray | float]:
    """Return the noise of the mean of `frames` reads, and of the first one where that is wanted."""
    if not first_too:
        return _of_a_read(pixels, noise, drift) / np.sqrt(frames), 0.0
    first = _of_a_read(pixels, noise, drift)
    others = _of_a_read(pixels, noise, drift) * np.sqrt(frames - 1)
    return (first + others) / frames, first


def _of_a_read(pixels: Pixels, noise: Noise, drift: drifts.Drift) -> np.ndarray:
    deviation = pixels.noise / pixels.gain * noise.normal(pixels.window.shape)
    deviation += drift.one_over_f()
    return np.asarray(deviation)


def hits(pixels: Pixels, seconds: float, rng: np.random.Generator, often: float = 1.0) -> np.ndarray:
    """Return the charges that cosmic rays leave in `seconds`: short tracks, spread a little into neighbours."""
    ny, nx = pixels.window.shape
    number = rng.poisson(often * HITS_PER_PIXEL_SECOND * ny * nx * seconds)
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
