"""Noise that the lines of a readout have in common, measured against the scene that all groups show together.

The median of a difference of groups errs by itself in every difference, and the errors add up along the ramp. Against a
scene, whose own lines are cleaned once, each group has an error of its own, and light of any shape is gone before the
median is taken.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from jwrules.kernels import flicker, flicker_background, order
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.flicker import TOGETHER, Lines, Method

TURNS, AROUND = 3, 5
"""A line that is too high loses more of its pixels to clipping, and its median is too low: each turn mends six parts
of seven of what the one before has left."""


def scene(
    rate: np.ndarray, dark: np.ndarray, lines: Lines, method: Method, *, histogram: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return rates (ny, nx) without the noise of their lines, and where they show background.

    `dark` (ny, nx) is where light is not known to fall.
    """
    clean, excess = rate.astype(np.float32), np.zeros((lines.parts, rate.shape[0 if lines.rows else 1]))
    dark = dark & np.isfinite(rate) & (rate != 0)
    gentle = method._replace(n_sigma=flicker_background.LIMIT if method.n_sigma > 0 else 0.0)
    for turn in range(TURNS):
        seen = _averaged(clean, dark) if turn else clean
        background = flicker_background.backdrop(seen, dark, method.n_sigma, histogram=histogram)
        image, usable = np.where(background, clean, np.float32(0)), background.copy()
        flicker.subtract_background(image, usable, gentle)
        flicker.stripes(image, usable, lines, excess)
        whole = clean[np.newaxis, np.newaxis]
        flicker.subtract(whole, excess.astype(np.float32)[np.newaxis, np.newaxis], np.empty((0, 0), np.float32), lines)
    return clean, background


def _averaged(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the mean of the known pixels around each: light stands out, and noise does not decide on its own pixel."""
    total = uniform_filter(np.where(known, image, np.float32(0)), AROUND)
    return total / np.maximum(uniform_filter(known.astype(np.float32), AROUND), np.float32(1e-3))


def subtract(
    data: np.ndarray,
    flags: np.ndarray,
    scene: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    lines: Lines,
    seconds: float,
    unusable: int,
) -> None:
    """Take off the groups, in place, what the background of each line is above the scene.

    data and flags (nints, ngroups, ny, nx); scene (DN/s) and background (n, ny, nx) of each integration or (n = 1) of
    all; flat (ny, nx), or empty, divides the groups; `seconds` pass from group to group. A pixel counts until it
    first has a flag of `unusable`. The first group that most pixels can use is taken for the start.
    """
    nx = data.shape[3]
    inputs = data, as_input(flags), _starts(flags, unusable), as_input(scene), as_input(background), as_input(flat)
    kernel, number = (_rows, data.shape[2]) if lines.rows else (_columns, -(-nx // TOGETHER))
    over_rows(kernel, number, *inputs, lines.parts, np.float32(seconds), unusable)


def _starts(flags: np.ndarray, unusable: int) -> np.ndarray:
    """Return the first group of each integration that at least half of the pixels can use, the last one without any."""
    result = np.full(len(flags), flags.shape[1] - 1)
    for i, planes in enumerate(flags):
        for g, plane in enumerate(planes):
            if 2 * np.count_nonzero(plane & np.uint8(unusable)) <= plane.size:
                result[i] = g
                break
    return result


@compiled
def _level_row(
    data: np.ndarray,
    flags: np.ndarray,
    first: int,
    y: int,
    scene: np.ndarray,
    step: float,
    unusable: int,
    usable: np.ndarray,
    level: np.ndarray,
) -> None:
    """Write the mean level of each pixel of a row above the scene, over the groups that it counts for."""
    level[:] = 0
    groups, counts = np.zeros(level.size, np.float32), usable.copy()
    for g in range(first, data.shape[0]):
        for x in range(level.size):
            counts[x] &= flags[g, y, x] & unusable == 0
            if counts[x]:
                level[x] += data[g, y, x] - scene[y, x] * ((g - first) * step)
                groups[x] += 1
    level /= np.maximum(groups, np.float32(1))


@compiled
def _rows(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    starts: np.ndarray,
    scene: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    parts: int,
    seconds: float,
    unusable: int,
) -> None:
    nints, ngroups, _, nx = data.shape
    room, counts = np.empty(nx + 1, np.float32), np.empty(order.BINS, np.int64)
    usable, rise, noise = np.empty(nx, np.bool_), np.empty(nx, np.float32), np.empty(nx, np.float32)
    level = np.empty(nx, np.float32)
    for y in range(start, stop):
        for i in range(nints):
            first, k = starts[i], min(i, scene.shape[0] - 1)
            for x in range(nx):
                usable[x] = background[k, y, x] and flags[i, first, y, x] & unusable == 0
            noise[:] = 0
            _level_row(data[i], flags[i], first, y, scene[k], seconds, unusable, usable, level)
            for g in range(first, ngroups):
                for x in range(nx):
                    rise[x] = data[i, g, y, x] - level[x] - scene[k, y, x] * ((g - first) * seconds)
                    usable[x] &= flags[i, g, y, x] & unusable == 0
                if flat.size:
                    rise /= flat[y]
                for part in range(parts):
                    low, high, n = part * nx // parts, (part + 1) * nx // parts, 0
                    for x in range(low, high):
                        room[n] = rise[x]
                        n += usable[x] and np.isfinite(rise[x])
                    if n:
                        noise[low:high] = order.median_of(room, n, counts)
                for x in range(nx):
                    data[i, g, y, x] -= noise[x] * flat[y, x] if flat.size else noise[x]


@compiled
def _columns(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    starts: np.ndarray,
    scene: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    parts: int,
    seconds: float,
    unusable: int,
) -> None:
    nints, ngroups, ny, nx = data.shape
    counts, usable = np.empty(order.BINS, np.int64), np.empty((ny, TOGETHER), np.bool_)
    room, n = np.empty((TOGETHER, ny + 1), np.float32), np.empty(TOGETHER, np.int64)
    noise = np.empty((parts, TOGETHER), np.float32)
    for tile in range(start, stop):
        left, width = tile * TOGETHER, min(TOGETHER, nx - tile * TOGETHER)
        for i in range(nints):
            first, k = starts[i], min(i, scene.shape[0] - 1)
            for y in range(ny):
                for c in range(width):
                    usable[y, c] = background[k, y, left + c] and flags[i, first, y, left + c] & unusable == 0
            noise[:] = 0
            for g in range(first + 1, ngroups):
                for part in range(parts):
                    n[:] = 0
                    for y in range(part * ny // parts, (part + 1) * ny // parts):
                        for c in range(width):
                            x = left + c
                            usable[y, c] &= flags[i, g, y, x] & unusable == 0
                            rise = data[i, g, y, x] - data[i, first, y, x] - scene[k, y, x] * (g - first) * seconds
                            rise = rise / flat[y, x] if flat.size else rise
                            room[c, n[c]] = rise
                            n[c] += usable[y, c] and np.isfinite(rise)
                    for c in range(width):
                        if n[c]:
                            noise[part, c] = order.median_of(room[c], n[c], counts)
                for y in range(ny):
                    part = y * parts // ny
                    for c in range(width):
                        x = left + c
                        data[i, g, y, x] -= noise[part, c] * flat[y, x] if flat.size else noise[part, c]
