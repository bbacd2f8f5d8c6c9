"""Ramps that saturate, read frame by frame, with known truth, made with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ramp_scene import ramp, reference
from snowball_scene import READOUTS

from jwrules.products.kinds import Ramp, Saturation, Superbias

FIRST_FRAMES = "SHALLOW4", "DEEP8"
"""Readouts that send the first frame of an integration too."""
LIMIT, PEDESTAL, READNOISE, SPILL = 50000.0, 1000.0, 8.0, 0.02


@dataclass(frozen=True)
class Scene:
    """Ramps, the thresholds of their pixels, their bias, and what is saturated, (nints, ngroups, ny, nx).

    `full` are groups from the first one on of which any frame reaches the threshold, in the pixel itself; `touched`
    are those of the eight pixels around, to which charge spills, where they are not full themselves.
    """

    ramp: Ramp
    limits: Saturation
    bias: Superbias
    full: np.ndarray
    touched: np.ndarray


def scene(readout: str, *, seed: int, struck: bool = False, nints: int = 2, ngroups: int = 8, size: int = 96) -> Scene:
    """Return ramps of which one in ten saturates, by steady light or, if `struck`, by a cosmic ray in any frame."""
    frames, gap = READOUTS[readout]
    reads = ngroups * (frames + gap)
    random = np.random.default_rng(seed)
    shape = (nints, reads, size, size)
    chosen, when = random.random((nints, size, size)) < 0.1, random.uniform(1, reads, (nints, size, size))
    rates = np.where(chosen & (not struck), LIMIT / when, 20 / reads)[:, None]
    light = PEDESTAL + random.poisson(np.broadcast_to(rates, shape)).cumsum(axis=1)
    if struck:
        arrived = np.arange(reads)[:, None, None] >= np.ceil(when)[:, None]
        light = light + np.where(arrived & chosen[:, None], 1.2 * LIMIT, 0)
    counts = np.minimum(light, 1.05 * LIMIT) + SPILL * around(np.maximum(light - LIMIT, 0))
    counts = counts + random.normal(0, READNOISE / np.sqrt(2), shape)
    read = counts.reshape(nints, ngroups, frames + gap, size, size)[:, :, :frames]
    full = np.maximum.accumulate((read >= LIMIT).any(axis=2), axis=1)
    limits = reference(Saturation, data=np.full((size, size), LIMIT))
    product = ramp(read.mean(axis=2), NFRAMES=frames, GROUPGAP=gap)
    if readout in FIRST_FRAMES:
        product = replace(product, zeroframe=read[:, 0, 0].astype(np.float32))
    bias = reference(Superbias, data=np.full((size, size), PEDESTAL))
    return Scene(product, limits, bias, full, (around(full) > 0) & ~full)


def around(values: np.ndarray) -> np.ndarray:
    """Return the sum of the eight pixels around each."""
    ny, nx = values.shape[2:]
    padded = np.pad(values.astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)))
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.asarray(sum(padded[:, :, y : y + ny, x : x + nx] for y, x in shifts))
