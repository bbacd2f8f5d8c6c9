"""Arrays beside the science array: which pixels differ, and the ratio of errors, variances, weights."""

from __future__ import annotations

import math

import numpy as np

from jwrules.kernels import distribution
from jwrules.report.comparison.opened import Key, Opened, boxes, called, piece
from jwrules.report.comparison.results import Array
from jwrules.report.comparison.tally import Tally, place


def compare(key: Key, a: Opened, b: Opened, tolerance: float) -> Array:
    """Return how an array differs; a difference up to the fraction `tolerance` of B is none.

    Whole numbers (labels, contexts) have no ratio, nor have arrays of different shapes: of these all pixels differ.
    """
    if a.arrays[key].shape != b.arrays[key].shape:
        pixels = max(math.prod(file.arrays[key].shape) for file in (a, b))
        return Array(called(key), pixels, pixels, math.nan, math.nan, math.nan, math.nan, None)
    whole = a.arrays[key].dtype.kind != "f"
    pixels, differ, ratios, first = 0, 0, Tally(), None
    for box in boxes(a.arrays[key].shape):
        one, two = piece(a.arrays[key], box), piece(b.arrays[key], box)
        apart = _apart(one, two, tolerance)
        pixels, differ = pixels + apart.size, differ + int(np.count_nonzero(apart))
        if whole and first is None and apart.any():
            first = place(box, int(np.argmax(apart)))
        elif not whole:
            logarithms = _log_ratio(one, two)
            ratios.add(box, logarithms, np.ones(one.shape, bool))
    median, low, high = np.exp(distribution.quantiles(ratios.counts, [0.5, 0.05, 0.95]))
    return Array(
        called(key),
        pixels,
        differ,
        float(median),
        float(low),
        float(high),
        float(np.exp(ratios.largest)),
        first if whole else ratios.where if ratios.largest else None,
    )


def _apart(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Return which pixels differ; two without value (NaN) do not."""
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= tolerance * np.abs(b)
    return ~((a == b) | near | ((a != a) & (b != b)))


def _log_ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ln(a / b), NaN where it is not a number."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        logarithm = np.log(np.asarray(a / b, float))
    return np.where(np.isfinite(logarithm), logarithm, np.nan)
