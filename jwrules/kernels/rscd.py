"""How many groups at the start of each ramp are left out while the detector recovers from its reset."""

from __future__ import annotations

import numpy as np


def skips(saturated: np.ndarray, wanted: int) -> np.ndarray:
    """Return how many groups each pixel leaves out, (nints, ny, nx): `wanted`, or fewer where it saturates soon.

    `saturated` is (nints, ngroups, ny, nx). Two groups before saturation remain wherever there are two; a pixel that is
    saturated from the first group on is lost in any case, and leaves out what is wanted.
    """
    first = np.where(saturated.any(axis=1), saturated.argmax(axis=1), saturated.shape[1])
    affordable = np.maximum(first - 2, 0)
    return np.where(first == 0, wanted, np.minimum(affordable, wanted))


def leave_out(flags: np.ndarray, skipped: np.ndarray, bit: int) -> None:
    """Set `bit`, in place, in the first `skipped` (nints, ny, nx) groups of `flags` (nints, ngroups, ny, nx)."""
    for g in range(min(int(skipped.max(initial=0)), flags.shape[1])):
        flags[:, g][skipped > g] |= np.uint8(bit)
