"""Noise that the lines of a readout have in common, measured against the scene that all groups show together.

The median of a difference of groups errs by itself in every difference, and the errors add up along the ramp. Against a
scene, whose own lines are cleaned once, each group has an error of its own, and light of any shape is gone before the
median is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import flicker, flicker_background, order
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.flicker import TOGETHER, Lines, Method

TURNS, AROUND = 3, 5
"""Rounds of cleaning the scene, and pixels along a side that are averaged before light is looked for.

A line that is too high loses more of its pixels to clipping, and its median is too low: each round mends six parts of
seven of what the one before has left.
"""


class Scene(NamedTuple):
    """Rates (ny, nx) without the noise of their lines, where they show background, and how bright that is."""

    rates: np.ndarray
    background: np.ndarray
    level: np.ndarray | float


class Bench(NamedTuple):
    """Some lines of an integration, one after the other: groups, which are lost, the scene, the flat, what is usable.

    noise (nlines, ngroups, parts) is the result.
    """

    values: np.ndarray
    lost: np.ndarray
    scene: np.ndarray
    flat: np.ndarray
    usable: np.ndarray
    noise: np.ndarray


def scene(rate: np.ndarray, dark: np.ndarray, lines: Lines, method: Method, *, histogram: bool = False) -> Scene:
    """Return what rates (ny, nx) show; `dark` (ny, nx) is where light is not known to fall."""
    clean, excess = rate.astype(np.float32), np.zeros((lines.parts, rate.shape[0 if lines.rows else 1]))
    dark = dark & np.isfinite(rate) & (rate != 0)
    gentle = method._replace(n_sigma=flicker_background.LIMIT if method.n_sigma > 0 else 0.0)
    for turn in range(TURNS):
        seen = _averaged(clean, dark) if turn else clean
        background = flicker_background.backdrop(seen, dark, method.n_sigma, histogram=histogram)
        image, usable = np.where(background, clean, np.float32(0)), background.copy()
        level = flicker.subtract_background(image, usable, gentle)
        flicker.stripes(image, usable, lines, excess)
        whole = clean[np.newaxis, np.newaxis]
        flicker.subtract(whole, excess.astype(np.float32)[np.newaxis, np.newaxis], np.empty((0, 0), np.float32), lines)
    return Scene(clean, background, level)


def _averaged(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the mean of the known pixels around each: light stands out, and noise does not decide on its own pixel."""
    from scipy.ndimage import uniform_filter

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
    number = -(-data.shape[2 if lines.rows else 3] // TOGETHER)
    inputs = as_input(flags), _starts(flags, unusable), as_input(scene), as_input(background), as_input(flat)
    over_rows(_subtract, number, data, *inputs, lines.rows, lines.parts, np.float32(seconds), unusable)


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
def _subtract(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    starts: np.ndarray,
    scene: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    rows: bool,
    parts: int,
    seconds: float,
    unusable: int,
) -> None:
    nints, ngroups, ny, nx = data.shape
    nlines, length = (ny, nx) if rows else (nx, ny)
    bench = _bench(ngroups, length, parts)
    room, counts = np.empty(length + 1, np.float32), np.empty(order.BINS, np.int64)
    for left in range(start * TOGETHER, min(stop * TOGETHER, nlines), TOGETHER):
        width = min(TOGETHER, nlines - left)
        for i in range(nints):
            k = min(i, scene.shape[0] - 1)
            _fetch(bench, data[i], flags[i], scene[k], background[k], flat, left, width, rows, unusable)
            for t in range(width):
                _measure(bench, t, starts[i], seconds, room, counts)
            _store(bench, data[i], flat, left, width, rows)


@compiled
def _bench(ngroups: int, length: int, parts: int) -> Bench:
    return Bench(
        np.empty((TOGETHER, ngroups, length), np.float32),
        np.empty((TOGETHER, ngroups, length), np.bool_),
        np.empty((TOGETHER, length), np.float32),
        np.ones((TOGETHER, length), np.float32),
        np.empty((TOGETHER, length), np.bool_),
        np.empty((TOGETHER, ngroups, parts), np.float32),
    )


@compiled
def _fetch(
    bench: Bench,
    data: np.ndarray,
    flags: np.ndarray,
    scene: np.ndarray,
    background: np.ndarray,
    flat: np.ndarray,
    left: int,
    width: int,
    rows: bool,
    unusable: int,
) -> None:
    """Lay lines from `left` on out on the bench, whichever way they run."""
    ngroups, ny, nx = data.shape
    low, high = (left, left + width) if rows else (0, ny)
    first, last = (0, nx) if rows else (left, left + width)
    for y in range(low, high):
        for x in range(first, last):
            t, m = (y - left, x) if rows else (x - left, y)
            bench.scene[t, m], bench.usable[t, m] = scene[y, x], background[y, x]
            if flat.size:
                bench.flat[t, m] = flat[y, x]
    for g in range(ngroups):
        for y in range(low, high):
            for x in range(first, last):
                t, m = (y - left, x) if rows else (x - left, y)
                bench.values[t, g, m] = data[g, y, x]
                bench.lost[t, g, m] = flags[g, y, x] & unusable != 0 or not np.isfinite(data[g, y, x])


@compiled
def _measure(bench: Bench, t: int, first: int, seconds: float, room: np.ndarray, counts: np.ndarray) -> None:
    """Write the noise of line t: the medians of its usable pixels above the scene and their own mean level.

    A part of a group without usable pixels has the noise of the group before; the first group is left as it is.
    """
    values, usable, noise, flat = bench.values[t], bench.usable[t], bench.noise[t], bench.flat[t]
    ngroups, length = values.shape
    level = _levels(values, bench.lost[t], bench.scene[t], usable, first, seconds)
    noise[:] = 0
    for g in range(first, ngroups):
        if g > first:
            noise[g] = noise[g - 1]
        for m in range(length):
            usable[m] &= not bench.lost[t, g, m]
        for part in range(noise.shape[1]):
            n = 0
            for m in range(part * length // noise.shape[1], (part + 1) * length // noise.shape[1]):
                room[n] = (values[g, m] - level[m]) / flat[m]
                n += usable[m]
            if n:
                noise[g, part] = order.median_of(room, n, counts)
    start = noise[first].copy()
    for g in range(first, ngroups):
        noise[g] -= start


@compiled
def _levels(
    values: np.ndarray, lost: np.ndarray, scene: np.ndarray, usable: np.ndarray, first: int, seconds: float
) -> np.ndarray:
    """Take the scene off `values` (ngroups, n), in place; return the mean of each pixel until it is first lost."""
    ngroups, n = values.shape
    level, number, counts = np.zeros(n, np.float32), np.zeros(n, np.float32), usable.copy()
    for g in range(first, ngroups):
        for m in range(n):
            values[g, m] -= scene[m] * ((g - first) * seconds)
            counts[m] &= not lost[g, m]
            if counts[m]:
                level[m] += values[g, m]
                number[m] += np.float32(1)
    return level / np.maximum(number, np.float32(1))


@compiled
def _store(bench: Bench, data: np.ndarray, flat: np.ndarray, left: int, width: int, rows: bool) -> None:
    ngroups, ny, nx = data.shape
    parts = bench.noise.shape[2]
    low, high = (left, left + width) if rows else (0, ny)
    first, last = (0, nx) if rows else (left, left + width)
    for g in range(ngroups):
        for y in range(low, high):
            for x in range(first, last):
                t, m = (y - left, x) if rows else (x - left, y)
                noise = bench.noise[t, g, m * parts // (nx if rows else ny)]
                data[g, y, x] -= noise * flat[y, x] if flat.size else noise
