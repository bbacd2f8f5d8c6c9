"""How a raw exposure stores what is read of a window: as it is, or as its read pattern has it.

A read pattern that interleaves reference pixels has a row in BY_PATTERN, and its frames in `instruments.READ_PATTERNS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jwrules.simulate.nircam import Detector, Window
from jwrules.simulate.noise import Noise


class Way(NamedTuple):
    """`shape` gives rows and columns as they are stored, `store` turns what was read into that.

    `store(frame, detector, noise)` takes DN before conversion, (ny, nx) in science orientation, which
    `drifts.to_readout` turns into the order of readout; what it adds of its own is made with `noise`.
    """

    shape: Callable[[Window], tuple[int, int]]
    store: Callable[[np.ndarray, Detector, Noise], np.ndarray]


AS_READ = Way(lambda window: window.shape, lambda frame, detector, noise: frame)
BY_PATTERN: dict[str, Way] = {}


def way(pattern: str) -> Way:
    """Return how the exposures of a read pattern are stored."""
    return BY_PATTERN.get(pattern, AS_READ)
