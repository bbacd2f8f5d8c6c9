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
    return np.mean([_without_nan(_plane(dark, k)) for k in range(start, start + frames)], axis=0)


def groups(dark: np.ndarray, count: int, frames: int, step: int) -> np.ndarray:
    """Return the means (count, ny, nx) of `frames` planes of `dark`, float32; each begins `step` planes after the last.

    NaN and the end of the dark are as in `group`.
    """
    return np.stack([group(dark, g * step, frames) for g in range(count)], dtype=np.float32)


def subtract(data: np.ndarray, integrations: slice, planes: np.ndarray, g: int = 0) -> None:
    """Take `planes` (n, ny, nx), NaN being 0, off n groups of integrations of `data` (nints, ngroups, ny, nx)."""
    _off(data, integrations, (g, g + len(planes)), planes)


def subtract_extended(data: np.ndarray, integrations: slice, dark: np.ndarray) -> None:
    """Take `dark` (nplanes, ny, nx), NaN being 0, off all groups; beyond its end it goes on as in `group`."""
    _off(data, integrations, (0, data.shape[1]), dark)


def _off(data: np.ndarray, integrations: slice, groups: tuple[int, int], planes: np.ndarray) -> None:
    first, last, _ = integrations.indices(len(data))
    over_rows(_subtract, data.shape[2], data, first, last, *groups, as_input(planes))


@compiled
def _subtract(
    start: int, stop: int, data: np.ndarray, first: int, last: int, begin: int, end: int, planes: np.ndarray
) -> None:
    final = len(planes) - 1
    for i in range(first, last):
        for g in range(begin, end):
            k, beyond = min(g - begin, final), np.float32(max(g - begin - final, 0))
            for y in range(start, stop):
                row, dark, before = data[i, g, y], planes[k, y], planes[max(k - 1, 0), y]
                for x in range(row.size):
                    value = dark[x] + beyond * (dark[x] - before[x]) if beyond > 0 else dark[x]
                    row[x] -= value if value == value else np.float32(0)


def _plane(dark: np.ndarray, k: int) -> np.ndarray:
    last = len(dark) - 1
    return dark[k] if k <= last else dark[last] + (k - last) * (dark[last] - dark[last - 1])


def _without_nan(plane: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(plane), np.float32(0), plane)
