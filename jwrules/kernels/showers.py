"""Showers: faint, extended events in which many neighbouring pixels rise by less than any of them would tell.

How much a difference of groups deviates from the median one of its pixel, in units of its noise, is averaged over a
ring around each pixel; a large region above a threshold is a shower. Pixels whose rate would change by more than a
shower can explain keep the flags that they had. Source: JWST documentation, CALWEBB_DETECTOR1, jump detection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.clipping import clip_bounds, median_of_sorted, nanmedian, sort
from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.ellipses import Shape, shapes

CLIP = 5.0


class Rules(NamedTuple):
    """What makes a shower and how far it is flagged.

    `snr` is in units of the noise, `min_area` in pixel², `inner` radius and `width` of the ring and `max_axis` in
    pixels, `amplitude` in DN per group.
    """

    snr: float
    min_area: float
    inner: float
    width: float
    expand_factor: float
    max_axis: float
    groups_after: int
    amplitude: float


class Bits(NamedTuple):
    """Which bits of a group tell that it is not to be used, that it is saturated, that there is a jump before it."""

    unusable: int
    saturated: int
    jump: int


class Expected(NamedTuple):
    """Median and noise of the differences, (n, ny, nx), DN; n is 1, or the number of differences of an integration."""

    median: np.ndarray
    noise: np.ndarray


def by_pixel(data: np.ndarray, flags: np.ndarray, variance: np.ndarray, gain: np.ndarray, bits: Bits) -> Expected:
    """Return the median of all differences of each pixel, and the noise that comes with it.

    `data` (DN) and `flags` are (nints, ngroups, ny, nx); `variance` of the read noise of a difference (DN²) and `gain`
    (electron/DN) are (ny, nx).
    """
    median = np.empty((1, *data.shape[2:]), np.float32)
    over_rows(_medians, data.shape[2], as_input(data), as_input(flags), sum(bits), median)
    photons = np.divide(np.abs(median), gain, out=np.full_like(median, np.nan), where=gain > 0)
    return Expected(median, np.sqrt(photons + variance))


def by_group(data: np.ndarray, flags: np.ndarray, bits: Bits) -> Expected:
    """Return median and scatter of each difference over the integrations, clipped at 5 σ."""
    _, ngroups, ny, nx = data.shape
    median, noise = np.empty((2, ngroups - 1, ny, nx), np.float32)
    over_rows(_clipped, ny, as_input(data), as_input(flags), sum(bits), median, noise)
    return Expected(median, noise)


def flag(data: np.ndarray, flags: np.ndarray, usable: np.ndarray, expected: Expected, rules: Rules, bits: Bits) -> int:
    """Set the bit `jump` where showers are, in `flags` (nints, ngroups, ny, nx) in place; return how many there are.

    `data` (DN) has the same shape, `usable` is (ny, nx). Groups that are saturated, struck or not to be used tell
    nothing.
    """
    ring = _ring(rules.inner, rules.width)
    found = [
        (i, g, shape)
        for i, integration in enumerate(flags)
        for g in range(_first_usable(integration, bits) + 1, len(integration))
        for shape in _showers(data[i], integration, g, usable, expected, ring, rules, bits)
    ]
    if found:
        before = as_input(flags.copy())
        for i, g, shape in found:
            _grow(flags[i, g : g + rules.groups_after + 1], shape, rules, bits)
        over_rows(_restore, data.shape[2], as_input(data), flags, before, as_input(usable), sum(bits), rules.amplitude)
    return len(found)


def _first_usable(integration: np.ndarray, bits: Bits) -> int:
    lost = [bool((plane & np.uint8(bits.unusable)).all()) for plane in integration]
    return lost.index(False) if False in lost else 0


def _showers(
    data: np.ndarray,
    flags: np.ndarray,
    g: int,
    usable: np.ndarray,
    expected: Expected,
    ring: np.ndarray,
    rules: Rules,
    bits: Bits,
) -> list[Shape]:
    """Return the large regions of group `g` of an integration (ngroups, ny, nx) that rise or fall together."""
    which = min(g, len(expected.median)) - 1
    deviation, good, smooth = np.empty((3, *usable.shape), np.float32)
    over_rows(
        _deviate, len(usable), as_input(data[g - 1 : g + 1]), as_input(flags[g - 1 : g + 1]), as_input(usable),
        as_input(expected.median[which]), as_input(expected.noise[which]), sum(bits), deviation, good,
    )  # fmt: skip
    over_rows(_average, len(usable), as_input(deviation), as_input(good), ring, smooth)
    return shapes((good > 0) & (smooth > rules.snr), rules.min_area)


def _grow(planes: np.ndarray, shape: Shape, rules: Rules, bits: Bits) -> None:
    """Flag an event as a jump over its surroundings; both axes grow by as much as the minor one."""
    more = (rules.expand_factor - 1) * shape.minor
    minor, major = (2 * round(min(axis + more, rules.max_axis) / 2) for axis in (shape.minor, shape.major))
    rows, columns = shape.draw(minor, major, planes.shape[1:])
    for plane in planes:
        open_still = (plane[rows, columns] & bits.saturated) == 0
        plane[rows[open_still], columns[open_still]] |= np.uint8(bits.jump)


def _ring(inner: float, width: float) -> np.ndarray:
    """Return the places (n, 2), rows and columns from the centre, that lie in the ring."""
    reach = int(inner + width)
    places = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    distance = np.hypot(*places.T)
    return np.ascontiguousarray(places[(distance >= inner) & (distance <= inner + width)])


@compiled
def _deviate(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    usable: np.ndarray,
    median: np.ndarray,
    noise: np.ndarray,
    bits: int,
    deviation: np.ndarray,
    good: np.ndarray,
) -> None:
    """Write how far the difference of two groups (2, ny, nx) is from the median, in units of the noise; 0 if unknown.

    `good` is 1 where it is known, else 0.
    """
    for y in range(start, stop):
        for x in range(data.shape[2]):
            ratio = abs(data[1, y, x] - data[0, y, x] - median[y, x]) / noise[y, x]
            known = usable[y, x] and not (flags[1, y, x] | flags[0, y, x]) & bits and np.isfinite(ratio)
            good[y, x] = 1 if known else 0
            deviation[y, x] = ratio if known else 0


@compiled
def _average(start: int, stop: int, values: np.ndarray, good: np.ndarray, ring: np.ndarray, smooth: np.ndarray) -> None:
    """Write the mean of the good `values` in the ring around each pixel; outside of the plane there are good zeros."""
    ny, nx = values.shape
    total, known = np.empty(nx, np.float32), np.empty(nx, np.float32)
    for y in range(start, stop):
        total[:], known[:] = 0, len(ring)
        for k in range(len(ring)):
            v, dx = y + ring[k, 0], ring[k, 1]
            if 0 <= v < ny:
                first, last = max(0, -dx), min(nx, nx - dx)
                _add(total[first:last], values[v, first + dx : last + dx])
                _add_less_one(known[first:last], good[v, first + dx : last + dx])
        for x in range(nx):
            smooth[y, x] = total[x] / max(known[x], 1)


@compiled
def _add(sums: np.ndarray, values: np.ndarray) -> None:
    for x in range(sums.size):
        sums[x] += values[x]


@compiled
def _add_less_one(sums: np.ndarray, values: np.ndarray) -> None:
    for x in range(sums.size):
        sums[x] += values[x] - np.float32(1)


@compiled
def _difference(data: np.ndarray, flags: np.ndarray, i: int, g: int, y: int, x: int, bits: int) -> float:
    """Return how much group `g` is above the one before, NaN if either is flagged."""
    if (flags[i, g, y, x] | flags[i, g - 1, y, x]) & bits:
        return np.nan
    return data[i, g, y, x] - data[i, g - 1, y, x]


@compiled
def _medians(start: int, stop: int, data: np.ndarray, flags: np.ndarray, bits: int, median: np.ndarray) -> None:
    nints, ngroups, _, nx = data.shape
    steps, room = np.empty((nints, ngroups - 1)), np.empty(nints * (ngroups - 1))
    for y in range(start, stop):
        for x in range(nx):
            for i in range(nints):
                for g in range(1, ngroups):
                    steps[i, g - 1] = _difference(data, flags, i, g, y, x, bits)
            median[0, y, x] = nanmedian(steps, room)


@compiled
def _clipped(
    start: int, stop: int, data: np.ndarray, flags: np.ndarray, bits: int, median: np.ndarray, noise: np.ndarray
) -> None:
    nints, ngroups, _, nx = data.shape
    room = np.empty(nints)
    for y in range(start, stop):
        for x in range(nx):
            for g in range(1, ngroups):
                n = 0
                for i in range(nints):
                    step = _difference(data, flags, i, g, y, x, bits)
                    if not np.isnan(step):
                        room[n] = step
                        n += 1
                median[g - 1, y, x], noise[g - 1, y, x] = _clipped_moments(room, n)


@compiled
def _clipped_moments(room: np.ndarray, n: int) -> tuple[float, float]:
    """Return median and standard deviation of what clipping leaves of the first `n` numbers; they are sorted."""
    low, high = clip_bounds(room, n, CLIP)
    kept, mean, square = 0, 0.0, 0.0
    for k in range(n):
        if low <= room[k] <= high:
            room[kept] = room[k]
            mean += room[k]
            kept += 1
    for k in range(kept):
        square += (room[k] - mean / kept) ** 2
    sort(room, kept)
    return median_of_sorted(room, 0, kept), np.sqrt(square / kept)


@compiled
def _restore(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    before: np.ndarray,
    usable: np.ndarray,
    bits: int,
    amplitude: float,
) -> None:
    """Give pixels their former flags back whose rate is unknown now, or changed by more than `amplitude` per group."""
    nints, ngroups, _, nx = data.shape
    for i in range(nints):
        for y in range(start, stop):
            for x in range(nx):
                change = _rate(data, flags, i, y, x, bits) - _rate(data, before, i, y, x, bits)
                if not (usable[y, x] and abs(change) <= amplitude):
                    for g in range(ngroups):
                        flags[i, g, y, x] = before[i, g, y, x]


@compiled
def _rate(data: np.ndarray, flags: np.ndarray, i: int, y: int, x: int, bits: int) -> float:
    """Return the mean difference of the groups of a ramp, NaN without any."""
    total, n = 0.0, 0
    for g in range(1, data.shape[1]):
        step = _difference(data, flags, i, g, y, x, bits)
        if not np.isnan(step):
            total += step
            n += 1
    return total / n
