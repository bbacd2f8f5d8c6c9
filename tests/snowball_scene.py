"""Snowballs and common cosmic rays in ramps that are read frame by frame, with known truth, made with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ramp_scene import ramp
from scipy.ndimage import label

from jwrules.products.flags import DQ
from jwrules.products.kinds import Ramp

READOUTS = {"RAPID": (1, 0), "SHALLOW4": (4, 1), "DEEP8": (8, 12), "NRS": (4, 0), "NRSIRS2": (5, 0)}
"""Frames that a group averages, and frames between groups."""

GAIN, READNOISE, LIMIT, STEEPNESS, SKY, FRAME = 2.0, 8.0, 50000.0, 2.5, 0.2, 10.0


def noise(frames: int, gap: int) -> float:
    """Return the noise of a difference of groups (DN)."""
    electrons = SKY * FRAME * GAIN * (frames + gap)
    return float(np.sqrt(electrons + (READNOISE * GAIN) ** 2 / frames) / GAIN)


@dataclass(frozen=True)
class Snowball:
    """Where and when one fell: integration, the groups whose differences it is in, and where it is above the noise."""

    integration: int
    groups: tuple[int, ...]
    y: float
    x: float
    area: np.ndarray

    def seen(self, flagged: np.ndarray) -> float:
        """Return which part of it is flagged, of (nints, ngroups, ny, nx), in the group where least is."""
        return min(float(flagged[self.integration, g][self.area].mean()) for g in self.groups)

    def areas(self, flagged: np.ndarray) -> list[float]:
        """Return how large the flagged regions are that touch it, over its area, in each group that it is in."""
        regions = [label(flagged[self.integration, g] | self.area, np.ones((3, 3)))[0] for g in self.groups]
        return [float(np.isin(one, np.unique(one[self.area])).sum() / self.area.sum()) for one in regions]


@dataclass(frozen=True)
class Scene:
    """Ramps with flags of saturation, and the snowballs in them."""

    ramp: Ramp
    snowballs: list[Snowball]

    def judge(self, grown: np.ndarray, least: int = 8) -> tuple[int, int]:
        """Return how many flagged regions of at least so many pixels touch a snowball, and how many there are."""
        right, total = 0, 0
        for i, g in np.ndindex(grown.shape[:2]):
            here = [one.area for one in self.snowballs if one.integration == i and g in one.groups]
            regions, _ = label(grown[i, g], np.ones((3, 3)))
            large = np.flatnonzero(np.bincount(regions.ravel())[1:] >= least) + 1
            right += int(np.isin(large, regions[np.any(here, axis=0)] if here else []).sum())
            total += large.size
        return right, total


def scene(readout: str, *, seed: int, nints: int = 2, ngroups: int = 6, size: int = 256, count: int = 6) -> Scene:
    """Return ramps of a faint sky; snowballs fall anywhere, also at the edges, and 150 times as many common rays."""
    frames, gap = READOUTS[readout]
    random = np.random.default_rng(seed)
    reads = ngroups * (frames + gap)
    light = random.poisson(SKY * GAIN * FRAME, (nints, reads, size, size)).cumsum(axis=1) / GAIN + 1000.0
    fallen = [_fall(random, nints, reads, size, noise(frames, gap)) for _ in range(count)]
    for i, read, deposit, *_ in fallen:
        light[i, read:] += deposit
    for _ in range(150 * count):
        _strike(light, random)
    counts = np.minimum(light, LIMIT) + random.normal(0, READNOISE / np.sqrt(2), light.shape)
    groups = counts.reshape(nints, ngroups, frames + gap, size, size)[:, :, :frames].mean(axis=2)
    times = {"NFRAMES": frames, "GROUPGAP": gap, "TFRAME": FRAME, "TGROUP": FRAME * (frames + gap)}
    product = ramp(groups, **times)
    product.groupdq[_saturated(groups)] = DQ.SATURATED
    found = [_truth(*one, frames=frames, gap=gap, ngroups=ngroups) for one in fallen]
    return Scene(product, [one for one in found if one.groups])


def _fall(
    random: np.random.Generator, nints: int, reads: int, size: int, sigma: float
) -> tuple[int, int, np.ndarray, float, float]:
    """Return integration, first read, deposit (DN) and place; the halo is above the noise up to 10 to 24 pixels."""
    i, read = int(random.integers(nints)), int(random.integers(1, reads))
    y, x = random.uniform(0, size, 2)
    stretch, tilt = random.uniform(0.85, 1), random.uniform(0, np.pi)
    rows, columns = np.ogrid[:size, :size]
    along = (rows - y) * np.cos(tilt) + (columns - x) * np.sin(tilt)
    across = (rows - y) * np.sin(tilt) - (columns - x) * np.cos(tilt)
    distance = np.hypot(along, across / stretch)
    radius = random.uniform(10, 24)
    core = random.uniform(0.15, 0.25) * radius
    halo = sigma * (np.maximum(distance, 1) / radius) ** -STEEPNESS
    deposit = np.where(distance < core, 2 * LIMIT, halo)
    return i, read, deposit, y, x


def _strike(light: np.ndarray, random: np.random.Generator) -> None:
    """Add the short track of a common cosmic ray."""
    nints, reads, size, _ = light.shape
    i, read, length = random.integers(nints), random.integers(1, reads), random.integers(1, 5)
    y, x, tilt = *random.uniform(0, size, 2), random.uniform(0, np.pi)
    rows = np.clip(y + np.arange(length) * np.sin(tilt), 0, size - 1).astype(int)
    columns = np.clip(x + np.arange(length) * np.cos(tilt), 0, size - 1).astype(int)
    light[i, read:, rows, columns] += 10 ** random.uniform(1.5, 5)


def _saturated(groups: np.ndarray) -> np.ndarray:
    """Return what is saturated, from then on, with the neighbours that charge flows to."""
    full = np.maximum.accumulate(groups >= LIMIT - 50, axis=1)
    padded = np.pad(full, ((0, 0), (0, 0), (1, 1), (1, 1)))
    ny, nx = groups.shape[2:]
    shifted = [padded[:, :, dy : dy + ny, dx : dx + nx] for dy in range(3) for dx in range(3)]
    return np.any(shifted, axis=0)


def _truth(
    i: int, read: int, deposit: np.ndarray, y: float, x: float, *, frames: int, gap: int, ngroups: int
) -> Snowball:
    """Return which differences of groups a snowball is in: two if it fell while a group was read.

    Of those in the first or in the last group a part is seen only.
    """
    group, within = divmod(read, frames + gap)
    struck = [group, group + 1] if 0 < within < frames else [group + (within >= frames)]
    visible = [g for g in struck if 0 < g < ngroups]
    shares = [1 - within / frames, within / frames] if len(struck) == 2 else [1.0]
    share = sum(one for one, g in zip(shares, struck, strict=True) if g in visible)
    area = deposit * share > noise(frames, gap)
    return Snowball(i, tuple(visible), y, x, area)
