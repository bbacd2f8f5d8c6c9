"""Pixels of which reference files do not say what a fit needs."""

from __future__ import annotations

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Gain, Readnoise


def unknown(gain: Gain, readnoise: Readnoise) -> np.ndarray:
    """Return what flags say of pixels without a gain above 0 or a finite read noise, (ny, nx) uint32."""
    no_gain = np.where(gain.data > 0, np.uint32(0), np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE))
    return no_gain | np.where(np.isfinite(readnoise.data), np.uint32(0), np.uint32(DQ.DO_NOT_USE))
