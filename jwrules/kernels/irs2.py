"""Take off a frame what its reference output and its interleaved reference pixels have in common with it.

Each integration is judged by the deviations from its mean. A straight line in time, fitted to the first and the last
four lines of each output, goes first. Then the series that the reference output and the reference pixels of an
output give in time are weighted wave by wave, and their sum is taken off the pixels of that output.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.irs2_gaps import Filling, bridge
from jwrules.kernels.irs2_layout import OUTPUTS, Layout
from jwrules.kernels.irs2_spectrum import combine, slow_and_alternating, transform_of

EDGE = 4


class _Samples(NamedTuple):
    """Which samples make a series: `at` which time, of which two rows (the mean), read at which time."""

    at: np.ndarray
    rows: np.ndarray
    read: np.ndarray


class _Frames(NamedTuple):
    """The frames (n, rows, lines) of an integration, the mean of its blind rows, and `slot`, where a row's mean is."""

    data: np.ndarray
    mean: np.ndarray
    slot: np.ndarray


class Correction:
    """The correction of frames of one layout.

    `taken` (rows, 2) are the rows whose mean stands for each row; `weights` the complex weights of all waves, of the
    reference output and of the pixels, for each amplifier. With `keep` the blind rows stay.
    """

    def __init__(
        self, layout: Layout, taken: np.ndarray, weights: Iterable[Iterable[np.ndarray]], *, keep: bool
    ) -> None:
        self.layout, self.taken, self.keep = layout, taken, keep
        self.kept = np.arange(layout.rows) if keep else layout.light
        self._transform = transform_of(layout.period, layout.lines)
        passed = slow_and_alternating(layout.period, layout.lines, layout.normal + layout.reference + 2)
        self._filling = Filling(layout.time[~layout.is_reference], passed)
        self._output, self._pixels = ([self._transform.weights(one) for one in each] for each in weights)

    def apply(self, data: np.ndarray) -> np.ndarray:
        """Return the frames (nints, n, rows, lines) after correction, those rows that are kept, in the same memory."""
        result = _in_memory_of(data, self.kept)
        for integration, corrected in zip(data, result, strict=True):
            for number, frame in enumerate(self._frames(integration)):
                corrected[number] = frame
                del frame  # the next one needs as much memory
        return result

    def _frames(self, data: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the frames of an integration after correction; those that were yielded may be overwritten."""
        slot = np.searchsorted(self.layout.blind, np.arange(self.layout.rows))
        frames = _Frames(data, _means(data, self.layout.blind), slot)
        lines = _straight_lines(data, self.taken, self.layout)
        for number in range(len(data)):
            yield self._frame(number, frames, lines[number])

    def _frame(self, number: int, frames: _Frames, lines: np.ndarray) -> np.ndarray:
        layout, transform = self.layout, self._transform
        result = np.empty((self.kept.size, layout.lines), np.float32)
        half = transform.over_lines(self._bridged(number, frames, lines[0]))
        self._filling.fill(half)
        common = transform.within_lines(half, in_place=not self.keep)
        if self.keep:
            _put_back(result, 0, frames, transform.series(half), layout)
        for output in range(1, OUTPUTS):
            self._correct(number, frames, output, lines[output], common, result)
        return result

    def _bridged(self, number: int, frames: _Frames, line: np.ndarray) -> np.ndarray:
        """Return the series of the reference output, with something in its gaps."""
        series = self._series(number, frames, _all_of(0, self.taken, self.layout), line)
        bridge(series, _missing(self.taken, self.layout))
        return series

    def _correct(
        self, number: int, frames: _Frames, output: int, line: np.ndarray, common: np.ndarray, result: np.ndarray
    ) -> None:
        """Write the rows of an output into `result`; `common` is the transform of the reference output."""
        layout, transform = self.layout, self._transform
        half = transform.over_lines(self._series(number, frames, _reference_of(output, self.taken, layout), line))
        spectrum = transform.within_lines(half, in_place=True)
        combine(spectrum, self._pixels[output - 1], common, self._output[output - 1])
        excess = transform.series(transform.half_of(spectrum))
        _subtract(number, frames, output, line, excess, layout, result)
        if self.keep:
            everything = self._series(number, frames, _all_of(output, self.taken, layout), line)
            _put_back(result, output, frames, everything - excess, layout)

    def _series(self, number: int, frames: _Frames, samples: _Samples, line: np.ndarray) -> np.ndarray:
        """Return the deviations of a frame from the mean and from the straight line, (period, lines); 0 elsewhere."""
        layout = self.layout
        series = np.zeros((layout.period, layout.lines), np.float32)
        level = line[0] + line[1] * _middle(samples.read, layout)
        per_line = line[1] * layout.period * layout.lines_in_time()
        step = -1 if layout.backwards else 1
        data = as_input(frames.data[number])
        over_rows(_gather, len(samples.at), data, frames.mean, frames.slot, samples, level, per_line, step, series)
        return series


def packed(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return these rows, in ascending order, of an array (nints, n, rows, lines), in the same memory."""
    result = _in_memory_of(array, rows)
    for integration, kept in zip(array, result, strict=True):
        for number, frame in enumerate(integration):
            kept[number] = frame[rows]
    return result


def _in_memory_of(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return an array of frames with fewer rows at the start of the memory of another.

    No frame of it reaches beyond the same frame of the other.
    """
    shape = (*array.shape[:2], rows.size, array.shape[3])
    return array.reshape(-1)[: math.prod(shape)].reshape(shape)


def _means(data: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean (k, lines) over the frames of these rows."""
    mean = np.empty((rows.size, data.shape[2]), np.float32)
    over_rows(_mean, rows.size, as_input(data), rows, mean)
    return mean


@compiled
def _mean(start: int, stop: int, data: np.ndarray, rows: np.ndarray, mean: np.ndarray) -> None:
    total = np.empty(data.shape[2])
    for k in range(start, stop):
        total[:] = 0.0
        for g in range(data.shape[0]):
            row = data[g, rows[k]]
            for y in range(row.size):
                total[y] += row[y]
        for y in range(total.size):
            mean[k, y] = total[y] / data.shape[0]


def _straight_lines(data: np.ndarray, taken: np.ndarray, layout: Layout) -> np.ndarray:
    """Return level at the middle of the frame and slope (n, 5, 2) of what the ends of each output do in time."""
    lines = np.r_[:EDGE, layout.lines - EDGE : layout.lines]
    edge = data[:, :, lines].astype(np.float64)
    edge = (edge[:, taken[:, 0]] + edge[:, taken[:, 1]]) / 2
    edge -= edge.mean(axis=0)
    result = np.empty((len(data), OUTPUTS, 2))
    for output, rows in enumerate(layout.row):
        known = taken[rows, 0] >= 0
        time = _middle(layout.time[known, np.newaxis] + layout.period * layout.lines_in_time()[lines], layout).ravel()
        values = edge[:, rows[known]].reshape(len(data), -1)
        away = time - time.mean()
        slope = values @ away / (away @ away)
        result[:, output] = np.stack([values.mean(axis=1) - slope * time.mean(), slope], axis=1)
    return result


def _middle(time: np.ndarray, layout: Layout) -> np.ndarray:
    """Return time from the middle of the frame."""
    return time - (layout.period * layout.lines - 1) / 2


def _all_of(output: int, taken: np.ndarray, layout: Layout) -> _Samples:
    """Return what an output reads, each pixel at its time."""
    return _Samples(layout.time, taken[layout.row[output]], layout.time)


def _reference_of(output: int, taken: np.ndarray, layout: Layout) -> _Samples:
    """Return the reference pixels of an output, spread over the times that they stand for."""
    at, which = layout.spread
    return _Samples(at, taken[layout.row[output][which]], layout.time[which])


def _missing(taken: np.ndarray, layout: Layout) -> np.ndarray:
    """Return at which times (period,) the reference output has no value."""
    missing = np.ones(layout.period, bool)
    missing[layout.time] = taken[layout.row[0], 0] < 0
    return missing


@compiled
def _gather(
    start: int,
    stop: int,
    data: np.ndarray,
    mean: np.ndarray,
    slot: np.ndarray,
    samples: _Samples,
    level: np.ndarray,
    per_line: np.ndarray,
    step: int,
    series: np.ndarray,
) -> None:
    for k in range(start, stop):
        one, other = samples.rows[k, 0], samples.rows[k, 1]
        if one < 0:
            continue
        a, b, mean_a, mean_b = data[one], data[other], mean[slot[one]], mean[slot[other]]
        row = series[samples.at[k]]
        first = 0 if step > 0 else row.size - 1
        for y in range(row.size):
            deviation = ((a[y] - mean_a[y]) + (b[y] - mean_b[y])) * np.float32(0.5)
            row[first + step * y] = deviation - (level[k] + per_line[y])


def _subtract(
    number: int,
    frames: _Frames,
    output: int,
    line: np.ndarray,
    excess: np.ndarray,
    layout: Layout,
    result: np.ndarray,
) -> None:
    """Write the light of an output without its excess (period, lines) into the result."""
    rows, times = layout.row[output][~layout.is_reference], layout.time[~layout.is_reference]
    into = rows if len(result) == layout.rows else np.searchsorted(layout.light, rows)
    level = line[0] + line[1] * _middle(times, layout)
    per_line = line[1] * layout.period * layout.lines_in_time()
    step = -1 if layout.backwards else 1
    data = as_input(frames.data[number])
    over_rows(_subtract_rows, rows.size, data, rows, times, level, per_line, step, excess, into, result)


@compiled
def _subtract_rows(
    start: int,
    stop: int,
    data: np.ndarray,
    rows: np.ndarray,
    times: np.ndarray,
    level: np.ndarray,
    per_line: np.ndarray,
    step: int,
    excess: np.ndarray,
    into: np.ndarray,
    result: np.ndarray,
) -> None:
    for k in range(start, stop):
        counts, over, row = data[rows[k]], excess[times[k]], result[into[k]]
        first = 0 if step > 0 else row.size - 1
        for y in range(row.size):
            row[y] = counts[y] - (level[k] + per_line[y] + over[first + step * y])


def _put_back(result: np.ndarray, output: int, frames: _Frames, series: np.ndarray, layout: Layout) -> None:
    """Write a series (period, lines) into the rows of its output that see no light.

    Those of the reference output have their mean again.
    """
    wanted = np.ones(layout.width, bool) if output == 0 else layout.is_reference
    rows = layout.row[output][wanted]
    values = series[layout.time[wanted]][:, layout.lines_in_time()]
    result[rows] = values + frames.mean[frames.slot[rows]] if output == 0 else values
