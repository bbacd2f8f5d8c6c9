"""A dark ramp read as the exposure was: frames averaged into groups, frames skipped, the end extended."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows


def frames_needed(groups: int, frames: int, gap: int) -> int:
    """Return how many frames `groups` groups of `frames` frames span, `gap` frames apart."""
    return groups * frames + (groups - 1) * gap


def group(dark: np.ndarray, start: int, frames: int) -> np.ndarray:
    """Return the mean (ny, nx) of `frames` planes of `dark` (nplanes, ny, nx) from `start` on.

    In a mean NaN counts as 0. Beyond its end the dark goes on by the difference of its last two planes.
    """
    if frames == 1:
        return _plane(dark, start)
    return np.mean([_without_nan(_plane(dark, k)) for k in range(start, start + frames)], axis=0)


def subtract(data: np.ndarray, integrations: slice, g: int, planes: np.ndarray) -> None:
    """Take `planes` (n, ny, nx), NaN being 0, off n groups of integrations of `data` (nints, ngroups, ny, nx)."""
    first, last, _ = integrations.indices(len(data))
    over_rows(_subtract, data.shape[2], data, first, last, g, as_input(planes))


@compiled
def _subtract(start: int, stop: int, data: np.ndarray, first: int, last: int, g: int, planes: np.ndarray) -> None:
    for i in range(first, last):
        for k in range(len(planes)):
            for y in range(start, stop):
                row, dark = data[i, g + k, y], planes[k, y]
                for x in range(row.size):
                    row[x] -= dark[x] if dark[x] == dark[x] else np.float32(0)


def _plane(dark: np.ndarray, k: int) -> np.ndarray:
    last = len(dark) - 1
    return dark[k] if k <= last else dark[last] + (k - last) * (dark[last] - dark[last - 1])


def _without_nan(plane: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(plane), np.float32(0), plane)
