"""Take the count rates of a guide star from the difference of reads.

Acquisition and track: the second read less the first, over the time between them, for each integration.
Identification: the smaller of the rates of the integrations in each pixel, which leaves out what struck one of them;
there are two, and of more the official pipeline would look at the first two.
Fine guide: the mean of the last four reads less that of the first four, over the time between the two sets.

The variance is that of the photons, rate / (gain x time), and that of the reads. The official pipeline leaves out one
division by the time in the first and takes the read noise, which is that of a difference, for that of a single read
(`noise: official`); for fine guide it takes that of two reads where eight are averaged. A pixel without a gain has no
error. Source: JWST documentation, CALWEBB_GUIDER, guider CDS step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwrules.errors import CannotRun
from jwrules.products.kinds import Gain, GuiderCal, GuiderRaw, Meta, Readnoise
from jwrules.steps.declare import par, step

_TOGETHER = "FGS_ID"
"""Exposures whose integrations give one image together."""
_READS = 4
"""Reads of fine guide that are averaged, at the beginning and at the end of an integration."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """Which noise is told."""

    noise: str = par("expected", "what ERR is: what is to be expected, or official", choices=("expected", "official"))


def _blocks(meta: Meta) -> str:
    """Return which blocks of an exposure are needed: of identification all integrations of a pixel."""
    return "ramps" if str(meta["EXP_TYPE"]).startswith(_TOGETHER) else "frames"


@step(status="S_GUICDS", along=_blocks)
def guider_cds(raw: GuiderRaw, params: Params, *, gain: Gain, readnoise: Readnoise) -> GuiderCal:
    """Return the count rates of every integration, for identification of all of them together."""
    mode, time = str(raw.meta["EXP_TYPE"]), float(raw.meta["TGROUP"])
    difference = _difference(raw.data, mode)
    return GuiderCal(
        meta=raw.meta.updated_sci(BUNIT="DN/s"),
        tables=raw.tables,
        provenance=raw.provenance,
        data=difference / np.float32(time),
        err=_error(difference, time, gain.data, _noise_of_difference(readnoise.data, mode, params), params),
        dq=np.zeros(raw.data.shape[-2:], np.uint32) if raw.dq is None else raw.dq,
    )


def _difference(data: np.ndarray, mode: str) -> np.ndarray:
    """Return how much a pixel gained (DN) in each integration, or in the least of all, (nimages, ny, nx)."""
    wanted = 2 * _READS if mode == "FGS_FINEGUIDE" else 2
    if data.shape[1] < wanted:
        raise CannotRun(f"{mode} needs {wanted} groups in each integration, the exposure has {data.shape[1]}")
    if mode == "FGS_FINEGUIDE":
        return data[:, -_READS:].mean(axis=1) - data[:, :_READS].mean(axis=1)
    gained = data[:, 1] - data[:, 0]
    return gained.min(axis=0, keepdims=True) if mode.startswith(_TOGETHER) else gained


def _noise_of_difference(readnoise: np.ndarray, mode: str, params: Params) -> np.ndarray:
    """Return the variance (DN2) that the reads give to a difference."""
    if params.noise == "official":
        return 2 * readnoise**2
    return readnoise**2 / (_READS if mode == "FGS_FINEGUIDE" else 1)


def _error(difference: np.ndarray, time: float, gain: np.ndarray, reads: np.ndarray, params: Params) -> np.ndarray:
    gain = np.where(gain > 0, gain, np.float32(np.nan))
    photons = np.maximum(difference, 0) / gain
    photons /= np.float32(time if params.noise == "official" else time**2)
    return np.sqrt(photons + reads / np.float32(time**2)).astype(np.float32)
