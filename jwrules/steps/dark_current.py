"""Subtract the dark current, read as the exposure was.

The frames of the dark are averaged and skipped as those of the exposure were. A dark that is shorter than
the exposure is extended by the difference of its last two groups. A dark with integrations of its own (MIRI) serves
those of the exposure one by one, its last one all that follow; a segment says with INTSTART where it begins. The
average dark current, in electron/s, is kept with the ramp: it adds to the Poisson variance in ramp_fit.

`dark_output` names a file in the folder of the products to which the dark is written as it was subtracted, group by
group (DN; where the file has integrations of its own, of each of these): as a reference file, which `--reference
dark=FILE` takes in turn. The name is taken as it is: give each exposure its own. The official file holds the groups of
the reference file, also those after the last one of the exposure, where both were read alike. Source: JWST
documentation, CALWEBB_DETECTOR1, dark current subtraction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import dark as kernel
from jwrules.products.kinds import Dark, DarkOfGroups, DarkOfIntegrations, Meta, Product, Ramp
from jwrules.steps.declare import par, step

log = logging.getLogger("jwrules")


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is written of the dark, and what the Poisson variance is told of it."""

    dark_output: str | None = par(None, "name of a file to which the dark is written as it is subtracted")
    average_dark_current: float | None = par(
        None, "average dark current; overrides that of the reference file", unit="electron/s", ge=0
    )


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    if counts["extended"]:
        log.warning("dark_current: the dark has fewer frames than the exposure: it is extended")
    return meta


@step(
    status="S_DARK",
    blind_to_flags=True,
    finish=_finish,
    beside=lambda params: np.dtype(np.float32).itemsize * bool(params.dark_output),
)
def dark_current(ramp: Ramp, params: Params, *, dark: Dark) -> Ramp:
    """Return the ramp with the dark (DN) subtracted from every group; ZEROFRAME is left as it is."""
    frames, gap = _readout(ramp)
    dark_frames, dark_gap = _readout(dark)
    if dark_frames > frames or dark_gap > gap:
        raise CannotRun(
            f"the dark has NFRAMES={dark_frames}, GROUPGAP={dark_gap}, more than the exposure's {frames}, {gap}: "
            "its groups cannot be split"
        )
    extended = _is_extended(dark, ramp, frames, gap, dark_frames, dark_gap)
    averaged = (dark_frames, dark_gap) != (frames, gap)
    for data, integrations in _served(dark, ramp):
        if not averaged:
            kernel.subtract_extended(ramp.data, integrations, data)
            continue
        for g in range(ramp.data.shape[1]):
            plane = kernel.group(data, g * (frames + gap), frames)
            kernel.subtract(ramp.data, integrations, plane[np.newaxis], g)
    ramp.pixeldq[...] |= dark.dq
    found = _beside(ramp, params, dark, (frames, frames + gap) if averaged else (1, 1))
    return replace(ramp, average_dark=_average(ramp, params, dark), beside=found).counting(extended=extended)


def _beside(ramp: Ramp, params: Params, dark: Dark, readout: tuple[int, int]) -> dict[str, Product]:
    """Return the dark as it is subtracted, by file name, with the first integration that it comes by.

    `readout`: how many planes of the dark make a group, and after how many the next one begins.
    """
    if not params.dark_output or ramp.corner[0]:
        return {}
    ngroups, meta = ramp.data.shape[1], ramp.meta.updated(REFTYPE="DARK")
    if dark.data.ndim == 3:
        planes = kernel.groups(dark.data, ngroups, *readout)
        return {_file(params.dark_output): DarkOfGroups(data=planes, dq=dark.dq, meta=meta)}
    planes = np.stack([kernel.groups(one, ngroups, *readout) for one in dark.data])
    return {_file(params.dark_output): DarkOfIntegrations(data=planes, dq=dark.dq[np.newaxis, np.newaxis], meta=meta)}


def _file(name: str) -> str:
    if PurePath(name).name != name:
        raise CannotRun(f"dark_output={name} is no plain name of a file; the dark goes to the folder of the products")
    return name if name.endswith(".fits") else f"{name}.fits"


def _served(dark: Dark, ramp: Ramp) -> Iterator[tuple[np.ndarray, slice]]:
    """Yield the dark of one integration (nplanes, ny, nx), and which integrations of the ramp it serves."""
    if dark.data.ndim == 3:
        yield dark.data, slice(None)
        return
    first, last = int(ramp.meta.get("INTSTART", 1)) - 1, len(dark.data) - 1
    for number in range(min(first, last), last):
        yield dark.data[number], slice(number - first, number - first + 1)
    yield dark.data[last], slice(max(last - first, 0), None)


def _readout(product: Ramp | Dark) -> tuple[int, int]:
    return int(product.meta.get("NFRAMES", 1)), int(product.meta.get("GROUPGAP", 0))


def _is_extended(dark: Dark, ramp: Ramp, frames: int, gap: int, dark_frames: int, dark_gap: int) -> bool:
    """Return whether the dark is shorter than the exposure; CannotRun where there is no rate to extend it by."""
    needed = kernel.frames_needed(ramp.data.shape[1], frames, gap)
    groups = dark.data.shape[-3]
    present = kernel.frames_needed(groups, dark_frames, dark_gap)
    if needed > present and groups < 2:
        raise CannotRun("the dark has one group: there is no rate by which to extend it to the exposure's")
    return needed > present


def _average(ramp: Ramp, params: Params, dark: Dark) -> np.ndarray:
    if params.average_dark_current is not None:
        return np.full(ramp.pixeldq.shape, params.average_dark_current, np.float32)
    if dark.average is not None and dark.average.any():
        return dark.average
    return np.full(ramp.pixeldq.shape, float(dark.meta.get("AVDRKCUR", 0.0)), np.float32)
