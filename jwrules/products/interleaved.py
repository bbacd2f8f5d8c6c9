"""Exposures of NIRSpec whose frames interleave light and reference pixels (IRS2), and reference files for them.

Until the reference pixels have served, such a frame is (3200, 2048) pixels where the detector has (2048, 2048). A
reference file has either form, and serves both.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from jwrules.errors import DataFault, ReferenceFault
from jwrules.kernels.irs2_layout import AMPLIFIER, OUTPUTS, Layout
from jwrules.kernels.irs2_suspects import listed
from jwrules.products.kinds import Meta, Refpix
from jwrules.products.stripes import is_superstriped

DETECTOR = 2048


def is_interleaved(meta: Meta) -> bool:
    """Return whether an exposure was read so; its frames interleave until the reference pixels have served."""
    return meta.get("INSTRUME") == "NIRSPEC" and "IRS2" in str(meta.get("READPATT", ""))


def blocks_of(meta: Meta) -> str:
    """Return which blocks steps work on that otherwise take any: whole frames, where these become others later."""
    return "frames" if is_interleaved(meta) or is_superstriped(meta) else "samples"


def layout_of(meta: Meta, shape: tuple[int, ...]) -> Layout | None:
    """Return where things lie in frames of `shape` (..., rows, columns), None where they are frames of the detector.

    Raises DataFault where NRS_NORM and NRS_REF, the numbers of pixels that follow each other, do not give that shape.
    """
    if meta.get("INSTRUME") != "NIRSPEC" or shape[-2] <= DETECTOR:
        return None
    normal, reference = int(meta.get("NRS_NORM", 16)), int(meta.get("NRS_REF", 4))
    possible = normal > 0 and AMPLIFIER % normal == 0 and normal % 2 == 0 and reference > 0 and reference % 2 == 0
    layout = _layout(normal, reference, meta.get("DETECTOR") == "NRS2") if possible else None
    if layout is None or tuple(shape[-2:]) != (layout.rows, layout.lines):
        raise DataFault(
            f"{meta.source or 'the exposure'}: frames of {tuple(shape[-2:])} pixels do not interleave NRS_NORM={normal}"
            f" pixels with NRS_REF={reference} reference pixels; such exposures are of the full frame"
        )
    return layout


def spectral_weights(refpix: Refpix, layout: Layout) -> Iterator[Iterator[np.ndarray]]:
    """Yield the complex weights (period·lines,) of the reference output and of the pixels, one for each amplifier.

    Raises ReferenceFault where the table has another number of waves, or values that are not finite.
    """
    waves = layout.period * layout.lines
    if len(refpix.table) != 2 * waves:
        raise ReferenceFault(f"{refpix.meta.source}[IRS2]: {len(refpix.table)} rows, where {2 * waves} are expected")
    return ((_complex(refpix, f"{name}_{k}") for k in range(OUTPUTS - 1)) for name in ("alpha", "beta"))


def _complex(refpix: Refpix, column: str) -> np.ndarray:
    values = np.ascontiguousarray(refpix.table[column], np.float32)
    if not np.isfinite(values).all():
        raise ReferenceFault(f"{refpix.meta.source}[IRS2]: column {column} has values that are NaN or infinite")
    return values.view(np.complex64)


def listed_rows(refpix: Refpix, layout: Layout) -> np.ndarray:
    """Return which rows (rows,) hold reference pixels that the file lists as bad."""
    if refpix.bad is None:
        return np.zeros(layout.rows, bool)
    return listed(refpix.bad["OUTPUT"], refpix.bad["ODD_EVEN"], refpix.bad["MASK"], layout)


@lru_cache
def _layout(normal: int, reference: int, backwards: bool) -> Layout:
    return Layout(normal, reference, backwards)


def on_light(array: np.ndarray, layout: Layout) -> np.ndarray:
    """Return the rows that see light of an array (..., rows, columns) that has either form."""
    return array[..., layout.light, :] if array.shape[-2] == layout.rows else array


def on_frame(array: np.ndarray, layout: Layout | None) -> np.ndarray:
    """Return an array (..., rows, columns) that has either form as one of the frame as read, with 0 elsewhere."""
    if layout is None or array.shape[-2] == layout.rows:
        return array
    frame = np.zeros((*array.shape[:-2], layout.rows, layout.lines), array.dtype)
    frame[..., layout.light, :] = array
    return frame
