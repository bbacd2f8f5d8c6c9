"""Polynomials that map counts as read to counts that are proportional to the light, and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows

PIXELS = 512
"""How many pixels of a row are corrected at once: their coefficients stay in the cache."""

APART = 16
"""By how many numbers rows of coefficients are longer than those of pixels, lest they compete for one place there."""


class Polynomials(NamedTuple):
    """Coefficients (ncoeffs, ny, nx), lowest order first, and for which pixels (ny, nx) they serve.

    For the others the identity takes their place.
    """

    coeffs: np.ndarray
    usable: np.ndarray


def linearize(data: np.ndarray, flags: np.ndarray, left: int, polynomials: Polynomials) -> None:
    """Apply polynomials to `data` (nints, ngroups, ny, nx) in place.

    Groups with a bit of `left` in `flags` are left as they are.
    """
    over_rows(_linearize, data.shape[2], data, as_input(flags), np.uint8(left), _as_input(polynomials))


def _as_input(polynomials: Polynomials) -> Polynomials:
    return Polynomials(*map(as_input, polynomials))


@compiled
def _linearize(start: int, stop: int, data: np.ndarray, flags: np.ndarray, left: int, polynomials: Polynomials) -> None:
    nints, ngroups, _, nx = data.shape
    terms, result = np.empty((polynomials.coeffs.shape[0], nx + APART), np.float32), np.empty(PIXELS, np.float32)
    for y in range(start, stop):
        _copy(polynomials, y, 0, nx, terms)
        for i in range(nints):
            for g in range(ngroups):
                for first in range(0, nx, PIXELS):
                    values, bits = data[i, g, y, first : first + PIXELS], flags[i, g, y, first : first + PIXELS]
                    _evaluate(terms, first, values, result)
                    _replace(values, result, bits, left)


@compiled
def _copy(polynomials: Polynomials, y: int, first: int, pixels: int, terms: np.ndarray) -> None:
    """Copy the coefficients of some pixels of a row side by side; their planes compete for one place in the cache."""
    good = polynomials.usable[y, first : first + pixels]
    for power in range(len(terms)):
        plane, term = polynomials.coeffs[power, y, first : first + pixels], terms[power, :pixels]
        identity = np.float32(1 if power == 1 else 0)
        for k in range(pixels):
            term[k] = plane[k] if good[k] else identity


@compiled
def _replace(values: np.ndarray, result: np.ndarray, bits: np.ndarray, left: int) -> None:
    """Write `result` into `values`, but where `bits` have one of `left`; mostly none has."""
    found = np.uint8(0)
    for k in range(values.size):
        found |= bits[k]
    if found & left:
        for k in range(values.size):
            values[k] = values[k] if bits[k] & left else result[k]
    else:
        for k in range(values.size):
            values[k] = result[k]


@compiled
def _evaluate(terms: np.ndarray, first: int, values: np.ndarray, result: np.ndarray) -> None:
    """Write polynomials (two or more coefficients, all pixels), from the `first` on, at `values` into `result`.

    Term after term for all values: this is what compiles to vector instructions.
    """
    order, pixels = terms.shape[0] - 1, values.size
    highest, next_one = terms[order, first : first + pixels], terms[order - 1, first : first + pixels]
    for k in range(pixels):
        result[k] = highest[k] * values[k] + next_one[k]
    for power in range(order - 2, -1, -1):
        term = terms[power, first : first + pixels]
        for k in range(pixels):
            result[k] = result[k] * values[k] + term[k]


def linearize_frames(
    data: np.ndarray, flags: np.ndarray, left: int, polynomials: Polynomials, inverse: Polynomials, frames: int
) -> None:
    """Apply the polynomials to the `frames` frames that each group of `data` averages, in place.

    The mean of a curved response is not the response to the mean. So the frames of a group are predicted from a
    straight line through the first group and the last one but one that is free of `left` in `flags`, bent by the
    `inverse` polynomials, shifted to the mean that was read, made straight again one by one, and averaged.
    """
    inputs = as_input(flags), left, _as_input(polynomials), _as_input(inverse), frames
    over_rows(_linearize_frames, data.shape[2], data, *inputs)


@compiled
def _linearize_frames(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    left: int,
    polynomials: Polynomials,
    inverse: Polynomials,
    frames: int,
) -> None:
    nints, _, _, nx = data.shape
    lines, bent = np.empty((2, PIXELS), np.float32), np.empty((frames, PIXELS), np.float32)
    mean, value, total = np.empty(PIXELS, np.float32), np.empty(PIXELS, np.float32), np.empty(PIXELS, np.float32)
    straight = np.empty((polynomials.coeffs.shape[0], PIXELS), np.float32)
    curved = np.empty((inverse.coeffs.shape[0], PIXELS), np.float32)
    for y in range(start, stop):
        for first in range(0, nx, PIXELS):
            pixels = min(PIXELS, nx - first)
            _copy(polynomials, y, first, pixels, straight)
            _copy(inverse, y, first, pixels, curved)
            for i in range(nints):
                _straight_lines(data[i], flags[i], left, straight, frames, y, first, pixels, lines, value)
                for g in range(data.shape[1]):
                    _bend(curved, pixels, g, lines, bent, mean, value)
                    _straighten(straight, data[i, g, y, first : first + pixels], bent, mean, value, total)
                    counts = data[i, g, y, first : first + pixels]
                    _replace(counts, total, flags[i, g, y, first : first + pixels], left)


@compiled
def _straight_lines(
    data: np.ndarray,
    flags: np.ndarray,
    left: int,
    terms: np.ndarray,
    frames: int,
    y: int,
    first: int,
    pixels: int,
    lines: np.ndarray,
    value: np.ndarray,
) -> None:
    """Write the linear first group and the counts per frame up to the usable group before the last into `lines`."""
    last = np.empty(pixels, np.int64)
    for k in range(pixels):
        usable = 0
        for g in range(data.shape[0]):
            usable += not flags[g, y, first + k] & left
        last[k] = max(usable - 1, 2) - 1
    for k in range(pixels):
        value[k] = data[0, y, first + k]
    _evaluate(terms, 0, value[:pixels], lines[0])
    for k in range(pixels):
        lines[0, k] = value[k] if flags[0, y, first + k] & left else lines[0, k]
        value[k] = data[last[k], y, first + k]
    _evaluate(terms, 0, value[:pixels], lines[1])
    for k in range(pixels):
        end = value[k] if flags[last[k], y, first + k] & left else lines[1, k]
        lines[1, k] = (end - lines[0, k]) / (last[k] * frames)


@compiled
def _bend(
    terms: np.ndarray,
    pixels: int,
    g: int,
    lines: np.ndarray,
    bent: np.ndarray,
    mean: np.ndarray,
    value: np.ndarray,
) -> None:
    """Write what the detector makes of each frame of group g on the straight lines into `bent`, and their means."""
    frames, share = len(bent), np.float32(1 / len(bent))
    start, rate = lines[0, :pixels], lines[1, :pixels]
    for k in range(pixels):
        mean[k] = 0.0
    for f in range(frames):
        since_middle_of_first_group, one = np.float32(g * frames + f - (frames - 1) / 2), bent[f, :pixels]
        for k in range(pixels):
            value[k] = start[k] + rate[k] * since_middle_of_first_group
        _evaluate(terms, 0, value[:pixels], one)
        for k in range(pixels):
            mean[k] += one[k] * share


@compiled
def _straighten(
    terms: np.ndarray,
    counts: np.ndarray,
    bent: np.ndarray,
    mean: np.ndarray,
    value: np.ndarray,
    total: np.ndarray,
) -> None:
    """Write the mean of the frames, shifted to the counts that were read and made straight, into `total`."""
    frames, share, pixels = len(bent), np.float32(1 / len(bent)), counts.size
    for k in range(pixels):
        mean[k] = counts[k] - mean[k]
        total[k] = 0.0
    for f in range(frames):
        straight = bent[f, :pixels]
        for k in range(pixels):
            value[k] = straight[k] + mean[k]
        _evaluate(terms, 0, value[:pixels], straight)
        for k in range(pixels):
            total[k] += straight[k] * share
