"""A dark ramp read as the exposure was: frames averaged into groups, frames skipped, the end extended."""

from __future__ import annotations

import numpy as np


def frames_needed(groups: int, frames: int, gap: int) -> int:
    """Return how many frames `groups` groups of `frames` frames span, `gap` frames apart."""
    return groups * frames + (groups - 1) * gap


def group(dark: np.ndarray, start: int, frames: int) -> np.ndarray:
    """Return the mean (ny, nx) of `frames` planes of `dark` (nplanes, ny, nx) from `start` on.

    NaN counts as 0. Beyond its end the dark goes on by the difference of its last two planes.
    """
    planes = [_plane(dark, k) for k in range(start, start + frames)]
    return planes[0] if frames == 1 else np.mean(planes, axis=0)


def _plane(dark: np.ndarray, k: int) -> np.ndarray:
    last = len(dark) - 1
    plane = dark[k] if k <= last else dark[last] + (k - last) * (dark[last] - dark[last - 1])
    return np.where(np.isnan(plane), np.float32(0), plane)
