"""Reference pixels among the light that are not to be trusted, and what is taken in their place.

A pixel is read twice in a row: two rows of the frame are a pair. Suspect is a pair whose mean, scatter or difference is
far above that of the others of its output.
"""

from __future__ import annotations

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.irs2_layout import OUTPUTS, Layout

PASSES = 5
NOTHING = -1


def suspects(frames: np.ndarray, layout: Layout, known: np.ndarray, limit: float) -> np.ndarray:
    """Return which rows (rows,) of `frames` (n, rows, lines) hold suspect pixels, beyond `limit` σ, or are `known`."""
    pairs = np.flatnonzero(layout.interleaved)[::2]
    measured = np.empty((pairs.size, 3))
    over_rows(_measure, pairs.size, as_input(frames), pairs, measured)
    bad = known & layout.interleaved
    for members in np.split(np.arange(pairs.size), OUTPUTS):
        members = members[~(known[pairs[members]] | known[pairs[members] + 1])]
        high = np.any([_far_above(values, limit) for values in measured[members].T], axis=0)
        bad[pairs[members[high]]] = bad[pairs[members[high]] + 1] = True
    return bad


@compiled
def _measure(start: int, stop: int, frames: np.ndarray, pairs: np.ndarray, measured: np.ndarray) -> None:
    """Write difference, mean and scatter of each pair of rows."""
    n = frames.shape[0] * frames.shape[2]
    for k in range(start, stop):
        apart, total, square, origin = 0.0, 0.0, 0.0, np.float64(frames[0, pairs[k], 0])
        for g in range(frames.shape[0]):
            one, other = frames[g, pairs[k]], frames[g, pairs[k] + 1]
            for y in range(one.size):
                a, b = one[y] - origin, other[y] - origin
                apart += abs(b - a)
                total += a + b
                square += a * a + b * b
        mean = total / (2 * n)
        measured[k, 0] = apart / n
        measured[k, 1] = origin + mean
        measured[k, 2] = np.sqrt(max(square / (2 * n) - mean * mean, 0.0))


def _far_above(values: np.ndarray, limit: float) -> np.ndarray:
    """Return which values are `limit` σ above the mean, both after clipping around the median."""
    kept = values
    for _ in range(PASSES):
        if kept.size == 0:
            break
        inside = np.abs(kept - np.median(kept)) <= limit * np.std(kept)
        if inside.all():
            break
        kept = kept[inside]
    if kept.size == 0:
        return np.zeros(values.shape, bool)
    return np.asarray(values - np.mean(kept) > limit * np.std(kept))


def listed(output: np.ndarray, odd_even: np.ndarray, mask: np.ndarray, layout: Layout) -> np.ndarray:
    """Return which rows (rows,) a list of bad reference pixels names.

    Bit k of `mask` is the k-th step of an output (1 to 4) in the order of the detector's columns, `odd_even` (1 or 2)
    the half of that step in the order of time.
    """
    bad = np.zeros(layout.rows, bool)
    for number, half, bits in zip(output, odd_even, mask, strict=True):
        second = (int(half) == 2) != (int(number) % 2 == 0)
        for step in (k for k in range(layout.steps) if int(bits) >> k & 1):
            first = int(number) * layout.width + layout.normal // 2 + step * (layout.normal + layout.reference)
            first += 2 * second
            bad[first : first + 2] = True
    return bad[::-1] if layout.backwards else bad


def replacements(bad: np.ndarray, layout: Layout) -> np.ndarray:
    """Return for each row the two rows (rows, 2) whose mean is taken for it: for a good one itself, twice.

    For a bad one it is the same pixel of the steps before and after, or the one of them that is good; failing those the
    other half of its own step; failing that NOTHING.
    """
    taken = np.repeat(np.arange(layout.rows)[:, np.newaxis], 2, axis=1)
    for row in np.flatnonzero(bad & layout.interleaved).tolist():
        far, near = layout.normal + layout.reference, 2
        good = [r for r in (row - far, row + far) if _serves(r, row, bad, layout)]
        good = good or [r for r in (row - near, row + near) if _serves(r, row, bad, layout)][:1]
        taken[row] = (good[0], good[-1]) if good else NOTHING
    return taken


def _serves(row: int, wanted: int, bad: np.ndarray, layout: Layout) -> bool:
    same_output = 0 <= row < layout.rows and row // layout.width == wanted // layout.width
    return bool(same_output and layout.interleaved[row] and not bad[row])
