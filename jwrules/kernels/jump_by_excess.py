"""Jumps as differences that exceed all others of a pixel in the noise of that comparison (`excesses`).

Without a jump an excess is normal with σ = 1: a threshold lets as much noise pass as it says, be there two differences
or a thousand. The worst difference is taken out, then the others are judged without it. That is done at once for many
pixels which have one.

Rays only rise. Where they are in two of three differences the third one seems to fall: so of few differences one that
rises beyond the threshold is taken before one that falls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels import excesses
from jwrules.kernels.compiled import compiled, inner
from jwrules.kernels.differences import Bits, Noise, Thresholds, read_variance
from jwrules.kernels.excesses import Scores, Tile

FEW = 4
"""Of so many differences, or fewer, one that rises is taken first."""

ALIKE = 1 - 1e-5
"""Squares of excesses that differ by less are the same."""


class Struck(NamedTuple):
    """Pixels that have jumps yet to be taken out: the first number[0] columns of a tile, with their excesses.

    Each has a slot (p,), of which slots[0] are in use: place, its row and column (p, 2), jumps, the differences that
    are taken out, NaN elsewhere (DN; n, p), and the mean of what is left and the noise of a difference (DN; p). rise,
    fall and wanted (p,) are room.
    """

    tile: Tile
    scores: Scores
    number: np.ndarray
    slot: np.ndarray
    slots: np.ndarray
    place: np.ndarray
    jumps: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    rise: np.ndarray
    fall: np.ndarray
    wanted: np.ndarray


@compiled
def find(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    gain: np.ndarray,
    readnoise: np.ndarray,
    expected: Noise,
    weigh: bool,
    thresholds: Thresholds,
    bits: Bits,
) -> None:
    """Flag jumps, and which of them spread, as `jump.find` says."""
    nints, ngroups, _, nx = data.shape
    n = nints * (ngroups - 1)
    tile, scores, struck = excesses.tile_for(n), excesses.scores_for(n, nints), _struck_for(n, nints)
    width, chosen = tile.number.size, np.empty(tile.number.size, np.int64)
    for y in range(start, stop):
        for first in range(0, nx, width):
            pixels = min(width, nx - first)
            _load(data, flags, y, first, pixels, bits.unusable, tile)
            for k in range(pixels):
                tile.gain[k] = gain[y, first + k]
                tile.read[k] = read_variance(readnoise[y, first + k], gain[y, first + k], expected.frames)
            excesses.score(pixels, tile, expected, weigh, thresholds, scores)
            number = _choose(pixels, tile, scores, chosen)
            if struck.slots[0] + number > width:
                _search(struck, expected, weigh, thresholds, bits, flags)
            _move_in(tile, scores, chosen[:number], y, first, struck)
    _search(struck, expected, weigh, thresholds, bits, flags)


@inner
def _load(data: np.ndarray, flags: np.ndarray, y: int, first: int, pixels: int, unusable: int, tile: Tile) -> None:
    """Fill in the differences of some pixels of row y, their number and sum."""
    nints, ngroups = data.shape[:2]
    mask = np.uint8(unusable)
    for k in range(pixels):
        tile.number[k], tile.total[k] = 0, 0.0
    for i in range(nints):
        for g in range(1, ngroups):
            now, before = data[i, g, y, first : first + pixels], data[i, g - 1, y, first : first + pixels]
            bad, worse = flags[i, g, y, first : first + pixels], flags[i, g - 1, y, first : first + pixels]
            line = tile.steps[i * (ngroups - 1) + g - 1, :pixels]
            _subtract(now, before, bad, worse, mask, line)
            _add(line, tile.number, tile.total)


@inner
def _subtract(
    now: np.ndarray, before: np.ndarray, bad: np.ndarray, worse: np.ndarray, mask: np.uint8, line: np.ndarray
) -> None:
    nothing = np.float32(np.nan)
    for k in range(line.size):
        line[k] = now[k] - before[k] if (bad[k] | worse[k]) & mask == 0 else nothing


@inner
def _add(line: np.ndarray, count: np.ndarray, total: np.ndarray) -> None:
    """Add differences to their number and sum."""
    for k in range(line.size):
        count[k] += 1 if line[k] == line[k] else 0
    for k in range(line.size):
        total[k] += line[k] if line[k] == line[k] else np.float32(0)


@inner
def _choose(pixels: int, tile: Tile, scores: Scores, chosen: np.ndarray) -> int:
    """List the pixels that have a jump; return how many these are."""
    number = 0
    for k in range(pixels):
        if max(scores.rise[k], scores.fall[k]) > 1 and tile.gain[k] > 0:
            chosen[number] = k
            number += 1
    return number


@inner
def _struck_for(n: int, nints: int) -> Struck:
    tile, one = excesses.tile_for(n), excesses.width_of(n)
    return Struck(
        tile, excesses.scores_for(n, nints), np.zeros(1, np.int64), np.empty(one, np.int64), np.zeros(1, np.int64),
        np.empty((one, 2), np.int64), np.empty((n, one + excesses.PAD), np.float32), np.empty(one), np.empty(one),
        np.empty(one, np.float32), np.empty(one, np.float32), np.empty(one, np.float32),
    )  # fmt: skip


@inner
def _move_in(tile: Tile, scores: Scores, chosen: np.ndarray, y: int, first: int, struck: Struck) -> None:
    """Put the chosen pixels of a tile, which begins at (y, first), among those that have jumps."""
    at, slot = struck.number[0], struck.slots[0]
    _copy(tile, scores, chosen, struck, at)
    for k in range(chosen.size):
        struck.slot[at + k], struck.place[slot + k, 0], struck.place[slot + k, 1] = slot + k, y, first + chosen[k]
    for j in range(len(struck.jumps)):
        struck.jumps[j, slot : slot + chosen.size] = np.float32(np.nan)
    struck.number[0] += chosen.size
    struck.slots[0] += chosen.size


@inner
def _copy(tile: Tile, scores: Scores, chosen: np.ndarray, struck: Struck, at: int) -> None:
    """Copy the chosen columns to those from `at` on; row by row, for a column is spread over the memory."""
    for j in range(len(tile.steps)):
        steps, excess, new_steps, new_excess = (
            tile.steps[j],
            scores.excess[j],
            struck.tile.steps[j],
            struck.scores.excess[j],
        )
        for k in range(chosen.size):
            new_steps[at + k], new_excess[at + k] = steps[chosen[k]], excess[chosen[k]]
    for k in range(chosen.size):
        one, to = chosen[k], at + k
        struck.tile.number[to], struck.tile.total[to] = tile.number[one], tile.total[one]
        struck.tile.gain[to], struck.tile.read[to] = tile.gain[one], tile.read[one]
        struck.scores.rise[to], struck.scores.fall[to] = scores.rise[one], scores.fall[one]


@inner
def _search(
    struck: Struck, expected: Noise, weigh: bool, thresholds: Thresholds, bits: Bits, flags: np.ndarray
) -> None:
    """Take jumps out of all pixels that have some until none has, and flag them."""
    chosen = np.empty(struck.slot.size, np.int64)
    while struck.number[0] > 0:
        _take(struck)
        excesses.score(struck.number[0], struck.tile, expected, weigh, thresholds, struck.scores)
        _leave(struck, expected)
        number = _choose(struck.number[0], struck.tile, struck.scores, chosen)
        _copy(struck.tile, struck.scores, chosen[:number], struck, 0)
        for k in range(number):
            struck.slot[k] = struck.slot[chosen[k]]
        struck.number[0] = number
    _store(struck, thresholds, bits, flags)
    struck.slots[0] = 0


@inner
def _take(struck: Struck) -> None:
    """Take the worst difference out of each pixel, and those of other integrations that are half as bad and alike.

    A jump shows in other integrations by the common rate alone: what it does to their excesses has the other sign, or
    is less than half of its own.
    """
    n, nints, pixels = len(struck.jumps), struck.scores.alike.size, struck.number[0]
    for first in range(0, n, n // nints):
        _want(first, first + n // nints, struck)
        for j in range(first, first + n // nints):
            line, found = struck.scores.excess[j], 0
            for k in range(pixels):
                found += line[k] == struck.wanted[k]
            if found:
                _take_row(j, struck)


@inner
def _want(first: int, last: int, struck: Struck) -> None:
    """Write into `wanted` the excess among some differences of each pixel that is to go, NaN for none."""
    scores, pixels, whole = struck.scores, struck.number[0], last - first == len(struck.jumps)
    rise, fall = (scores.rise, scores.fall) if whole else (struck.rise, struck.fall)
    if not whole:
        excesses.extremes(scores.excess[first:last], pixels, rise, fall)
    for k in range(pixels):
        is_few = struck.tile.number[k] <= FEW
        worst, here = _worse(scores.rise[k], scores.fall[k], is_few), _worse(rise[k], fall[k], is_few)
        is_alike = not is_few and abs(here) > max(abs(worst) / 4, 1) and (here > 0) == (worst > 0)
        struck.wanted[k] = here if is_alike or here == worst else np.float32(np.nan)


@inner
def _worse(rise: float, fall: float, is_few: bool) -> float:
    """Return the larger excess, with its sign; of two that are alike, and of few, it is the one that rises."""
    return rise if rise > fall * np.float32(ALIKE) or (is_few and rise > 1) else -fall


@inner
def _take_row(j: int, struck: Struck) -> None:
    for k in range(struck.number[0]):
        if struck.scores.excess[j, k] == struck.wanted[k]:
            step = struck.tile.steps[j, k]
            struck.jumps[j, struck.slot[k]], struck.tile.steps[j, k] = step, np.nan
            struck.tile.number[k] -= 1
            struck.tile.total[k] -= step
            struck.wanted[k] = np.nan


@inner
def _leave(struck: Struck, expected: Noise) -> None:
    """Keep mean and noise of what is left of each pixel."""
    tile = struck.tile
    for k in range(struck.number[0]):
        mean, slot = tile.total[k] / tile.number[k], struck.slot[k]
        struck.mean[slot] = mean
        struck.sigma[slot] = np.sqrt(expected.photons * abs(mean) * tile.gain[k] + tile.read[k]) / tile.gain[k]


@inner
def _store(struck: Struck, thresholds: Thresholds, bits: Bits, flags: np.ndarray) -> None:
    """Flag all jumps, and which spread: in σ of a difference, from the mean of those that are left."""
    per_ramp = flags.shape[1] - 1
    for j in range(len(struck.jumps)):
        line, found = struck.jumps[j], 0
        for k in range(struck.slots[0]):
            found += line[k] == line[k]
        for k in range(struck.slots[0] if found else 0):
            if line[k] == line[k]:
                i, g, y, x = j // per_ramp, j % per_ramp + 1, struck.place[k, 0], struck.place[k, 1]
                flags[i, g, y, x] |= np.uint8(bits.jump)
                ratio = abs(line[k] - struck.mean[k]) / struck.sigma[k]
                if thresholds.spread_from < ratio < thresholds.spread_to:
                    flags[i, g, y, x] |= np.uint8(bits.spreads)
