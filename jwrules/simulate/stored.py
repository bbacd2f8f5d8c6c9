"""How a raw exposure stores what is read of a window: as it is, or as its read pattern has it.

A read pattern that interleaves reference pixels has a row in BY_PATTERN, and its frames in `instruments.READ_PATTERNS`.
Its frames are those of the full detector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jwrules.simulate import irs2
from jwrules.simulate.nircam import Pointing, Window
from jwrules.simulate.noise import Noise


class Way(NamedTuple):
    """`shape` gives rows and columns as they are stored, `store` turns what was read into that.

    `store(frame, pointing, frames, noise)` takes DN before conversion, (ny, nx) in science orientation, which
    `drifts.to_readout` turns into the order of readout. What it adds of its own is made with `noise`, for the mean of
    so many `frames`; where it `adds_drifts`, those of the amplifiers are not in what was read.
    """

    shape: Callable[[Window], tuple[int, int]]
    store: Callable[[np.ndarray, Pointing, int, Noise], np.ndarray]
    adds_drifts: bool = False


AS_READ = Way(lambda window: window.shape, lambda frame, pointing, frames, noise: frame)
BY_PATTERN = dict.fromkeys(irs2.PATTERNS, Way(irs2.shape, irs2.store, adds_drifts=True))


def way(pattern: str) -> Way:
    """Return how the exposures of a read pattern are stored."""
    return BY_PATTERN.get(pattern, AS_READ)
