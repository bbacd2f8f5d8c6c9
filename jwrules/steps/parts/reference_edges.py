"""Reference pixels at the edges of a near-infrared detector, for the step `refpix`: what they show, and how it goes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import refpix as kernel
from jwrules.kernels import refpix_sets, refpix_sirs
from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp, SirsKernel
from jwrules.products.stripes import is_striped
from jwrules.steps.declare import Skip

if TYPE_CHECKING:
    from jwrules.steps.refpix import Params

log = logging.getLogger("jwrules")

DETECTOR, BORDER = refpix_sets.DETECTOR, refpix_sets.BORDER
EDGELESS = ("SUB512", "SUB512S", "SUB32")
"""Subarrays of NIRSpec whose first and last columns serve as reference pixels."""


def note(ramp: Ramp, params: Params, sirskernel: SirsKernel | None) -> Ramp:
    """Return the ramp with notes of what its rows and columns are too high, in every group and first frame.

    Skip where there is no usable reference pixel.
    """
    readout, striped = _readout(ramp.meta), is_striped(ramp.meta)
    dq = readout.as_read(_with_edges(ramp))
    corner = (0, readout.first(readout.fast, dq.shape[1])) if striped else readout.corner(dq.shape)
    if min(corner) < 0 or max(np.add(corner, dq.shape)) > DETECTOR:
        raise Skip(f"a frame of {dq.shape} pixels (as read) from {corner} on does not lie on the detector")
    single = striped or (ramp.meta.get("NOUTPUTS") != 4 and dq.shape != (DETECTOR, DETECTOR))
    kernels = _kernels(ramp.meta, dq.shape, params, sirskernel)
    usable = (dq & np.uint32(DQ.DO_NOT_USE)) == 0
    gain = params.side_gain if params.use_side_ref_pixels and not single and kernels is None else 0.0
    sides = refpix_sets.sides(usable, corner, params.side_smoothing_length, gain)
    parities = refpix_sets.parities(corner[1], dq.shape[1], params.odd_even_columns)
    amplifiers = [*refpix_sets.amplifiers(corner[1], dq.shape[1])]
    blind = usable & ((dq & np.uint32(DQ.REFERENCE_PIXEL)) != 0)
    if striped:
        sets = refpix_sets.of_stripes(blind, amplifiers, parities)
    elif single:
        sets = refpix_sets.together(blind, parities)
    else:
        sets = refpix_sets.of_amplifiers(usable, corner, amplifiers, parities)
    if not sets.rows.size and not sides.usable.any() and kernels is None:
        raise Skip("there are no usable reference pixels")
    given = {"": ramp.data} | ({} if ramp.zeroframe is None else {"first_": ramp.zeroframe})
    ramp = ramp.noting("kind", readout.turned(sets.kind, readout.fast), _letter(readout.fast))
    for prefix, data in given.items():
        planes = readout.as_read(data.reshape(-1, *data.shape[-2:]))
        by_row, by_kind = kernel.drifts(planes, sets, sides, params.siglimit)
        ramp = ramp.noting(f"{prefix}fast", by_kind.reshape(*data.shape[:-2], -1), "ig"[: data.ndim - 2] + "-")
        drifts = {} if sides.gain == 0 else {"slow": by_row}
        if kernels is not None:
            drifts["amplifiers"] = refpix_sirs.drifts(planes, by_kind[:, sets.kind], *kernels, params.sigreject)
        ramp = _noting(ramp, prefix, drifts, data.shape[:-2], readout)
    return ramp


def _noting(
    ramp: Ramp, prefix: str, drifts: Mapping[str, np.ndarray], frames: tuple[int, ...], readout: refpix_sets.Readout
) -> Ramp:
    """Note drifts (n, ..., nrows) of all frames along the slow direction of the readout."""
    for name, drift in drifts.items():
        axes = "ig"[: len(frames)] + "-" * (drift.ndim - 2) + _letter(readout.slow)
        ramp = ramp.noting(prefix + name, readout.turned(drift, readout.slow).reshape(*frames, *drift.shape[1:]), axes)
    return ramp


def _letter(axis: int) -> str:
    return "xy"[abs(axis) - 1]


def subtract(ramp: Ramp, notes: Mapping[str, np.ndarray]) -> None:
    """Take off, in place, what was noted."""
    readout = _readout(ramp.meta)
    _subtract(ramp.data.reshape(-1, *ramp.pixeldq.shape), notes, "", readout)
    if ramp.zeroframe is not None:
        no_value = ramp.zeroframe == 0
        _subtract(ramp.zeroframe, notes, "first_", readout)
        ramp.zeroframe[no_value] = 0


def _subtract(planes: np.ndarray, notes: Mapping[str, np.ndarray], prefix: str, readout: refpix_sets.Readout) -> None:
    fast, kind, n = notes[f"{prefix}fast"].reshape(len(planes), -1), notes["kind"], len(planes)
    slow = notes[f"{prefix}slow"].reshape(n, -1) if f"{prefix}slow" in notes else None
    if abs(readout.fast) == 1:
        kernel.subtract(planes, np.zeros((n, planes.shape[1]), np.float32) if slow is None else slow, fast, kind)
    elif slow is None:
        kernel.subtract(planes, fast[:, kind], np.zeros((n, 1), np.float32), np.zeros(planes.shape[2], int))
    else:
        kernel.subtract(planes, fast[:, kind], slow, np.arange(planes.shape[2]))
    if (drifts := notes.get(prefix + "amplifiers")) is not None:
        drifts = drifts.reshape(len(planes), *drifts.shape[-2:])
        of_columns = abs(readout.fast) == 1
        refpix_sirs.subtract(planes, drifts, readout.amplifier(planes.shape), of_columns=of_columns)


def _readout(meta: Meta) -> refpix_sets.Readout:
    return refpix_sets.Readout(
        *(int(meta[k]) for k in ("SLOWAXIS", "FASTAXIS")), *(int(meta[k]) - 1 for k in ("SUBSTRT1", "SUBSTRT2"))
    )


def _with_edges(ramp: Ramp) -> np.ndarray:
    """Return pixeldq with the first and last columns as reference pixels, in subarrays that need them."""
    if ramp.meta.get("SUBARRAY") not in EDGELESS:
        return ramp.pixeldq
    dq = ramp.pixeldq.copy()
    dq[:, [*range(BORDER), *range(-BORDER, 0)]] |= np.uint32(DQ.REFERENCE_PIXEL)
    return dq


def _kernels(
    meta: Meta, shape: tuple[int, int], params: Params, sirskernel: SirsKernel | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the kernels of both sides, None where the running median serves."""
    if params.refpix_algorithm != "sirs" or not params.use_side_ref_pixels or shape != (DETECTOR, DETECTOR):
        return None
    ours = None if sirskernel is None else sirskernel.tree.get(str(meta["DETECTOR"]).lower())
    if ours is None:
        log.warning("refpix: there are no kernels for %s: the running median serves", meta["DETECTOR"])
        return None
    gamma, zeta = (np.asarray(ours[name]) for name in ("gamma", "zeta"))
    if params.halfwidth >= gamma.shape[1]:
        raise CannotRun(f"halfwidth={params.halfwidth}: the kernels are shorter; give less than {gamma.shape[1]}")
    left, right = (refpix_sirs.kernels(one, params.gaussmooth, params.halfwidth) for one in (gamma, zeta))
    return left, right
