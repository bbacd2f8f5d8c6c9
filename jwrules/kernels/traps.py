"""Charge that traps of a detector capture while a pixel is bright, and give off later.

There are several families of traps, each with an exponential rate of capture, a share that is captured at once, and an
exponential rate of release. What a family captures in an integration depends on the time that the pixel was full,
which is a number of groups: so the exponentials are few, and stand in tables.
Source: JWST documentation, CALWEBB_DETECTOR1, persistence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows

RELEASED_COUNTS_TWICE = 2.0
"""A charge that is freed from a trap gives twice the signal of one that light sets free."""


class Families(NamedTuple):
    """Families of traps: share that is captured in time and at once, rates of capture and of release (1/s)."""

    slow: np.ndarray
    at_once: np.ndarray
    capture: np.ndarray
    release: np.ndarray


class Times(NamedTuple):
    """Seconds from group to group, and of the resets before the first integration and before later ones."""

    group: float
    first_reset: float
    reset: float


class Pixels(NamedTuple):
    """Maps (ny, nx): relative number of traps, and the counts of a full well (DN; inf where there is none)."""

    density: np.ndarray
    full: np.ndarray


class Bits(NamedTuple):
    """Bits of a group that say that it is saturated, and that a charge jumped."""

    saturated: int
    jump: int


def release(filled: np.ndarray, families: Families, seconds: float) -> np.ndarray:
    """Return how many traps (nfamilies, ny, nx) are still filled after a time in the dark."""
    return filled * np.exp(-families.release * seconds)[:, np.newaxis, np.newaxis]


def subtract(
    data: np.ndarray,
    flags: np.ndarray,
    filled: np.ndarray,
    pixels: Pixels,
    families: Families,
    times: Times,
    bits: Bits,
    continued: bool,
    subtracted: np.ndarray,
) -> np.ndarray:
    """Take what traps release off `data` (nints, ngroups, ny, nx), in place; return the largest of it (ny, nx), DN.

    `filled` (nfamilies, ny, nx), 64-bit, goes from the start of the exposure to its end, in place. `continued` says
    that the first integration follows another one. `subtracted` takes what was taken off: an array like `data`, or one
    without elements.
    """
    largest = np.zeros(data.shape[2:], np.float32)
    ngroups = data.shape[1]
    soaked = _soaked(families, times, ngroups, continued)
    tables = soaked, _full(families, times, ngroups), _struck(families, times, ngroups)
    kept = np.exp(-families.release * times.group), np.exp(-families.release * times.reset)
    inputs = as_input(flags), filled, as_input(pixels.density), as_input(pixels.full), families.slow, families.at_once
    codes = np.uint8(bits.saturated), np.uint8(bits.jump), continued
    over_rows(_subtract, len(largest), data, *inputs, *tables, *kept, times.group, *codes, subtracted, largest)
    return largest


def _soaked(families: Families, times: Times, ngroups: int, continued: bool) -> np.ndarray:
    """Return what a growing signal fills, (2, nfamilies, ngroups + 1): in the first integration and in later ones.

    The last index is how many groups are full; per trap and per squared slope (full wells per second).
    """
    resets = np.array([times.reset if continued else times.first_reset, times.reset])
    time = (resets[:, np.newaxis] + np.arange(ngroups, -1, -1) * times.group)[:, np.newaxis]
    slow, at_once, rate = (np.asarray(column)[:, np.newaxis] for column in (families[0], families[1], families[2]))
    tau = 1 / np.where(rate > 0, rate, 1.0)
    captured = time**2 / 2 + (time * tau + tau**2) * np.exp(-time / tau) - tau**2
    return RELEASED_COUNTS_TWICE * (slow * np.where(rate > 0, captured, 0.0) + at_once * time**2 / 2)


def _full(families: Families, times: Times, ngroups: int) -> np.ndarray:
    """Return the share (nfamilies, ngroups + 1) of empty traps that are filled while so many groups are full."""
    return -np.expm1(-np.outer(families.capture, np.arange(ngroups + 1) * times.group))


def _struck(families: Families, times: Times, ngroups: int) -> np.ndarray:
    """Return what a jump of 1 DN in the middle of a group fills until the end, (nfamilies, ngroups), per trap."""
    left = (ngroups - np.arange(ngroups) - 0.5) * times.group
    share = -np.expm1(-np.outer(families.capture, left))
    return RELEASED_COUNTS_TWICE * (families.slow[:, np.newaxis] * share + families.at_once[:, np.newaxis])


@compiled
def _subtract(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    filled: np.ndarray,
    density: np.ndarray,
    full: np.ndarray,
    slow: np.ndarray,
    at_once: np.ndarray,
    soaked: np.ndarray,
    when_full: np.ndarray,
    struck: np.ndarray,
    kept: np.ndarray,
    kept_in_reset: np.ndarray,
    group_time: float,
    saturated: int,
    jump: int,
    continued: bool,
    subtracted: np.ndarray,
    largest: np.ndarray,
) -> None:
    nints, ngroups, _, nx = data.shape
    released, slope, jumps = np.empty(nx), np.empty(nx), np.empty(nx, np.int64)
    full_groups = np.empty(nx, np.int64)
    for y in range(start, stop):
        for i in range(nints):
            _slopes(data[i, :, y], flags[i, :, y], saturated, jump, slope, jumps)
            if i > 0 or continued:
                _release(filled[:, y], kept_in_reset)
            released[:], full_groups[:] = 0.0, 0
            for g in range(ngroups):
                _release_into(filled[:, y], kept, released)
                _take_off(data[i, g, y], released, largest[y], full[y], full_groups)
                if subtracted.size:
                    subtracted[i, g, y] = released
            for k in range(slow.size):
                share, filling = soaked[min(i, 1), k], filled[k, y]
                for x in range(nx):
                    speed = slope[x] / (full[y, x] * group_time)
                    new = _captured(speed, full_groups[x], ngroups, slow[k], at_once[k], share, when_full[k])
                    if jumps[x]:
                        new += _after_jumps(data[i, :, y, x], flags[i, :, y, x], jump, slope[x], struck[k])
                    filling[x] += density[y, x] * new if np.isfinite(new) else 0.0


@compiled
def _slopes(
    counts: np.ndarray, flags: np.ndarray, saturated: int, jump: int, slope: np.ndarray, jumps: np.ndarray
) -> None:
    """Write the counts per group of a row of pixels, and how often they jumped; counts and flags (ngroups, nx).

    A slope is the mean difference, without those of saturated groups, and without the largest one for each jump.
    """
    ngroups, nx = counts.shape
    number = np.zeros(nx, np.int64)
    slope[:], jumps[:] = 0.0, 0
    for x in range(nx):
        jumps[x] = 1 if flags[0, x] & jump else 0
    for g in range(1, ngroups):
        for x in range(nx):
            good = 0 if flags[g, x] & saturated else 1
            slope[x] += (np.float64(counts[g, x]) - np.float64(counts[g - 1, x])) * good
            number[x] += good
            jumps[x] += 1 if flags[g, x] & jump else 0
    for x in range(nx):
        left = number[x] - jumps[x]
        if ngroups == 1:
            slope[x] = counts[0, x]
        elif left <= 0:
            slope[x] = 0.0
        elif jumps[x]:
            slope[x] = _sum_of_smallest(counts[:, x], flags[:, x], saturated, left) / left
        else:
            slope[x] /= left


@compiled
def _sum_of_smallest(counts: np.ndarray, flags: np.ndarray, saturated: int, number: int) -> float:
    differences = np.full(counts.size - 1, np.inf)
    for g in range(1, counts.size):
        if not flags[g] & saturated:
            differences[g - 1] = counts[g] - counts[g - 1]
    return np.float64(np.sort(differences)[:number].sum())


@compiled
def _release(filled: np.ndarray, kept: np.ndarray) -> None:
    for k in range(kept.size):
        for x in range(filled.shape[1]):
            filled[k, x] *= kept[k]


@compiled
def _release_into(filled: np.ndarray, kept: np.ndarray, released: np.ndarray) -> None:
    for k in range(kept.size):
        for x in range(released.size):
            released[x] += filled[k, x] * (1.0 - kept[k])
            filled[k, x] *= kept[k]


@compiled
def _take_off(
    counts: np.ndarray, released: np.ndarray, largest: np.ndarray, full: np.ndarray, full_groups: np.ndarray
) -> None:
    for x in range(counts.size):
        counts[x] -= released[x]
        largest[x] = max(largest[x], np.float32(released[x]))
        full_groups[x] += 1 if counts[x] > full[x] else 0


@compiled
def _captured(
    speed: float,
    full_groups: int,
    ngroups: int,
    slow: float,
    at_once: float,
    soaked: np.ndarray,
    when_full: np.ndarray,
) -> float:
    """Return what a trap captures while the signal grows by `speed` full wells per second, and while it is full."""
    if full_groups == 0:
        return soaked[0] * speed**2
    before = at_once if full_groups == ngroups else soaked[full_groups] * speed**2
    return before + (slow - (before - at_once)) * when_full[full_groups]


@compiled
def _after_jumps(counts: np.ndarray, flags: np.ndarray, jump: int, slope: float, struck: np.ndarray) -> float:
    total = 0.0
    for g in range(1, counts.size):
        if flags[g] & jump:
            total += max(counts[g] - counts[g - 1] - slope, 0.0) * struck[g]
    return total
