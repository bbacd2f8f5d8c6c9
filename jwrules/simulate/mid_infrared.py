"""How a mid-infrared detector records light: it is never quite reset, and its readout hears the electronics.

The signal of a group, in DN, is the response to level + light + dark, to which are added what the reset leaves, the
lag of the former integration, interference by the time at which a pixel is read, and noise. The last frame meets the
reset of the next integration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.simulate import ramps
from jwrules.simulate.miri import COLUMNS, EDGE, EFFECTS, OUTPUTS, TICK, Effects, Window
from jwrules.simulate.nircam import Detector, Readout
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

    def residue(self, integration: int, groups: int) -> np.ndarray:
        """Return what the reset leaves in the groups, DN, (groups, ny, nx): less in the first integration."""
        height, decay = self.effects.residue
        share = 0.6 if integration == 0 else 1.0
        fall = np.exp(-np.arange(groups) / decay)[:, None, None]
        return np.asarray(share * height * fall * self.trouble)

    def dark(self, integration: int, seconds: float, groups: int) -> np.ndarray:
        """Return what gathers in the dark, DN, (groups, ny, nx); it settles after the reset."""
        heights, decay = self.effects.settling
        numbers = np.arange(1, groups + 1)[:, None, None]
        settled = heights[min(integration, 1)] * self.trouble * (1 - np.exp(-numbers / decay))
        gathered = self.pixels.dark / self.pixels.gain * seconds * numbers + settled
        return np.asarray(np.where(self.pixels.reference, 0.0, gathered))


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
    window = chip.window
    ramp = np.empty((readout.integrations, readout.groups, *window.shape), np.uint16)
    cosmic, showers = [], []
    former, start = np.zeros(window.shape), int(rng.integers(0, 100_000))
    for i in range(readout.integrations):
        gathered, hits, events = _gather(chip, readout, electrons, rng)
        hits["integration"], events["integration"] = i, i
        cosmic.append(hits)
        showers.append(events)
        signal = response(chip.level + gathered + chip.dark(i, window.frame_time, readout.groups),
                          chip.pixels.well, chip.pixels.bend)  # fmt: skip
        signal += chip.residue(i, readout.groups) - _lag(chip, former, readout.groups)
        ticks = start + i * (readout.groups + 1) * window.frame_ticks
        signal += wave(chip.effects, window, readout.groups, ticks)
        signal += chip.pixels.noise / chip.pixels.gain * rng.standard_normal(signal.shape, np.float32)
        signal[-1, 2 * (np.arange(window.ny) // 2 % 2) == 0] -= chip.effects.last
        ramp[i] = np.clip(np.rint(signal), 0, ramps.CONVERTER)
        former = gathered[-1]
    return Exposure(ramp, np.concatenate(cosmic), np.concatenate(showers))


def _gather(
    chip: Chip, readout: Readout, electrons: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the charge (DN) of each group, (ngroups, ny, nx), full pixels full; the cosmic rays; the showers."""
    pixels, seconds = chip.pixels, chip.window.frame_time
    charge, groups = np.zeros(chip.window.shape), []
    cosmic, showers = [], []
    blind = pixels.reference
    for group in range(readout.groups):
        charge += rng.poisson(np.where(blind, 0.0, electrons) * seconds)
        hits = ramps.hits(pixels, seconds, rng)
        hits["group"] = group
        np.add.at(charge, (hits["y"], hits["x"]), hits["electrons"])
        events = _showers(chip, seconds, rng)
        events["group"] = group
        charge += np.where(blind, 0.0, _light(events, chip.window) * pixels.gain)
        cosmic.append(hits)
        showers.append(events)
        groups.append(np.minimum(charge / pixels.gain, pixels.well - chip.level))
    return np.array(groups), np.concatenate(cosmic), np.concatenate(showers)


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
    y, x = np.indices(window.shape)
    light = np.zeros(window.shape)
    for one in events:
        light += one["height"] * np.clip(one["radius"] - np.hypot(y - one["y"], x - one["x"]), 0, 1)
    return light


def _lag(chip: Chip, former: np.ndarray, groups: int) -> np.ndarray:
    share, decay = chip.effects.lag
    return np.asarray(share * former * np.exp(-np.arange(groups) / decay)[:, None, None])


def shape(phase: np.ndarray) -> np.ndarray:
    """Return the shape of the interference, period 1, height about 1: no sine."""
    turn = 2 * np.pi * phase
    return np.asarray(np.sin(turn) + 0.25 * np.sin(2 * turn + 0.8) + 0.1 * np.cos(3 * turn))


def wave(effects: Effects, window: Window, groups: int, ticks: int) -> np.ndarray:
    """Return the interference (DN) in an integration whose first pixel is read at this tick, (groups, ny, nx)."""
    height, hertz = effects.wave
    rows, columns = np.arange(window.ny)[:, None], np.arange(window.nx) // OUTPUTS
    times = ticks + np.arange(groups)[:, None, None] * window.frame_ticks + rows * window.row_ticks + columns
    return height * shape(times * (TICK * hertz))
