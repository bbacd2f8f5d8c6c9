"""Where light is known to fall on a detector, whatever the exposure shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import soss_traces
from jwrules.products.flags import DQ
from jwrules.products.kinds import BackgroundMask, Flat, Pastasoss, Ramp

FIXED_SLITS = slice(922, 1116)
"""Rows of a full frame of NIRSpec that the fixed slits illuminate."""

HALF_WIDTH, CORNER = 16, (1793, 1)
"""Half the width of a spectrum of SOSS; SUBSTRT2 and SUBSTRT1 of the subarray that its traces are measured in."""


class Sky(NamedTuple):
    """Where no light is known to fall, and from which σ on it is: planes (n, ny, nx) of `each` integration, or one.

    `common` (ny, nx) is where none falls in any integration of the exposure.
    """

    planes: np.ndarray
    n_sigma: float
    common: np.ndarray
    each: bool = False

    @classmethod
    def beside(cls, lit: np.ndarray, n_sigma: float) -> Sky:
        """Return what is not `lit` (ny, nx)."""
        return cls(~lit[np.newaxis], n_sigma, ~lit)

    @classmethod
    def said(cls, mask: BackgroundMask, ramp: Ramp) -> Sky:
        """Return what a person says of the integrations of a ramp; CannotRun where it is of others.

        Of a segment the planes are its own, or those of all integrations of the exposure.
        """
        planes = mask.data.reshape(-1, *ramp.pixeldq.shape) != 0
        first, last = ramp.corner[0], ramp.corner[0] + len(ramp.data)
        nints = int(ramp.meta.get("NINTS", last))
        is_part = int(ramp.meta.get("EXSEGTOT", 1)) > 1 and last <= len(planes) <= nints
        if len(planes) not in (1, max(nints, last)) and not is_part:
            raise CannotRun(
                f"user_mask: {mask.meta.source} has {len(planes)} planes, and the exposure {nints} integrations;"
                " give one plane, or one for each integration"
            )
        if is_part and len(planes) == nints:
            first = int(ramp.meta.get("INTSTART", first + 1)) - 1
        each = len(planes) > 1
        return cls(planes[first : first + len(ramp.data)] if each else planes, 0.0, planes.all(axis=0), each)

    def of(self, rates: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield each of `rates` (m, ny, nx), or the only one for each plane, with its plane."""
        number = max(len(rates), len(self.planes))
        return zip(*(np.broadcast_to(one, (number, *one.shape[1:])) for one in (rates, self.planes)), strict=True)


def light_falls(ramp: Ramp, flat: Flat | None = None, pastasoss: Pastasoss | None = None) -> np.ndarray:
    """Return where (ny, nx) light is known to fall, or what is seen is not the sky (imaging with MIRI).

    For NIRSpec these are pixels of shutters that are stuck open, and the fixed slits behind other apertures.
    """
    exposure = str(ramp.meta.get("EXP_TYPE", ""))
    if exposure == "MIR_IMAGE":
        return _blind(ramp.pixeldq, flat)
    if exposure == "NIS_SOSS":
        return _spectra(ramp, pastasoss)
    lit = np.zeros(ramp.pixeldq.shape, bool)
    if exposure.startswith("NRS"):
        lit |= (ramp.pixeldq & np.uint32(DQ.MSA_FAILED_OPEN)) != 0
    if exposure in ("NRS_IFU", "NRS_MSASPEC"):
        lit[FIXED_SLITS] = True
    return lit


def _blind(dq: np.ndarray, flat: Flat | None) -> np.ndarray:
    unknown = np.zeros(dq.shape, bool)
    if flat is not None:
        dq, unknown = dq | flat.dq, ~np.isfinite(flat.data) | (flat.data == 0)
    return unknown | ((dq & np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE | DQ.NO_FLAT_FIELD)) != 0)


def _spectra(ramp: Ramp, pastasoss: Pastasoss | None) -> np.ndarray:
    if pastasoss is None:
        raise CannotRun("the spectra cannot be masked without a reference file of type 'pastasoss'")
    tree, angle = pastasoss.tree, float(ramp.meta["PWCPOS"])
    low, high = tree["meta"]["pwcpos_bounds"]
    if not low <= angle <= high:
        raise CannotRun(f"PWCPOS={angle} is not from {low} to {high}, for which {pastasoss.meta.source} tells traces")
    turned = angle - tree["meta"]["pwcpos_cmd"]
    waves = np.linspace(*(tree["meta"][f"wavemap_{name}"] for name in ("wlmin", "wlmax", "nwl")))
    starts = (int(ramp.meta["SUBSTRT2"]) - CORNER[0], int(ramp.meta["SUBSTRT1"]) - CORNER[1])
    rows, columns = (first + np.arange(n) for first, n in zip(starts, ramp.pixeldq.shape, strict=True))
    lit = np.zeros(ramp.pixeldq.shape, bool)
    for trace, solution in zip(tree["traces"], tree["wavecal_models"], strict=True):
        track = soss_traces.track(trace, solution, turned, waves)
        lit |= soss_traces.beside(track, rows, columns, HALF_WIDTH)
    return lit
