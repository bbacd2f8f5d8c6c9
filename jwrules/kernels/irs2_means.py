"""The means of the first and of the last lines of each output, where light and reference pixels are interleaved."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import refpix, refpix_sets
from jwrules.kernels.irs2_layout import OUTPUTS, Layout


def subtract(data: np.ndarray, usable: np.ndarray, layout: Layout, apart: bool, limit: float) -> None:
    """Take off each frame of `data` (nints, n, rows, lines) the means of the `usable` (rows, lines) pixels, in place.

    Means are clipped at `limit` σ. Even and odd pixels may be told `apart`.
    """
    even = layout.parity()
    parities = [even, ~even] if apart else [even | True]
    outputs = [np.arange(layout.rows) // layout.width == output for output in range(OUTPUTS)]
    sets = refpix_sets.of_amplifiers(_as_read(usable, layout), (0, 0), outputs, parities)
    sides = refpix_sets.sides(_as_read(usable, layout), (0, 0), 1, 0.0)
    for frames in data:
        planes = _as_read(frames, layout)
        for start in range(len(planes)):
            plane = planes[start : start + 1]
            _, by_kind = refpix.drifts(plane, sets, sides, limit)
            plane -= by_kind[:, np.newaxis, sets.kind]


def _as_read(frames: np.ndarray, layout: Layout) -> np.ndarray:
    """Return a view (..., lines, rows) in the order of the detector."""
    turned = np.swapaxes(frames, -2, -1)
    return turned[..., ::-1, ::-1] if layout.backwards else turned
