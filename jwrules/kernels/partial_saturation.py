"""Groups of averaged frames of which only the last frames are saturated, so that their mean is below the threshold.

Such a group is the one before the first that reaches the threshold, or the last one of a ramp. Light goes on, from the
mean of the group to its last frame, as it has risen so far. What strikes within the group shows otherwise: its mean is
above what the rise before leads to, by more than an n-th of the room left there up to the threshold, as one saturated
frame among n makes it; and that rise does not lead to the threshold within the next group, which has reached it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows

NONE = -1
MARGIN = 0.1
"""How much later than its last frame, in frames, a group is judged: noise can bring that frame to the threshold."""


class Limits(NamedTuple):
    """Threshold, bias and first frame (0: no value) of every pixel (ny, nx), DN; `rows` (ny,): theirs in a ramp."""

    threshold: np.ndarray
    bias: np.ndarray
    zeroframe: np.ndarray
    rows: np.ndarray


class Pattern(NamedTuple):
    """Frames that are averaged into a group, and frames left out between groups."""

    frames: int
    gap: int


def find(ramp: np.ndarray, first: np.ndarray, limits: Limits, pattern: Pattern) -> np.ndarray:
    """Return, for every pixel (ny, nx), the group of `ramp` (ngroups, rows, nx) that is partly saturated, or NONE.

    `first` (ny, nx) is the first saturated group of the pixel itself, ngroups if there is none.
    """
    partial = np.full(first.shape, NONE, np.int16)
    over_rows(_find, len(first), as_input(ramp), as_input(first), Limits(*map(as_input, limits)), pattern, partial)
    return partial


@compiled
def _find(
    start: int, stop: int, ramp: np.ndarray, first: np.ndarray, limits: Limits, pattern: Pattern, partial: np.ndarray
) -> None:
    end = ramp.shape[0] - 1
    for y in range(start, stop):
        row, counts = limits.rows[y], ramp[end, limits.rows[y]]
        for x in range(first.shape[1]):
            g, limit = first[y, x] - 1, limits.threshold[y, x]
            # half a group more of light cannot double the counts
            if g < 0 or (g == end and 2 * counts[x] < limit):
                continue
            if _is_partial(ramp[:, row, x], g, limit, limits.bias[y, x], limits.zeroframe[y, x], pattern):
                partial[y, x] = g


@compiled
def _is_partial(counts: np.ndarray, g: int, limit: float, bias: float, first_frame: float, pattern: Pattern) -> bool:
    frames, ends = pattern.frames, g == counts.size - 1
    expected, before = _led_to(counts, g, bias, first_frame, pattern)
    rate = (counts[g] - counts[g - 1]) / (frames + pattern.gap) if g > 0 else 2 * (counts[0] - bias) / (frames + 1)
    if ends and rate > before:  # it may be a ray that makes it rise more in the end, and then jump finds it
        rate = before
    if counts[g] + ((frames - 1) / 2 + MARGIN) * rate >= limit:
        return True
    last_frame, next_group = expected + (frames - 1) / 2 * before, (1.5 * frames + pattern.gap) * before
    return not ends and expected + next_group < limit and counts[g] - expected > (limit - last_frame) / frames


@compiled
def _led_to(counts: np.ndarray, g: int, bias: float, first_frame: float, pattern: Pattern) -> tuple[float, float]:
    """Return the mean of group g that the counts before it lead to, and the rise of a frame there; NaN if unknown."""
    frames, length = pattern.frames, pattern.frames + pattern.gap
    if g == 0:
        rate = max(first_frame - bias, 0.0) if first_frame != 0 else np.nan
        return first_frame + (frames - 1) / 2 * rate, rate
    rate = (counts[g - 1] - counts[g - 2]) / length if g > 1 else 2 * (counts[0] - bias) / (frames + 1)
    rate = max(rate, 0.0)
    return counts[g - 1] + length * rate, rate


def flag(partial: np.ndarray, rows: np.ndarray, flags: np.ndarray, bit: int, saturated: int, pixels: int) -> None:
    """Set `bit` in `flags`, in place, in the group of `partial` and, there, in its neighbours up to `pixels` away.

    Groups that are `saturated` as a whole are left as they are.
    """
    _flag(np.argwhere(partial != NONE), partial, rows, flags, bit, saturated, pixels)


@compiled
def _flag(
    where: np.ndarray, partial: np.ndarray, rows: np.ndarray, flags: np.ndarray, bit: int, saturated: int, pixels: int
) -> None:
    ny, nx = partial.shape
    for k in range(len(where)):
        y, x = where[k]
        plane = flags[partial[y, x]]
        for v in range(max(y - pixels, 0), min(y + pixels + 1, ny)):
            for u in range(max(x - pixels, 0), min(x + pixels + 1, nx)):
                if not plane[rows[v], u] & saturated:
                    plane[rows[v], u] |= np.uint8(bit)
