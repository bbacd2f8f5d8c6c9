"""Where the differences of groups of many pixels lie, looked at with vector instructions.

To see that none of a pixel's is far from their median takes no median: it lies in a bracket if less than half of the
numbers are below and less than half are above it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled

BRACKET = 2.5
"""Half the width of the bracket around the mean, in standard deviations of a mean."""

TILE, NARROWEST, WIDEST = 2**20, 128, 512
"""About how many differences are looked at together, and of how many pixels."""


class Tallies(NamedTuple):
    """What is known of the differences of some pixels: number, sums, limits, bracket of the median."""

    number: np.ndarray
    total: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median_from: np.ndarray
    median_to: np.ndarray
    below: np.ndarray
    above: np.ndarray


@compiled
def width_of(differences: int) -> int:
    """Return how many pixels with so many differences each are looked at together."""
    return min(max(NARROWEST, TILE // differences), WIDEST)


@compiled
def room_for(width: int) -> Tallies:
    """Return room for the tallies of so many pixels."""
    room = np.empty((9, width))
    return Tallies(room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7], room[8])


@compiled
def load(
    data: np.ndarray,
    flags: np.ndarray,
    y: int,
    first: int,
    pixels: int,
    gain: np.ndarray,
    group: int,
    end: int,
    unusable: int,
    absolute: bool,
    steps: np.ndarray,
    tallies: Tallies,
) -> np.uint8:
    """Write the differences (electron) before the groups from `group` to `end` of some pixels of a row, and tallies.

    Return all bits that these groups have.
    """
    mask, factor, line, seen = np.uint8(unusable), gain[first : first + pixels], 0, np.uint8(0)
    low, high = np.full(pixels, np.inf, np.float32), np.full(pixels, -np.inf, np.float32)
    for sums in (tallies.number, tallies.total, tallies.squares):
        sums[:pixels] = 0.0
    for i in range(data.shape[0]):
        for g in range(group, end):
            now, before = data[i, g, y, first : first + pixels], data[i, g - 1, y, first : first + pixels]
            bad, worse = flags[i, g, y, first : first + pixels], flags[i, g - 1, y, first : first + pixels]
            row = steps[line, :pixels]
            seen |= _subtract(now, before, bad, worse, factor, mask, absolute, row)
            _add(row, tallies)
            _widen(row, low, high)
            line += 1
    tallies.low[:pixels], tallies.high[:pixels] = low, high
    return seen


@compiled
def _subtract(
    now: np.ndarray,
    before: np.ndarray,
    bad: np.ndarray,
    worse: np.ndarray,
    factor: np.ndarray,
    mask: np.uint8,
    absolute: bool,
    row: np.ndarray,
) -> np.uint8:
    """Write differences of two groups into `row`, NaN where one has a bit of `mask`; return all bits of the later one.

    Here and below loops are short and write into few arrays: those compile to vector instructions.
    """
    seen, nothing = np.uint8(0), np.float32(np.nan)
    for k in range(row.size):
        seen |= bad[k]
    for k in range(row.size):
        step = now[k] * factor[k] - before[k] * factor[k]
        step = abs(step) if absolute else step
        row[k] = step if (bad[k] | worse[k]) & mask == 0 else nothing
    return seen


@compiled
def _add(row: np.ndarray, tallies: Tallies) -> None:
    """Add differences to their number, sum and sum of squares."""
    number, total, squares = tallies.number, tallies.total, tallies.squares
    for k in range(row.size):
        number[k] += 1.0 if row[k] == row[k] else 0.0
    for k in range(row.size):
        total[k] += np.float64(row[k]) if row[k] == row[k] else 0.0
    for k in range(row.size):
        squares[k] += np.float64(row[k]) * np.float64(row[k]) if row[k] == row[k] else 0.0


@compiled
def _widen(row: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Let the limits hold the differences."""
    for k in range(row.size):
        low[k] = row[k] if row[k] < low[k] else low[k]
    for k in range(row.size):
        high[k] = row[k] if row[k] > high[k] else high[k]


@compiled
def bracket(steps: np.ndarray, pixels: int, tallies: Tallies) -> None:
    """Write between which limits the median lies, also without the few largest, and how many are outside."""
    below, above = np.zeros(pixels, np.int32), np.zeros(pixels, np.int32)
    low, high = np.empty(pixels, np.float32), np.empty(pixels, np.float32)
    for k in range(pixels):
        mean, reach = tallies.total[k] / tallies.number[k], BRACKET * deviation(tallies, k) / np.sqrt(tallies.number[k])
        low[k], high[k] = mean - reach, mean + reach
    for j in range(steps.shape[0]):
        row = steps[j, :pixels]
        for k in range(pixels):
            below[k] += 1 if row[k] < low[k] else 0
            above[k] += 1 if row[k] > high[k] else 0
    for k in range(pixels):
        tallies.below[k], tallies.above[k] = below[k], above[k]
        holds = 2 * max(below[k], above[k]) < tallies.number[k] - 4
        tallies.median_from[k] = low[k] if holds else tallies.low[k]
        tallies.median_to[k] = high[k] if holds else tallies.high[k]


@compiled
def deviation(tallies: Tallies, k: int) -> float:
    """Return the standard deviation of the differences of a pixel."""
    mean = tallies.total[k] / tallies.number[k]
    return np.sqrt(max(tallies.squares[k] / tallies.number[k] - mean**2, 0.0))
