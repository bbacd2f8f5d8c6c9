"""Medians and outliers of the few numbers that one pixel has."""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import compiled


@compiled
def sort(values: np.ndarray, n: int) -> None:
    """Sort the first `n` values in place (Shell's method: fast for some tens of numbers, and soon compiled)."""
    gap = n
    while gap > 1:
        gap = 1 if gap < 5 else gap * 5 // 11
        for k in range(gap, n):
            value, j = values[k], k
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value


@compiled
def median_of_sorted(values: np.ndarray, first: int, last: int) -> float:
    """Return the median of values[first:last], NaN where there is none."""
    n = last - first
    if n == 0:
        return np.nan
    middle = first + n // 2
    return values[middle] if n % 2 else (values[middle - 1] + values[middle]) / 2


@compiled
def select(values: np.ndarray, n: int, k: int) -> None:
    """Bring the number that is k-th among the first `n` to its place, lower ones before it, higher ones behind it."""
    first, last = 0, n - 1
    while last > first:
        a, b, c = values[first], values[(first + last) // 2], values[last]
        pivot, low, high = max(min(a, b), min(max(a, b), c)), first, last
        while low <= high:
            while values[low] < pivot:
                low += 1
            while values[high] > pivot:
                high -= 1
            if low <= high:
                values[low], values[high] = values[high], values[low]
                low += 1
                high -= 1
        first, last = (first, high) if k <= high else (low if k >= low else k, last if k >= low else k)


@compiled
def median(values: np.ndarray, n: int) -> float:
    """Return the median of the first `n` numbers, NaN where there is none; they change places."""
    if n == 0:
        return np.nan
    k = n // 2
    select(values, n, k)
    if n % 2:
        return values[k]
    below = values[0]
    for j in range(1, k):
        below = max(below, values[j])
    return (below + values[k]) / 2


@compiled
def nanmedian(values: np.ndarray, room: np.ndarray) -> float:
    """Return the median of the numbers in `values` (n, m), NaN where there is none; `room` holds n m numbers."""
    n = 0
    for i in range(values.shape[0]):
        for g in range(values.shape[1]):
            if not np.isnan(values[i, g]):
                room[n] = values[i, g]
                n += 1
    return median(room, n)


@compiled
def clip_bounds(room: np.ndarray, n: int, limit: float) -> tuple[float, float]:
    """Return the bounds `limit` standard deviations around the median of the first `n` numbers of `room`.

    Both are those of what five rounds of clipping leave. The numbers are sorted in place.
    """
    sort(room, n)
    low, high, first, last = -np.inf, np.inf, 0, n
    for _ in range(5):
        if first == last:
            break
        reach, before = limit * _deviation(room, first, last), last - first
        middle = median_of_sorted(room, first, last)
        low, high = middle - reach, middle + reach
        while first < last and room[first] < low:
            first += 1
        while first < last and room[last - 1] > high:
            last -= 1
        if last - first == before:
            break
    return low, high


@compiled
def _deviation(values: np.ndarray, first: int, last: int) -> float:
    mean, square = 0.0, 0.0
    for k in range(first, last):
        mean += values[k] / (last - first)
    for k in range(first, last):
        square += (values[k] - mean) ** 2
    return np.sqrt(square / (last - first))
