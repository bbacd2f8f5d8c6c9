"""How a detector recovers from its reset: groups that are left out meanwhile, or the decay itself, taken off."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import as_input, compiled, over_rows

PERCENT = 0.01


class Decay(NamedTuple):
    """Numbers of the decay in a kind of rows: e-folding time in groups, and its scale in percent of the last counts.

    The scale is height x^power / (exp(x / width) - 1), x counts above `crossover`; after saturation it is
    slope x + offset, x the counts that there would have been times `stretch`.
    """

    tau: float
    height: float
    power: float
    width: float
    crossover: float
    slope: float
    offset: float
    stretch: float


def skips(flags: np.ndarray, saturated: int, wanted: int) -> np.ndarray:
    """Return how many groups each pixel leaves out, (nints, ny, nx): `wanted`, or fewer where it saturates soon.

    `saturated` is a bit in `flags` (nints, ngroups, ny, nx). Two groups before saturation remain wherever there are
    two; a pixel that is saturated from the first group on is lost in any case, and leaves out what is wanted.
    """
    soon = (flags[:, : wanted + 2] & np.uint8(saturated)) != 0
    fewest = np.full((len(flags), *flags.shape[2:]), wanted)
    for g in range(soon.shape[1] - 1, -1, -1):
        fewest[soon[:, g]] = max(g - 2, 0) if g else wanted
    return fewest


def leave_out(flags: np.ndarray, skipped: np.ndarray, bit: int) -> None:
    """Set `bit`, in place, in the first `skipped` (nints, ny, nx) groups of `flags` (nints, ngroups, ny, nx)."""
    for g in range(min(int(skipped.max(initial=0)), flags.shape[1])):
        flags[:, g][skipped > g] |= np.uint8(bit)


def undo_decay(
    data: np.ndarray, flags: np.ndarray, saturated: int, blind: np.ndarray, odd: Decay, even: Decay, first_row: int
) -> None:
    """Add what each integration after the first of `data` (nints, ngroups, ny, nx) has lost to the reset, in place.

    It depends on the last counts of the integration before. `saturated` is a bit in `flags`; pixels in `blind` (ny, nx)
    are left alone; `first_row` is the number of the first row, which counts from 1: rows are odd or even.
    """
    inputs = as_input(flags), np.uint8(saturated), as_input(blind), odd, even, first_row
    over_rows(_undo_decay, data.shape[2], data, *inputs)


@compiled
def _undo_decay(
    start: int,
    stop: int,
    data: np.ndarray,
    flags: np.ndarray,
    saturated: int,
    blind: np.ndarray,
    odd: Decay,
    even: Decay,
    first_row: int,
) -> None:
    nints, ngroups, _, nx = data.shape
    times = np.arange(1, ngroups + 1)
    for y in range(start, stop):
        decay = odd if (first_row + y) % 2 else even
        shape = np.exp(-times / decay.tau)
        for i in range(nints - 1, 0, -1):
            for x in range(nx):
                if not blind[y, x]:
                    lost = _lost(data[i - 1, :, y, x], flags[i - 1, :, y, x], saturated, decay)
                    for g in range(ngroups):
                        data[i, g, y, x] += lost * shape[g]


@compiled
def _lost(counts: np.ndarray, flags: np.ndarray, saturated: int, decay: Decay) -> float:
    """Return the height of the decay that follows an integration.

    Its last group is disturbed by the reset, and its first by the decay: neither is used.
    """
    last = np.float64(2 * counts[-2] - counts[-3])
    good = (flags[1:-1] & saturated) == 0
    if good.all():
        above = last - decay.crossover
        scale = decay.height * above**decay.power / np.expm1(above / decay.width) if above > 0 else 0.0
    else:
        scale = decay.slope * decay.stretch * _extrapolated(counts[1:-1], good, last) + decay.offset
    lost = last * scale * PERCENT
    return lost if np.isfinite(lost) else 0.0


@compiled
def _extrapolated(counts: np.ndarray, good: np.ndarray, otherwise: float) -> float:
    """Return a straight line through the good counts, one beyond the last; `otherwise` where they are under three."""
    number = good.sum()
    if number < 3:
        return otherwise
    x = np.arange(counts.size)[good]
    y = counts[good].astype(np.float64)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return y.mean() + slope * (counts.size - x.mean())
