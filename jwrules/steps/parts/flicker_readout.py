"""How a detector is read, for the step clean_flicker_noise: its lines and amplifiers, and noise along the readout."""

from __future__ import annotations

import numpy as np

from jwrules.kernels import flicker_fourier
from jwrules.kernels.flicker import Lines
from jwrules.products.kinds import Meta

DETECTOR, AMPLIFIERS = 2048, 4
WAVES_OF = ("NRS_MSASPEC", "NRS_IFU", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")
"""Exposures whose noise can be fitted by waves."""
CUTOFF, CUTOFF_ALLSLITS = (1061, 1211, 49943, 49957), (150, 200, 49943, 49957)
"""Frequencies (Hz) between which waves fade and rise again, in subarrays."""
FITS = {"unbiased": flicker_fourier.Fit(1e-2, 0), "official": flicker_fourier.Fit(1e-10, 1)}


def lines(meta: Meta, shape: tuple[int, ...], by_channel: bool) -> Lines:
    """Lines run along the fast direction; those of MIRI, whose noise is of another kind, along columns.

    `shape` is that of a ramp, (nints, ngroups, ny, nx).
    """
    if meta.get("INSTRUME") == "MIRI":
        return Lines(rows=False, parts=1)
    rows = abs(int(meta["SLOWAXIS"])) == 2
    whole = meta.get("SUBARRAY") == "FULL" and shape[3 if rows else 2] == DETECTOR
    return Lines(rows, AMPLIFIERS if by_channel and whole else 1)


def waves(image: np.ndarray, usable: np.ndarray, meta: Meta, weighting: str) -> np.ndarray:
    """Return the noise of an image (ny, nx) that waves along the readout make; `usable` pixels tell it."""
    fast, slow = int(meta["FASTAXIS"]), int(meta["SLOWAXIS"])
    along = -1 if fast < 0 and weighting != "official" else 1
    across = -1 if slow < 0 else 1
    noise = np.empty(image.shape, np.float32)
    read, good, result = ((a.T if abs(fast) == 2 else a)[::across, ::along] for a in (image, usable, noise))
    if image.shape == (DETECTOR, DETECTOR):
        result[...] = flicker_fourier.whole_frame(read, good, FITS[weighting])
    else:
        cutoff = CUTOFF_ALLSLITS if meta.get("SUBARRAY") == "ALLSLITS" else CUTOFF
        result[...] = flicker_fourier.subarray(read, good, cutoff, FITS[weighting])
    return noise
