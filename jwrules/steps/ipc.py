"""Undo the coupling of neighbouring pixels by the capacitance between them.

Each group is convolved with the kernel of the reference file, the inverse of the coupling, which may differ from
pixel to pixel. Reference pixels, at the edge of the detector or (IRS2 readout of NIRSpec) among the light, neither give
nor take. Stripes of a multistripe subarray are corrected one by one: what a frame has side by side need not be
neighbours. (The official step takes its frames for a piece of the detector.) Source: JWST documentation,
CALWEBB_DETECTOR1, interpixel capacitance correction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import ipc as kernel
from jwrules.products.interleaved import layout_of
from jwrules.products.kinds import Ipc, Meta, Ramp
from jwrules.products.stripes import Stripes, stripes_of
from jwrules.steps.declare import step

DETECTOR, BORDER = 2048, 4
"""Pixels along a side of the detector, and of its border of reference pixels."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


@step(status="S_IPC", along="frames")
def ipc(ramp: Ramp, params: Params, *, ipc: Ipc) -> Ramp:
    """Return the ramp with every group corrected (DN); ZEROFRAME is left as it is."""
    layout = layout_of(ramp.meta, ramp.pixeldq.shape)
    light = slice(None) if layout is None else layout.light
    ny, nx = ramp.pixeldq[light].shape
    if stripes := stripes_of(ramp.meta, (ny, nx)):
        return _in_stripes(ramp, stripes, ipc)
    rows, columns = _science(ramp.meta, "2", ny), _science(ramp.meta, "1", nx)
    couplings = _couplings(ipc.data, (ny, nx), rows, columns)
    for frame in ramp.data.reshape(-1, *ramp.pixeldq.shape):
        plane = frame[light]
        plane[rows, columns] = kernel.convolve(plane[rows, columns], couplings)
        if layout is not None:
            frame[light] = plane
    return ramp


def _in_stripes(ramp: Ramp, stripes: Stripes, ipc: Ipc) -> Ramp:
    """Return the ramp with each stripe corrected by itself: lines that the frame has beside it lie elsewhere."""
    ny, nx = ramp.pixeldq.shape
    inner: list[slice] = [_science(ramp.meta, "2", ny), _science(ramp.meta, "1", nx)]
    for lines in stripes.neighbours():
        inner[stripes.axis] = lines
        rows, columns = inner
        couplings = _couplings(ipc.data, (ny, nx), rows, columns)
        for frame in ramp.data.reshape(-1, ny, nx):
            frame[rows, columns] = kernel.convolve(frame[rows, columns], couplings)
    return ramp


def _science(meta: Meta, axis: str, size: int) -> slice:
    """Return which rows (axis 2) or columns (axis 1) are no reference pixels."""
    start = int(meta["SUBSTRT" + axis]) - 1
    return slice(max(0, BORDER - start), min(size, DETECTOR - BORDER - start))


def _couplings(data: np.ndarray, shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    """Return the kernels (ky, kx, rows, columns), or (ky, kx, 1, 1) where there is one for all."""
    if data.shape[0] % 2 == 0 or data.shape[1] % 2 == 0:
        raise CannotRun(f"the ipc reference file has a kernel of {data.shape[:2]} pixels: both numbers must be odd")
    if data.ndim == 2:
        return data[:, :, np.newaxis, np.newaxis]
    if data.shape[2:] != shape:
        raise CannotRun(f"the ipc reference file has kernels for {data.shape[2:]} pixels, the exposure has {shape}")
    return data[:, :, rows, columns]
