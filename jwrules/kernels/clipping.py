"""Medians and outliers of the few numbers that one pixel has."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import inner


@inner
def sort(values: np.ndarray, n: int) -> None:
    """Sort the first `n` values in place."""
    if n > 40:
        values[:n] = np.sort(values[:n])
        return
    for k in range(1, n):
        value, j = values[k], k - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@inner
def median_of_sorted(values: np.ndarray, n: int) -> float:
    """Return the median of the first `n` values, NaN where there is none."""
    if n == 0:
        return np.nan
    return values[n // 2] if n % 2 else (values[n // 2 - 1] + values[n // 2]) / 2


@inner
def nanmedian(values: np.ndarray, room: np.ndarray) -> float:
    """Return the median of the numbers in `values` (n, m), NaN where there is none; `room` holds n m numbers."""
    n = 0
    for i in range(values.shape[0]):
        for g in range(values.shape[1]):
            if not np.isnan(values[i, g]):
                room[n] = values[i, g]
                n += 1
    sort(room, n)
    return median_of_sorted(room, n)


@inner
def clip_outliers(values: np.ndarray, limit: float, outliers: np.ndarray, room: np.ndarray) -> bool:
    """Mark in `outliers` the numbers further than `limit` standard deviations from the median; return whether any is.

    Median and deviation are those of what five rounds leave. `room` has place for all values.
    """
    n = 0
    for i in range(values.size):
        if not np.isnan(values[i]):
            room[n] = values[i]
            n += 1
    sort(room, n)
    low, high, first, last = -np.inf, np.inf, 0, n
    for _ in range(5):
        if last == first:
            break
        kept = room[first:last]
        middle, deviation = median_of_sorted(kept, kept.size), np.std(kept)
        low, high = middle - limit * deviation, middle + limit * deviation
        before = last - first
        while first < last and room[first] < low:
            first += 1
        while last > first and room[last - 1] > high:
            last -= 1
        if last - first == before:
            break
    found = False
    for i in range(values.size):
        outliers[i] = values[i] < low or values[i] > high
        found |= outliers[i]
    return found
