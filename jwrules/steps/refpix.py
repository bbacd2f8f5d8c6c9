"""Take off the drifts of the readout, as the reference pixels at the edge of the detector show them.

Each of the four amplifiers reads 512 columns (in the order of readout, which FASTAXIS and SLOWAXIS tell). The
reference pixels in the first and the last four rows give a clipped mean per amplifier, of even and odd columns apart;
those in the first and the last four columns of the rows, by a running median over rows, give the drift along the
readout. A subarray uses the reference pixels that it holds; one read by a single amplifier uses all of them together.
Without any there is nothing to do. The detectors of MIRI have reference pixels at the ends of the rows alone, and
outputs that read every fourth column: what an output has drifted since the first group is a clipped mean over the
rows, even and odd ones apart; in a subarray nothing is done. Source: JWST documentation, CALWEBB_DETECTOR1, reference
pixel correction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jwrules.kernels import refpix as kernel
from jwrules.kernels import refpix_interleaved
from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp
from jwrules.steps.declare import Part, Skip, par, step

DETECTOR, BORDER, AMPLIFIER = 2048, 4, 512
"""Pixels along a side of the detector, of its border of reference pixels, and of an amplifier's columns."""

MIRI_COLUMNS = 1032
"""Columns of the detectors of MIRI, the reference pixels at both ends included."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is told apart, and how the drift along the readout is smoothed."""

    odd_even_columns: bool = par(True, "measure even and odd columns apart")
    use_side_ref_pixels: bool = par(True, "take off the drift along the readout too")
    side_smoothing_length: int = par(11, "rows of the running median; an even number counts as the next odd one", ge=1)
    side_gain: float = par(1.0, "factor on the drift along the readout")
    odd_even_rows: bool = par(True, "measure even and odd rows apart (MIRI)")
    siglimit: float = par(3.0, "deviation beyond which reference pixels are left out", unit="sigma", gt=0)


def _measure(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with notes of what its rows and columns are too high, in every group."""
    if ramp.meta.get("INSTRUME") == "MIRI":
        return _measure_interleaved(ramp, params)
    dq = _as_read(ramp.pixeldq, ramp.meta)
    corner = _corner(ramp.meta, dq.shape)
    single = ramp.meta.get("NOUTPUTS") != 4 and dq.shape != (DETECTOR, DETECTOR)
    sets = _sets(list(_references(dq, corner, single, params.odd_even_columns)), dq.shape[1])
    sides = _sides(dq, corner, params, single)
    if not sets.rows.size and not sides.usable.any():
        raise Skip("there are no usable reference pixels")
    planes = ramp.data.reshape(-1, *ramp.pixeldq.shape)
    along_y, along_x = (a.reshape(*ramp.data.shape[:2], -1) for a in _drifts(planes, ramp.meta, sets, sides, params))
    ramp = ramp.noting("along_y", along_y, "igy").noting("along_x", along_x, "igx")
    if ramp.zeroframe is not None:
        along_y, along_x = _drifts(ramp.zeroframe, ramp.meta, sets, sides, params)
        ramp = ramp.noting("first_along_y", along_y, "iy").noting("first_along_x", along_x, "ix")
    return ramp


def _measure_interleaved(ramp: Ramp, params: Params) -> Ramp:
    """Note what each output of a detector of MIRI has drifted since the first group of the integration."""
    nints, ngroups, ny, nx = ramp.data.shape
    if nx != MIRI_COLUMNS:
        raise Skip(f"a subarray of {nx} columns does not hold the reference pixels of {MIRI_COLUMNS}")
    blind = np.r_[:BORDER, nx - BORDER : nx]
    usable = (ramp.pixeldq[:, blind] & np.uint32(DQ.DO_NOT_USE)) == 0
    since_first = (ramp.data[..., blind] - ramp.data[:, :1][..., blind]).reshape(nints * ngroups, ny, 2 * BORDER)
    excess = refpix_interleaved.drifts(since_first, usable, 2 if params.odd_even_rows else 1, params.siglimit)
    if np.isnan(excess).any():
        raise Skip("there are outputs without usable reference pixels")
    return ramp.noting("excess", excess.reshape(nints, ngroups, *excess.shape[1:]), "ig--")


@step(status="S_REFPIX", before=[Part(_measure, along="frames", changes="nothing")])
def refpix(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with every group and the first frames corrected (DN)."""
    notes = {name: note.array for name, note in ramp.notes.items()}
    planes = ramp.data.reshape(-1, *ramp.pixeldq.shape)
    if "excess" in notes:
        excess = notes["excess"].reshape(len(planes), *notes["excess"].shape[2:])
        refpix_interleaved.subtract(planes, excess, ramp.corner[1:])
        return ramp
    kernel.subtract(planes, *(notes[name].reshape(len(planes), -1) for name in ("along_y", "along_x")))
    if ramp.zeroframe is not None:
        no_value = ramp.zeroframe == 0
        kernel.subtract(ramp.zeroframe, notes["first_along_y"], notes["first_along_x"])
        ramp.zeroframe[no_value] = 0
    return ramp


def _drifts(
    planes: np.ndarray, meta: Meta, sets: kernel.Sets, sides: kernel.Sides, params: Params
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each row (n, ny) and each column (n, nx) of `planes` (n, ny, nx) is too high."""
    fast, slow = int(meta["FASTAXIS"]), int(meta["SLOWAXIS"])
    by_row, by_column = kernel.drifts(_as_read(planes, meta), sets, sides, params.siglimit)
    along = {abs(slow): by_row[:, :: _direction(slow)], abs(fast): by_column[:, :: _direction(fast)]}
    return along[2], along[1]


def _as_read(planes: np.ndarray, meta: Meta) -> np.ndarray:
    """Return a view (..., nrows, ncolumns) with its last axis along the fast direction of the readout."""
    fast, slow = int(meta["FASTAXIS"]), int(meta["SLOWAXIS"])
    if abs(fast) == 2:
        planes = np.swapaxes(planes, -2, -1)
    return planes[..., :: _direction(slow), :: _direction(fast)]


def _direction(axis: int) -> int:
    return 1 if axis > 0 else -1


def _corner(meta: Meta, shape: tuple[int, int]) -> tuple[int, int]:
    """Return row and column, in order of readout on the whole detector, of the first pixel that was read."""
    starts = {1: int(meta["SUBSTRT1"]) - 1, 2: int(meta["SUBSTRT2"]) - 1}
    axes = (int(meta["SLOWAXIS"]), int(meta["FASTAXIS"]))
    row, column = (
        starts[abs(axis)] if axis > 0 else DETECTOR - starts[abs(axis)] - size
        for axis, size in zip(axes, shape, strict=True)
    )
    return row, column


def _references(
    dq: np.ndarray, corner: tuple[int, int], single: bool, odd_even: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield masks of reference pixels that belong together, each with the mask (ncolumns,) of columns they serve."""
    usable = (dq & np.uint32(DQ.DO_NOT_USE)) == 0
    rows, columns = (first + np.arange(size) for first, size in zip(corner, dq.shape, strict=True))
    parities = [columns % 2 == 0, columns % 2 == 1] if odd_even else [columns >= 0]
    if single:
        usable &= (dq & np.uint32(DQ.REFERENCE_PIXEL)) != 0
        yield from ((usable & parity, parity) for parity in parities)
        return
    for first in range(0, DETECTOR, AMPLIFIER):
        amplifier = (columns >= first) & (columns < first + AMPLIFIER)
        for end in (rows < BORDER, rows >= DETECTOR - BORDER):
            for parity in parities:
                yield usable & end[:, np.newaxis] & (amplifier & parity), amplifier & parity


def _sets(references: list[tuple[np.ndarray, np.ndarray]], ncolumns: int) -> kernel.Sets:
    owners = np.full((ncolumns, 2), -1)
    rows, columns, starts = [], [], [0]
    for pixels, served in references:
        y, x = np.nonzero(pixels)
        if y.size:
            number = len(starts) - 1
            owners[served & (owners[:, 0] >= 0), 1] = number
            owners[served & (owners[:, 0] < 0), 0] = number
            rows.append(y)
            columns.append(x)
            starts.append(starts[-1] + y.size)
    if not rows:
        return kernel.Sets(np.empty(0, int), np.empty(0, int), np.array([0]), owners)
    return kernel.Sets(np.concatenate(rows), np.concatenate(columns), np.array(starts), owners)


def _sides(dq: np.ndarray, corner: tuple[int, int], params: Params, single: bool) -> kernel.Sides:
    columns = corner[1] + np.arange(dq.shape[1])
    wanted = params.use_side_ref_pixels and not single
    at_side = (columns < BORDER) | (columns >= DETECTOR - BORDER)
    return kernel.Sides(
        left=np.flatnonzero(columns < BORDER),
        right=np.flatnonzero(columns >= DETECTOR - BORDER),
        usable=((dq & np.uint32(DQ.DO_NOT_USE)) == 0) & at_side & wanted,
        below=corner[0],
        above=DETECTOR - corner[0] - dq.shape[0],
        length=params.side_smoothing_length | 1,
        gain=params.side_gain if wanted else 0.0,
    )
