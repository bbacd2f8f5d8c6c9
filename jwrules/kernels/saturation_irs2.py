"""Where ramps saturate whose frames interleave light and reference pixels: `light` are the rows that see light."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows
from jwrules.kernels.saturation import grow


class Bits(NamedTuple):
    """What a saturated group is marked with, and one at the floor of the converter."""

    saturated: int
    floor: int


def flag(
    ramp: np.ndarray,
    flags: np.ndarray,
    light: np.ndarray,
    threshold: np.ndarray,
    bias: np.ndarray | float,
    frames: int,
    pixels: int,
    bits: Bits,
) -> np.ndarray:
    """Set `bits` in `flags` (ngroups, rows, columns) of a `ramp`, in place; return the first saturated group.

    `threshold` and `bias` are of the detector (light.size, columns). Saturation spreads over `pixels` layers of
    neighbours on the detector. With `frames` averaged into a group (0: not asked) one that something struck in the
    second group, and saturates in the third, is saturated in the second. The answer (light.size, columns) is that of
    the pixels themselves, ngroups if there is none.
    """
    reached = _first_saturated(ramp, light, threshold)
    if frames and len(ramp) > 2:
        struck = _struck(ramp, light, threshold, np.asarray(bias, np.float32), frames)
        spread = grow(np.where(struck, np.int16(0), np.int16(1)), pixels)
        flags[1, light] |= np.where(spread == 0, np.uint8(bits.saturated), np.uint8(0))
    first = grow(reached, pixels)
    over_rows(_flag, light.size, as_input(ramp), light, first, flags, np.uint8(bits.saturated), np.uint8(bits.floor))
    return reached


def _first_saturated(ramp: np.ndarray, light: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    first = np.full(threshold.shape, len(ramp), np.int16)
    over_rows(_find_first, light.size, as_input(ramp), light, as_input(threshold), first)
    return first


@compiled
def _find_first(
    start: int, stop: int, ramp: np.ndarray, light: np.ndarray, threshold: np.ndarray, first: np.ndarray
) -> None:
    for y in range(start, stop):
        for g in range(ramp.shape[0] - 1, -1, -1):
            counts, limit, row = ramp[g, light[y]], threshold[y], first[y]
            for x in range(row.size):
                row[x] = g if counts[x] >= limit[x] else row[x]


@compiled
def _flag(
    start: int,
    stop: int,
    ramp: np.ndarray,
    light: np.ndarray,
    first: np.ndarray,
    flags: np.ndarray,
    saturated: int,
    floor: int,
) -> None:
    none = np.uint8(0)
    for y in range(start, stop):
        for g in range(ramp.shape[0]):
            counts, when, row = ramp[g, light[y]], first[y], flags[g, light[y]]
            for x in range(row.size):
                row[x] |= (saturated if g >= when[x] else none) | (floor if counts[x] <= 0 else none)


def _struck(ramp: np.ndarray, light: np.ndarray, threshold: np.ndarray, bias: np.ndarray, frames: int) -> np.ndarray:
    """Return where (light.size, columns) the second group rose by more than one saturated frame among `frames` can.

    Such a ramp is saturated in the third group and was, by its first one, not on its way there.
    """
    y, x = np.nonzero(ramp[2][light] >= threshold)
    start, second, limit = ramp[0, light[y], x], ramp[1, light[y], x], threshold[y, x]
    offset = np.broadcast_to(bias, threshold.shape)[y, x]
    expected = (start - offset).astype(np.float64) / ((frames + 1) / 2) * (3 * frames) + offset
    struck = np.zeros(threshold.shape, bool)
    struck[y, x] = (expected < limit) & (second - start > (limit - start) / np.float32(frames))
    return struck
