"""Values for the times of a line at which the reference output of IRS2 frames is not read.

At first what is around in time stands in, then the slow part of the series, and that which alternates from pixel to
pixel. Series and transforms as in `irs2_spectrum`.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import compiled, over_rows

REACH = 16
"""Half the length of the bell, in pixels, with which gaps are filled at first."""
ROUNDS = 3
"""How often gaps are filled again with what the filter passes."""
COLUMNS = 128
"""Columns of a transform that are filled at once."""


def bridge(series: np.ndarray, missing: np.ndarray) -> None:
    """Write what is around in time, weighted by half a wave of a sine, where a series (period, lines) has no value."""
    bell = np.sin(np.pi * np.arange(1, 2 * REACH) / (2 * REACH)).astype(np.float32)
    over_rows(_bridge_rows, series.shape[0], series, missing, bell)


@compiled
def _bridge_rows(start: int, stop: int, series: np.ndarray, missing: np.ndarray, bell: np.ndarray) -> None:
    period, lines = series.shape
    for time in range(start, stop):
        if not missing[time]:
            continue
        row, total = series[time], np.float32(0)
        row[:] = 0
        for k in range(bell.size):
            other = time + k - bell.size // 2
            shift = other // period
            if not missing[other - shift * period]:
                total += bell[k]
                around = series[other - shift * period]
                for y in range(max(0, -shift), min(lines, lines - shift)):
                    row[y] += bell[k] * around[y + shift]
                if shift < 0:
                    row[0] += bell[k] * around[lines - 1]
                elif shift > 0:
                    row[lines - 1] += bell[k] * around[0]
        if total > 0:
            for y in range(lines):
                row[y] /= total


class Filling:
    """Values for what a series does not hold, from the part of it that a filter lets through.

    `held` are the times of a line that are read; `passed` is the filter of a transform (period, lines // 2 + 1). Few
    waves pass, and few times are to be filled, so that their products cost less than whole transforms.
    """

    def __init__(self, held: np.ndarray, passed: np.ndarray) -> None:
        period = len(passed)
        waves = np.flatnonzero(passed.any(axis=1))
        turns = np.exp(-2j * np.pi * (np.outer(waves, np.arange(period)) % period) / period)
        self._held, self._missing = held, np.setdiff1d(np.arange(period), held)
        self._passed, self._of_held = passed[waves], turns[:, held].astype(np.complex64)
        of_missing = turns[:, self._missing]
        self._of_missing = of_missing.astype(np.complex64)
        self._back = (of_missing.conj().T / period).astype(np.complex64)

    def fill(self, half: np.ndarray) -> None:
        """Fill the first half of a transform over lines, in place, `ROUNDS` times over."""
        over_rows(self._fill, -(-half.shape[1] // COLUMNS), half)

    def _fill(self, start: int, stop: int, half: np.ndarray) -> None:
        """Fill columns, always as many at once, so that the sums do not depend on the number of threads."""
        for k in range(start, stop):
            columns = slice(k * COLUMNS, (k + 1) * COLUMNS)
            constant, missing = self._of_held @ half[self._held, columns], half[self._missing, columns]
            for _ in range(ROUNDS):
                missing = self._back @ ((self._of_missing @ missing + constant) * self._passed[:, columns])
            half[self._missing, columns] = missing
