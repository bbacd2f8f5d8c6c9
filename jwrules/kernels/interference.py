"""Waves that the readout picks up: each pixel sees them at the phase of the moment in which it is read.

Four outputs are read together, so that columns 4 k to 4 k + 3 are read at the same time. Times are in ticks of the
pixel clock. Everything is measured from the first pixel of an integration's first group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows

OUTPUTS = 4


class Clock(NamedTuple):
    """Ticks from a pixel to the next, from a row to the next, from a group to the next; extra ticks per integration."""

    pixel: float
    row: float
    group: float
    integration: float


class Wave(NamedTuple):
    """One period of a wave: its length in ticks, and a table that phase times `steps` is the index of."""

    period: float
    table: np.ndarray
    steps: float


def starts(clock: Clock, period: float, nints: int, ngroups: int) -> np.ndarray:
    """Return the phase, in periods, at which each integration starts, (nints,); the first one at 0."""
    ticks = clock.group * ngroups + clock.integration
    return np.arange(nints) * (ticks / period % 1) % 1


def subtract(integration: np.ndarray, clock: Clock, wave: Wave, start: float, corner: tuple[int, int] = (0, 0)) -> None:
    """Take a wave, with the phase `start` at the first pixel, off an integration (ngroups, ny, nx) in place.

    `corner` is row and column of the first pixel that is given, of those that were read.
    """
    table = as_input(wave.table)
    over_rows(_subtract, integration.shape[1], integration, clock, wave.period, table, wave.steps, start, *corner)


@compiled
def _subtract(
    first: int,
    stop: int,
    integration: np.ndarray,
    clock: Clock,
    period: float,
    table: np.ndarray,
    steps: float,
    start: float,
    top: int,
    left: int,
) -> None:
    ngroups, _, nx = integration.shape
    for g in range(ngroups):
        for y in range(first, stop):
            row, begin = integration[g, y], start + (g * clock.group + (top + y) * clock.row) / period
            for k in range(left // OUTPUTS, (left + nx - 1) // OUTPUTS + 1):
                value = table[int(_fraction(begin + k * clock.pixel / period) * steps)]
                for x in range(max(OUTPUTS * k - left, 0), min(OUTPUTS * (k + 1) - left, nx)):
                    row[x] -= value


@compiled
def _fraction(turns: float) -> float:
    rest = turns - np.floor(turns)
    return rest if rest < 1 else 0.0


@compiled
def phase_indices(clock: Clock, period: float, start: float, rows: int, columns: int, bins: int) -> np.ndarray:
    """Return in which of `bins` parts of the period each pixel (rows, columns) of an output is read in one group."""
    result = np.empty((rows, columns), np.int32)
    for y in range(rows):
        for k in range(columns):
            result[y, k] = int(_fraction(start + (y * clock.row + k * clock.pixel) / period) * bins)
    return result
