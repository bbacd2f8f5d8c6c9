"""Leave out the first groups of an integration, in which the MIRI detectors still recover from the reset.

The reference file says how many groups that takes for a subarray and a read pattern, in the first integration and in
later ones. Three groups at least stay (the last of them goes with lastframe); of five or fewer only one is left out. A
pixel that saturates soon leaves out fewer, so that two groups remain before it saturates, and is marked
FLUX_ESTIMATED. The product tells the numbers: INT1SKIP groups, INT1BORS pixels that left out fewer, INT1UGP1 of them
that kept all; INT2... for later integrations. Source: JWST documentation, CALWEBB_DETECTOR1, reset switch charge decay.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from jwrules.kernels import rscd as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp, Rscd
from jwrules.steps.declare import Skip, step

log = logging.getLogger("jwrules")

RENAMED = {"SUBPRISM": "SLITLESSPRISM"}
"""Subarrays that older files call by another name."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """No parameters."""


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    """Return `meta` with the numbers of pixels that left out fewer groups than are wanted."""
    numbers = {name: int(number) for name, number in counts.items()}
    for name in (name for name in numbers if name.endswith("BORS")):
        log.info("rscd: %s=%d pixels left out fewer groups than %s", name, numbers[name], meta[f"{name[:4]}SKIP"])
    return meta.updated(**numbers)


@step(status="S_RSCD", along="ramps", finish=_finish)
def rscd(ramp: Ramp, params: Params, *, rscd: Rscd) -> Ramp:
    """Return the ramp with DO_NOT_USE in its first groups, and the keywords that tell how many they are."""
    if ramp.data.shape[1] < 3:
        raise Skip(f"of {ramp.data.shape[1]} groups none can be spared")
    wanted = _wanted(rscd, ramp)
    start = int(ramp.meta.get("INTSTART", 1))
    parts = {1: slice(0, 1), 2: slice(1, None)} if start == 1 else {2: slice(None)}
    for which, integrations in parts.items():
        if which == 1 or int(ramp.meta.get("NINTS", len(ramp.data))) > 1:
            ramp = _leave_out(ramp, integrations, which, wanted[which])
    return ramp


def _wanted(reference: Rscd, ramp: Ramp) -> dict[int, int]:
    """Return how many groups the first integration (1) and later ones (2) leave out, as far as there are enough."""
    subarray, pattern = str(ramp.meta["SUBARRAY"]).upper(), str(ramp.meta["READPATT"]).upper()
    asked = _row(reference, RENAMED.get(subarray, subarray), pattern)
    ngroups = ramp.data.shape[1]
    return {which: min(1 if ngroups <= 5 else max(groups, 0), ngroups - 3) for which, groups in asked.items()}


def _row(reference: Rscd, subarray: str, pattern: str) -> dict[int, int]:
    for row in reference.table:
        if (str(row["subarray"]).strip(), str(row["readpatt"]).strip()) == (subarray, pattern):
            first, later = int(row["group_skip1"]), int(row["group_skip"])
            return {1: first if first >= 0 else 1, 2: later}
    raise Skip(
        f"{reference.meta.source or 'the reference file'} has no row for SUBARRAY {subarray}, READPATT {pattern}"
    )


def _leave_out(ramp: Ramp, integrations: slice, which: int, wanted: int) -> Ramp:
    """Flag the first groups of these integrations, and count the pixels that keep some (INT1... or INT2...)."""
    flags = ramp.groupdq[integrations]
    skipped = kernel.skips((flags & np.uint8(DQ.SATURATED)) != 0, wanted)
    kernel.leave_out(flags, skipped, int(DQ.DO_NOT_USE))
    fewer = (skipped < wanted).any(axis=0)
    none = (fewer & (skipped == 0)).any(axis=0)
    ramp.pixeldq[fewer] |= np.uint32(DQ.FLUX_ESTIMATED)
    numbers = {f"INT{which}BORS": int(np.count_nonzero(fewer)), f"INT{which}UGP1": int(np.count_nonzero(none))}
    ramp = replace(ramp, meta=ramp.meta.updated(**{f"INT{which}SKIP": wanted}))
    return ramp.leaving_out(slice(0, wanted), integrations).counting(**numbers)
