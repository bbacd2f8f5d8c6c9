"""Medians and percentiles of any amount of numbers in 8 MB: how many lie at each of a million places.

The places are floating-point numbers with eleven bits after the leading one. Whole numbers up to 4096 and zero are
exact; any other number is off by a part in 4096 at most, on either side. Counts add up, so nothing depends on how the
numbers were cut into pieces, nor on their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_KEPT = 11
_DROPPED = 23 - _KEPT
_HALF = np.uint32(1 << (_DROPPED - 1))
_SIGN = np.uint32(1 << 31)
_ZERO = 1 << (8 + _KEPT)
SIZE = 2 * _ZERO

TO_SIGMA = 1.4826
"""What the median absolute deviation of normal numbers is multiplied with to give their standard deviation."""


def none() -> np.ndarray:
    """Return the counts of no numbers, (SIZE,)."""
    return np.zeros(SIZE, np.int64)


def add(counts: np.ndarray, values: np.ndarray) -> None:
    """Count finite values, of any shape, into `counts`."""
    bits = (np.ravel(values).astype(np.float32) + np.float32(0)).view(np.uint32)
    size = (((bits & ~_SIGN) + _HALF) >> np.uint32(_DROPPED)).astype(np.int64)
    negative = (bits & _SIGN) != 0
    np.add.at(counts, np.where(negative, _ZERO - 1 - size, _ZERO + size), 1)


def occupied(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers that were counted, in order, and how many there were of each."""
    places = np.flatnonzero(counts)
    negative = places < _ZERO
    size = np.where(negative, _ZERO - 1 - places, places - _ZERO).astype(np.uint32) << np.uint32(_DROPPED)
    values = size.view(np.float32).astype(np.float64)
    return np.where(negative, -values, values), counts[places]


def without_zero(counts: np.ndarray) -> np.ndarray:
    """Return the counts of all numbers but 0."""
    others = counts.copy()
    others[_ZERO] = 0
    return others


def quantiles(counts: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Return the quantiles, between neighbours in proportion, as numpy does; NaN where nothing was counted."""
    return _quantiles(*occupied(counts), fractions)


def robust_sigma(counts: np.ndarray) -> float:
    """Return 1.4826 times the median absolute deviation from the median; NaN where nothing was counted."""
    values, numbers = occupied(counts)
    away = np.abs(values - _quantiles(values, numbers, [0.5])[0])
    order = np.argsort(away)
    return float(TO_SIGMA * _quantiles(away[order], numbers[order], [0.5])[0])


def _quantiles(values: np.ndarray, numbers: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    if not len(values):
        return np.full(len(fractions), np.nan)
    upto = np.cumsum(numbers)
    ranks = np.asarray(fractions, float) * (upto[-1] - 1)
    lower = values[np.searchsorted(upto, np.floor(ranks), side="right")]
    upper = values[np.searchsorted(upto, np.ceil(ranks), side="right")]
    return lower + (ranks - np.floor(ranks)) * (upper - lower)
