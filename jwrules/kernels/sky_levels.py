"""The sky level of an image, and the levels that make overlapping images agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Sky:
    """How a sky level is measured: statistic, absolute limits, clipping in sigma, histogram bins in sigma."""

    statistic: str = "mode"
    lower: float | None = None
    upper: float | None = None
    clips: int = 5
    lower_sigma: float = 4.0
    upper_sigma: float = 4.0
    bin_width: float = 0.1

    def level(self, values: np.ndarray) -> tuple[float, int]:
        """Return the sky level of `values` and how many of them it stands on; (NaN, 0) where none is left."""
        kept = _clip(np.sort(values, axis=None), self)
        if not kept.size:
            return np.nan, 0
        return _STATISTICS[self.statistic](kept, self.bin_width * kept.std(dtype=np.float64)), kept.size


def _clip(ordered: np.ndarray, sky: Sky) -> np.ndarray:
    """Cut at the absolute limits, then `clips` times at so many sigma from the mean of what was left."""
    low = -np.inf if sky.lower is None else sky.lower
    high = np.inf if sky.upper is None else sky.upper
    kept = _between(ordered, low, high)
    for _ in range(sky.clips):
        if not kept.size:
            break
        mean, sigma = kept.mean(dtype=np.float64), kept.std(dtype=np.float64, ddof=min(1, kept.size - 1))
        kept = _between(ordered, max(low, mean - sky.lower_sigma * sigma), min(high, mean + sky.upper_sigma * sigma))
    return kept


def _between(ordered: np.ndarray, low: float, high: float) -> np.ndarray:
    return ordered[np.searchsorted(ordered, low, "left") : np.searchsorted(ordered, high, "right")]


def _mean(ordered: np.ndarray, width: float) -> float:
    return float(ordered.mean(dtype=np.float64))


def _median(ordered: np.ndarray, width: float) -> float:
    return float(np.median(ordered))


def _midpoint(ordered: np.ndarray, width: float) -> float:
    """The value with half of the histogram below it, interpolated inside its bin (IRAF imstatistics, midpt)."""
    counts, low = _histogram(ordered, width)
    below = np.concatenate([[0], np.cumsum(counts)]) / ordered.size
    k = int(np.searchsorted(below, 0.5, "left")) - 1
    return low + width * (k + (0.5 - below[k]) / (below[k + 1] - below[k]))


def _mode(ordered: np.ndarray, width: float) -> float:
    """The top of a parabola through the highest bin and its neighbours (IRAF imstatistics, mode)."""
    counts, low = _histogram(ordered, width)
    k = int(np.argmax(counts))
    if k in (0, len(counts) - 1):
        return low + width * (k + 0.5)
    left, right = counts[k] - counts[k - 1], counts[k] - counts[k + 1]
    shift = 0.5 * (left - right) / (left + right) if left + right else 0.0
    return low + width * (k + 0.5 + shift)


def _histogram(ordered: np.ndarray, width: float) -> tuple[np.ndarray, float]:
    low, span = float(ordered[0]), float(ordered[-1]) - float(ordered[0])
    if width <= 0 or width > span:
        return np.array([ordered.size]), low - 0.5 * width
    bins = ((ordered - low) / width).astype(np.int64)
    return np.bincount(bins), low


_STATISTICS: dict[str, Callable[[np.ndarray, float], float]] = {
    "mean": _mean,
    "median": _median,
    "midpt": _midpoint,
    "mode": _mode,
}


def match(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return for each of n images what must be subtracted so that overlapping ones agree; NaN where none overlaps.

    `levels[i, j]` (n, n) is the sky of image i where j overlaps it, `counts[i, j]` the pixels behind it. Every
    overlap is one equation s_i − s_j = level_ij − level_ji with the mean count as weight; of all solutions the one
    of least norm is returned. Source: JWST documentation, Sky Matching step, least squares of the differences.
    """
    first, second = np.nonzero(np.triu((counts > 0) & (counts.T > 0), 1))
    weights = 0.5 * (counts[first, second] + counts[second, first])
    equations = np.zeros((first.size, len(levels)))
    rows = np.arange(first.size)
    equations[rows, first], equations[rows, second] = weights, -weights
    differences = weights * (levels[first, second] - levels[second, first])
    solution = np.linalg.pinv(equations, rcond=1e-12) @ differences
    solution[~np.isin(np.arange(len(levels)), [first, second])] = np.nan
    return solution
