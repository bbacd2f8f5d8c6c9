"""Order statistics of many numbers, exact and without sorting them.

Numbers are put into buckets of ascending value, with the sums of each; a bucket is sorted only when a question
falls into it. Clipping then costs as much as a few look-ups, however many rounds it takes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.clipping import sort
from jwrules.kernels.compiled import compiled

BUCKETS, SAMPLE, ROUNDS = 1024, 1024, 5
BINS, FEW = 256, 32


class Buckets(NamedTuple):
    """Numbers by bucket: those of bucket b are values[starts[b]:starts[b + 1]].

    `sums` and `squares` are those of (value − pivot) over all buckets before b, `ordered` tells which are sorted;
    scale holds the lower end of bucket 1, the inverse width of a bucket, and the pivot.
    """

    values: np.ndarray
    starts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    ordered: np.ndarray
    scale: np.ndarray


@compiled
def gather(numbers: np.ndarray, n: int) -> Buckets:
    """Return the first `n` of `numbers` in buckets; none may be NaN."""
    scale = _scale(numbers, n)
    starts = np.zeros(BUCKETS + 1, np.int64)
    for k in range(n):
        starts[_bucket(numbers[k], scale) + 1] += 1
    for b in range(BUCKETS):
        starts[b + 1] += starts[b]
    values, at = np.empty(n, numbers.dtype), starts[:-1].copy()
    sums, squares = np.zeros(BUCKETS + 1), np.zeros(BUCKETS + 1)
    for k in range(n):
        b, excess = _bucket(numbers[k], scale), numbers[k] - scale[2]
        values[at[b]] = numbers[k]
        at[b] += 1
        sums[b + 1] += excess
        squares[b + 1] += excess * excess
    for b in range(BUCKETS):
        sums[b + 1] += sums[b]
        squares[b + 1] += squares[b]
    return Buckets(values, starts, sums, squares, np.zeros(BUCKETS, np.bool_), scale)


@compiled
def _scale(numbers: np.ndarray, n: int) -> np.ndarray:
    """Return where buckets begin, their inverse width, and a number in the middle, from a sample."""
    sample, stride = np.empty(SAMPLE), max(n // SAMPLE, 1)
    m = min(SAMPLE, (n + stride - 1) // stride)
    for k in range(m):
        sample[k] = numbers[k * stride]
    sort(sample, m)
    low, middle, high = sample[m // 6], sample[m // 2], sample[m - 1 - m // 6]
    reach = 4 * (high - low)
    inverse = BUCKETS / (2 * reach) if 0 < reach < np.inf else 0.0
    return np.array([middle - reach if inverse > 0 else 0.0, inverse, middle])


@compiled
def _bucket(number: float, scale: np.ndarray) -> int:
    return int(min(max((number - scale[0]) * scale[1], 0.0), BUCKETS - 1.0))


@compiled
def _order(b: int, buckets: Buckets) -> None:
    if not buckets.ordered[b]:
        part = buckets.values[buckets.starts[b] : buckets.starts[b + 1]]
        sort(part, part.size)
        buckets.ordered[b] = True


@compiled
def at(buckets: Buckets, k: int) -> float:
    """Return the number with `k` others before it."""
    b = int(np.searchsorted(buckets.starts, k, side="right")) - 1
    _order(b, buckets)
    return np.float64(buckets.values[k])


@compiled
def below(buckets: Buckets, bound: float, or_equal: bool) -> int:
    """Return how many numbers are below `bound`, or equal to it."""
    if not bound > -np.inf:
        return 0
    b = _bucket(bound, buckets.scale)
    _order(b, buckets)
    low, high = buckets.starts[b], buckets.starts[b + 1]
    while low < high:
        middle = (low + high) // 2
        value = buckets.values[middle]
        if value < bound or (or_equal and value == bound):
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def median(buckets: Buckets, first: int, last: int) -> float:
    """Return the median of the numbers from position `first` to before `last` in ascending order; NaN without any."""
    if first >= last:
        return np.nan
    return (at(buckets, (first + last - 1) // 2) + at(buckets, (first + last) // 2)) / 2


@compiled
def _sums(buckets: Buckets, k: int) -> tuple[float, float]:
    """Return the sums of the first `k` numbers, less the pivot, and of their squares."""
    b = int(np.searchsorted(buckets.starts, k, side="right")) - 1
    if b == BUCKETS:
        return buckets.sums[b], buckets.squares[b]
    _order(b, buckets)
    total, square = buckets.sums[b], buckets.squares[b]
    for i in range(buckets.starts[b], k):
        excess = buckets.values[i] - buckets.scale[2]
        total += excess
        square += excess * excess
    return total, square


@compiled
def moments(buckets: Buckets, first: int, last: int) -> tuple[float, float]:
    """Return mean and standard deviation of the numbers from position `first` to before `last`."""
    n = last - first
    if n <= 0:
        return np.nan, np.nan
    low, high = _sums(buckets, first), _sums(buckets, last)
    mean = (high[0] - low[0]) / n
    return mean + buckets.scale[2], np.sqrt(max((high[1] - low[1]) / n - mean * mean, 0.0))


@compiled
def clipped(buckets: Buckets, start: int, stop: int, limit: float) -> tuple[float, float, float]:
    """Return mean, median and deviation of the numbers start:stop that clipping leaves, `limit` σ about the median."""
    first, last = start, stop
    for _ in range(ROUNDS):
        middle, reach = median(buckets, first, last), limit * moments(buckets, first, last)[1]
        low = max(below(buckets, middle - reach, False), start)
        high = min(below(buckets, middle + reach, True), stop)
        unchanged = (low, high) == (first, last)
        first, last = low, high
        if unchanged or first >= last:
            break
    mean, deviation = moments(buckets, first, last)
    return mean, median(buckets, first, last), deviation


@compiled
def clipped_below(buckets: Buckets, start: int, stop: int, center: float, limit: float) -> float:
    """Return the deviation about `center` of the numbers at start:stop that are not above it, clipped at `limit` σ."""
    first, last, deviation = start, min(below(buckets, center, True), stop), 0.0
    pivot = buckets.scale[2] - center
    for _ in range(ROUNDS + 1):
        if first >= last:
            break
        low, high, n = _sums(buckets, first), _sums(buckets, last), last - first
        square = high[1] - low[1] + 2 * pivot * (high[0] - low[0]) + n * pivot * pivot
        deviation = np.sqrt(max(square / n, 0.0))
        kept = max(below(buckets, center - limit * deviation, False), start)
        if kept == first:
            break
        first = kept
    return deviation


@compiled
def median_of(values: np.ndarray, n: int, counts: np.ndarray) -> float:
    """Return the median of the first `n` values, NaN without any; they are lost. `counts` has room for BINS numbers."""
    if n == 0:
        return np.nan
    rank, extra = (n - 1) // 2, n // 2 - (n - 1) // 2
    while n > FEW:
        low, high = values[0], values[0]
        for k in range(n):
            low, high = min(low, values[k]), max(high, values[k])
        scale = np.float32(BINS) / (high - low) if high > low else np.float32(0)
        if not 0 < scale < np.inf:
            break
        kept, before = _narrow(values, n, low, scale, rank, extra, counts)
        if kept == n:
            break
        n, rank = kept, rank - before
    sort(values, n)
    return (values[rank] + values[rank + extra]) / 2


@compiled
def _narrow(
    values: np.ndarray, n: int, low: float, scale: np.floating, rank: int, extra: int, counts: np.ndarray
) -> tuple[int, int]:
    """Keep the values of the bins that hold the ranks wanted, in front; return how many, and how many came before."""
    counts[:] = 0
    top = np.float32(BINS - 1)
    for k in range(n):
        counts[int(min((values[k] - low) * scale, top))] += 1
    before, first = 0, 0
    while before + counts[first] <= rank:
        before += counts[first]
        first += 1
    upto, last = before + counts[first], first
    while upto <= rank + extra:
        last += 1
        upto += counts[last]
    kept = 0
    for k in range(n):
        bin_of = int(min((values[k] - low) * scale, top))
        if first <= bin_of <= last:
            values[kept] = values[k]
            kept += 1
    return kept, before
