"""How a mid-infrared detector records light: it is never quite reset, and its readout hears the electronics.

The signal of a group, in DN, is the response to level + light + dark, to which are added what the reset leaves, the
lag of the former integration, interference by the time at which a pixel is read, and noise. The last frame meets the
reset of the next integration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from jwrules.simulate import ramps, snowballs
from jwrules.simulate.miri import COLUMNS, EDGE, EFFECTS, OUTPUTS, TICK, Effects, Window
from jwrules.simulate.nircam import Detector, Extras, Readout
from jwrules.simulate.noise import Noise
from jwrules.simulate.pixels import Pixels, response, spread_efficiency

SHOWER = [("integration", "i4"), ("group", "i4"), ("y", "f4"), ("x", "f4"), ("radius", "f4"), ("height", "f4")]


@dataclass(frozen=True)
class Chip:
    """A window of the detector: its pixels, the level (DN) that they start from, and how much each is troubled."""

    window: Window
    pixels: Pixels
    level: np.ndarray
    trouble: np.ndarray
    effects: Effects

    def residue(self, integration: int, group: int) -> np.ndarray:
        """Return what the reset leaves in a group, DN: less in the first integration."""
        height, decay = self.effects.residue
        share = 0.6 if integration == 0 else 1.0
        return np.asarray(share * height * np.exp(-group / decay) * self.trouble)

    def dark(self, integration: int, seconds: float, group: int) -> np.ndarray:
        """Return what gathers in the dark up to a group, DN; it settles after the reset."""
        heights, decay = self.effects.settling
        settled = heights[min(integration, 1)] * self.trouble * (1 - np.exp(-(group + 1) / decay))
        gathered = self.pixels.dark / self.pixels.gain * seconds * (group + 1) + settled
        return np.asarray(np.where(self.pixels.reference, 0.0, gathered))

    def lag(self, former: np.ndarray, group: int) -> np.ndarray:
        """Return what is missing in a group after an integration that gathered `former`, DN."""
        share, decay = self.effects.lag
        return np.asarray(share * former * np.exp(-group / decay))


@dataclass(frozen=True)
class Exposure(ramps.Exposure):
    """A raw ramp, the cosmic rays and the showers in it; a shower has the first group that holds it."""

    showers: np.ndarray


def make(detector: Detector, window: Window, seed: int, effects: Effects = EFFECTS) -> Chip:
    """Make the pixels of a window of this detector."""
    rng = np.random.default_rng([seed, detector.number, window.nx, window.ny])
    shape = window.shape
    columns = window.x0 + np.arange(window.nx)
    reference = np.broadcast_to((columns < EDGE) | (columns >= COLUMNS - EDGE), shape)
    hot, dead = (~reference & (rng.random(shape) < share) for share in (0.002, 0.0008))
    dead &= ~hot
    gain = detector.gain * (1 + 0.004 * rng.standard_normal(shape))
    dark = np.where(hot, 10 ** rng.uniform(0.3, 2.9, shape), detector.dark * rng.gamma(8.0, 1 / 8.0, shape))
    pixels = Pixels(
        detector=detector,
        window=window,
        gain=gain.astype(np.float32),
        bias=np.zeros(shape, np.float32),
        well=(detector.full_well * (1 + 0.02 * rng.standard_normal(shape)) / gain).astype(np.float32),
        dark=np.where(reference, 0.0, dark).astype(np.float32),
        noise=(detector.read_noise * (1 + 0.03 * rng.standard_normal(shape))).astype(np.float32),
        efficiency=np.where(reference | dead, 0.0, spread_efficiency(shape, rng)),
        bend=np.clip(0.07 + 0.008 * rng.standard_normal(shape), 0.0, 0.14).astype(np.float32),
        reference=reference,
        dead=dead,
        hot=hot,
        noisy=np.zeros(shape, bool),
        unknown_gain=np.zeros(shape, bool),
    )
    level = detector.bias + 120.0 * rng.standard_normal(shape)
    return Chip(window, pixels, level, rng.gamma(20.0, 1 / 20.0, shape), effects)


def expose(chip: Chip, readout: Readout, electrons: np.ndarray, rng: np.random.Generator) -> Exposure:
    """Expose the detector to `electrons` (electron/s per pixel, gathered charge without dark current)."""
    ramp = np.empty((readout.integrations * readout.groups, *chip.window.shape), np.uint16)
    cosmic, showers = [], []
    light = [electrons] * readout.integrations
    for k, group in enumerate(groups(chip, readout, light, Noise(rng), Extras())):
        ramp[k] = ramps.digitized(group.raw)
        cosmic.append(group.cosmic)
        showers.append(group.large)
    shape = (readout.integrations, readout.groups, *chip.window.shape)
    return Exposure(ramp.reshape(shape), np.concatenate(cosmic), np.concatenate(showers))


def groups(
    chip: Chip, readout: Readout, light: Iterable[np.ndarray], noise: Noise, extras: Extras
) -> Iterator[ramps.Group]:
    """Yield the groups of an exposure to the `light` (electron/s per pixel) of each integration, one after another."""
    former, tick = np.zeros(chip.window.shape), int(noise.rng.integers(0, 100_000))
    for i, electrons in enumerate(light):
        charge = np.zeros(chip.window.shape)
        for g in range(readout.groups):
            gathered, events = _gather(chip, charge, electrons, noise, extras)
            for one in events:
                one["integration"], one["group"] = i, g
            collected = response(chip.level + gathered, chip.pixels.well, chip.pixels.bend)
            signal = response(chip.level + gathered + chip.dark(i, chip.window.frame_time, g),
                              chip.pixels.well, chip.pixels.bend)  # fmt: skip
            signal += chip.residue(i, g) - chip.lag(former, g) + wave(chip.effects, chip.window, tick, readout.samples)
            signal += chip.pixels.noise / chip.pixels.gain * noise.normal(signal.shape)
            if g == readout.groups - 1:
                signal[2 * (np.arange(chip.window.ny) // 2 % 2) == 0] -= chip.effects.last
            full = collected >= chip.pixels.ceiling
            yield ramps.Group(signal, *events, full, full)
            tick += chip.window.frame_ticks
        former = gathered
        tick += chip.window.frame_ticks


def _gather(
    chip: Chip, charge: np.ndarray, electrons: np.ndarray, noise: Noise, extras: Extras
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Add to `charge` what arrives in a frame; return it in DN, full pixels full, with the events that left it."""
    pixels, seconds = chip.pixels, chip.window.frame_time
    charge += noise.photons(np.where(pixels.reference, 0.0, electrons) * seconds)
    hits = ramps.hits(pixels, seconds, noise.rng, extras.cosmic_rays)
    np.add.at(charge, (hits["y"], hits["x"]), hits["electrons"])
    events = _showers(chip, seconds, noise.rng)
    light = np.where(pixels.reference, 0.0, _light(events, chip.window) * pixels.gain)
    charge += light
    return np.minimum(charge / pixels.gain, pixels.well - chip.level), (hits, events, _touched(light))


def _touched(light: np.ndarray) -> np.ndarray:
    """Return the charges that showers leave where they add `light` (electron)."""
    rows, columns = np.nonzero(light)
    touched = np.zeros(len(rows), snowballs.TOUCHED)
    touched["y"], touched["x"], touched["electrons"] = rows, columns, light[rows, columns]
    return touched


def _showers(chip: Chip, seconds: float, rng: np.random.Generator) -> np.ndarray:
    often, radius, height = chip.effects.showers
    ny, nx = chip.window.shape
    events = np.zeros(rng.poisson(often * seconds * nx * ny / 1e6), dtype=SHOWER)
    events["y"], events["x"] = rng.uniform(0, ny, len(events)), rng.uniform(0, nx, len(events))
    events["radius"] = radius * rng.uniform(0.8, 1.6, len(events))
    events["height"] = height * rng.uniform(0.8, 1.3, len(events))
    return events


def _light(events: np.ndarray, window: Window) -> np.ndarray:
    """Return what showers add, DN: flat discs with soft edges."""
    y, x = np.indices(window.shape, sparse=True)
    light = np.zeros(window.shape)
    for one in events:
        light += one["height"] * np.clip(one["radius"] - np.hypot(y - one["y"], x - one["x"]), 0, 1)
    return light


def shape(phase: np.ndarray) -> np.ndarray:
    """Return the shape of the interference, period 1, height about 1: no sine."""
    turn = 2 * np.pi * phase
    return np.asarray(np.sin(turn) + 0.25 * np.sin(2 * turn + 0.8) + 0.1 * np.cos(3 * turn))


def wave(effects: Effects, window: Window, ticks: int, samples: int = 1) -> np.ndarray:
    """Return the interference (DN) in a frame whose first pixel is read at this tick."""
    height, hertz = effects.wave
    rows, columns = np.arange(window.ny)[:, None], np.arange(window.nx) // OUTPUTS
    times = ticks + rows * window.row_ticks + columns * samples
    return height * shape(times * (TICK * hertz))
