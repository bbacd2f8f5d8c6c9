"""Noise that the lines of a readout have in common, measured where there is no light and taken off.

A line is what is read one after the other before the slow axis goes on: a row, or a column. What a line of a
difference of groups is too high is the median of its background. Noise of differences adds up to that of the groups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jwrules.kernels import flicker_background, order
from jwrules.kernels.compiled import as_input, compiled, over_rows

TOGETHER = 16
"""Columns that are looked at together, for the sake of the cache."""


class Method(NamedTuple):
    """How light is told from noise: background 'median', 'model' or 'none', boxes of the model, limit of clipping."""

    background: str
    box: tuple[int, int] | None
    n_sigma: float


class Lines(NamedTuple):
    """Whether lines are rows (else columns), and in how many parts of the same length they are looked at."""

    rows: bool
    parts: int


def excess(
    data: np.ndarray,
    flags: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    lines: Lines,
    method: Method,
    unusable: int,
    levels: np.ndarray,
) -> np.ndarray:
    """Return what each line of each group is too high since the first one, (nints, ngroups, parts, nlines).

    data and flags (nints, ngroups, ny, nx); a difference is not used where the later group has a flag of `unusable`;
    background (n, ny, nx) tells where there is no light, in each integration or (n = 1) in all; flat (ny, nx), or
    empty, is divided out. How bright the background of a difference is goes into `levels`, like data or empty, at its
    later group.
    """
    nints, ngroups, ny, nx = data.shape
    result = np.zeros((nints, ngroups, lines.parts, ny if lines.rows else nx))
    inputs = as_input(data), as_input(flags), as_input(background), as_input(flat)

    def measure(start: int, stop: int) -> None:
        for number in range(start, stop):
            i, g = divmod(number, ngroups - 1)
            image, usable = difference(*inputs, i, g + 1, unusable)
            level = subtract_background(image, usable, method)
            if levels.size:
                levels[i, g + 1] = level
            stripes(image, usable, lines, result[i, g + 1])

    over_rows(measure, nints * (ngroups - 1))
    return np.cumsum(result, axis=1).astype(np.float32)


def excess_beyond(
    data: np.ndarray,
    typical: np.ndarray,
    scales: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    lines: Lines,
) -> np.ndarray:
    """Return what each line of each group is above `scales` (nints,) times `typical` (ngroups, ny, nx).

    The answer and the other arguments are those of `excess`.
    """
    nints, ngroups, ny, nx = data.shape
    result = np.zeros((nints, ngroups, lines.parts, ny if lines.rows else nx), np.float32)

    def measure(start: int, stop: int) -> None:
        for number in range(start, stop):
            i, g = divmod(number, ngroups)
            image = data[i, g] - np.float32(scales[i]) * typical[g]
            image = image / flat if flat.size else image
            usable = background[min(i, len(background) - 1)] & np.isfinite(image)
            stripes(image, usable, lines, result[i, g])

    over_rows(measure, nints * ngroups)
    return result


def clean(
    data: np.ndarray,
    flags: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    method: Method,
    unusable: int,
    levels: np.ndarray,
    noise_of: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    """Take off the groups, in place, what `noise_of(image, usable)` finds in their differences.

    The other arguments are those of `excess`.
    """
    inputs = as_input(data), as_input(flags), as_input(background), as_input(flat)

    def measure(start: int, stop: int) -> None:
        for i in range(start, stop):
            total = np.zeros(data.shape[2:], np.float32)
            for g in range(1, data.shape[1]):
                image, usable = difference(*inputs, i, g, unusable)
                level = subtract_background(image, usable, method)
                if levels.size:
                    levels[i, g] = level
                data[i, g - 1] -= total
                noise = noise_of(image, usable)
                total += noise * flat if flat.size else noise
            data[i, -1] -= total

    over_rows(measure, len(data))


@compiled
def difference(
    data: np.ndarray, flags: np.ndarray, background: np.ndarray, flat: np.ndarray, i: int, g: int, unusable: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what came in group g of integration i, without the flat, and where it is usable background."""
    ny, nx = data.shape[2:]
    image, usable = np.empty((ny, nx), np.float32), np.empty((ny, nx), np.bool_)
    scene = background[min(i, background.shape[0] - 1)]
    for y in range(ny):
        for x in range(nx):
            image[y, x] = data[i, g, y, x] - data[i, g - 1, y, x]
            usable[y, x] = scene[y, x] and flags[i, g, y, x] & unusable == 0
        if flat.size:
            for x in range(nx):
                image[y, x] /= flat[y, x]
        for x in range(nx):
            if not np.isfinite(image[y, x]):
                image[y, x], usable[y, x] = 0, False
    return image, usable


def subtract_background(image: np.ndarray, usable: np.ndarray, method: Method) -> np.ndarray | float:
    """Take the background off `image`, in place, and what light is left off `usable`; return how bright it is."""
    if method.background == "median":
        return flicker_background.subtract_median(image, usable, method.n_sigma)
    if method.background != "model":
        return 0.0
    level = np.asarray(flicker_background.model(image, usable, method.box), np.float32)
    image -= level
    if method.n_sigma > 0:
        flicker_background.clip(image, usable, method.n_sigma, method.n_sigma, below=True)
    return level


def stripes(image: np.ndarray, usable: np.ndarray, lines: Lines, result: np.ndarray) -> None:
    """Write the median of the usable pixels of each line, 0 where there are none, to `result` (parts, nlines)."""
    if lines.rows:
        _medians_of_rows(image, usable, result)
    else:
        _medians_of_columns(image, usable, result)


@compiled
def _medians_of_rows(image: np.ndarray, usable: np.ndarray, result: np.ndarray) -> None:
    parts, (ny, nx) = result.shape[0], image.shape
    length = nx // parts
    room, counts = np.empty(length + 1, image.dtype), np.empty(order.BINS, np.int64)
    for y in range(ny):
        for part in range(parts):
            n = 0
            for x in range(part * length, (part + 1) * length):
                room[n] = image[y, x]
                n += usable[y, x]
            result[part, y] = order.median_of(room, n, counts) if n else 0.0


@compiled
def _medians_of_columns(image: np.ndarray, usable: np.ndarray, result: np.ndarray) -> None:
    parts, (ny, nx) = result.shape[0], image.shape
    length = ny // parts
    room, counts = np.empty((TOGETHER, length + 1), image.dtype), np.empty(order.BINS, np.int64)
    n = np.empty(TOGETHER, np.int64)
    for first in range(0, nx, TOGETHER):
        width = min(TOGETHER, nx - first)
        for part in range(parts):
            n[:] = 0
            for y in range(part * length, (part + 1) * length):
                for k in range(width):
                    room[k, n[k]] = image[y, first + k]
                    n[k] += usable[y, first + k]
            for k in range(width):
                result[part, first + k] = order.median_of(room[k], n[k], counts) if n[k] else 0.0


def subtract(data: np.ndarray, excess: np.ndarray, flat: np.ndarray, lines: Lines) -> None:
    """Take `excess` (nints, ngroups, parts, nlines) off the groups, in place, with the flat where there is one."""
    over_rows(_subtract, data.shape[2], data, as_input(excess), as_input(flat), lines.rows)


@compiled
def _subtract(start: int, stop: int, data: np.ndarray, excess: np.ndarray, flat: np.ndarray, rows: bool) -> None:
    nints, ngroups, ny, nx = data.shape
    parts, noise = excess.shape[2], np.empty(nx, np.float32)
    for i in range(nints):
        for g in range(ngroups):
            for y in range(start, stop):
                for part in range(parts):
                    if rows:
                        noise[part * nx // parts : (part + 1) * nx // parts] = excess[i, g, part, y]
                    elif part == y * parts // ny:
                        noise[:] = excess[i, g, part]
                if flat.size:
                    noise *= flat[y]
                for x in range(nx):
                    data[i, g, y, x] -= noise[x]
