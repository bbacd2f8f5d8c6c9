"""Leave out the first groups of an integration, in which MIRI recovers from the reset, or correct them.

Method `flag`: the reference file says how many groups that takes for a subarray and a read pattern, in the first
integration and in later ones. Three groups at least stay (the last of them goes with lastframe); of five or fewer only
one is left out. A pixel that saturates soon leaves out fewer, so that two groups remain before it saturates, and is
marked FLUX_ESTIMATED. The product tells the numbers: INT1SKIP groups, INT1BORS pixels that left out fewer, INT1UGP1 of
them that kept all; INT2... for later integrations.

Method `decay`, that of the documentation: integrations after the first have lost counts that decay exponentially, as a
share of the last counts of the integration before; they are given back. The share follows from those counts, or, where
they were saturated, from what they would have been (a straight line through the unsaturated groups, at the last one).
Odd and even rows differ. It needs a reference file of the older format, with a table RSCD. The first integration of a
file stays as it is: in a segment, the one before it is not known. Source: JWST documentation, CALWEBB_DETECTOR1, reset
switch charge decay; description of the rscd step and of its reference file (format before 2020).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import rscd as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Ramp, Rscd
from jwrules.steps.declare import Skip, par, step

log = logging.getLogger("jwrules")

RENAMED = {"SUBPRISM": "SLITLESSPRISM"}
"""Subarrays that older files call by another name."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is done about the first groups."""

    method: Literal["flag", "decay"] = par("flag", "leave the first groups out, or correct them for the decay")


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    """Return `meta` with the numbers of pixels that left out fewer groups than are wanted."""
    numbers = {name: int(number) for name, number in counts.items()}
    for name in (name for name in numbers if name.endswith("BORS")):
        log.info("rscd: %s=%d pixels left out fewer groups than %s", name, numbers[name], meta[f"{name[:4]}SKIP"])
    return meta.updated(**numbers)


@step(
    status="S_RSCD",
    along="ramps",
    changes=lambda params: "flags" if params.method == "flag" else "all",
    finish=_finish,
)
def rscd(ramp: Ramp, params: Params, *, rscd: Rscd) -> Ramp:
    """Return the ramp with DO_NOT_USE in its first groups, and how many they are; or with the decay given back (DN)."""
    if ramp.data.shape[1] < 3:
        raise Skip(f"of {ramp.data.shape[1]} groups none can be spared")
    if params.method == "decay":
        return _undo_decay(ramp, rscd)
    wanted = _wanted(rscd, ramp)
    start = int(ramp.meta.get("INTSTART", 1))
    parts = {1: slice(0, 1), 2: slice(1, None)} if start == 1 else {2: slice(None)}
    for which, integrations in parts.items():
        if which == 1 or int(ramp.meta.get("NINTS", len(ramp.data))) > 1:
            ramp = _leave_out(ramp, integrations, which, wanted[which])
    return ramp


def _wanted(reference: Rscd, ramp: Ramp) -> dict[int, int]:
    """Return how many groups the first integration (1) and later ones (2) leave out, as far as there are enough."""
    row = _rows(reference, reference.table, "RSCD_GROUP_SKIP", ramp.meta)[0]
    first, later = int(row["group_skip1"]), int(row["group_skip"])
    asked, ngroups = {1: first if first >= 0 else 1, 2: later}, ramp.data.shape[1]
    return {which: min(1 if ngroups <= 5 else max(groups, 0), ngroups - 3) for which, groups in asked.items()}


def _rows(reference: Rscd, table: Any, extension: str, meta: Meta) -> list[Any]:
    """Return the rows of a table that are for the subarray and read pattern of the exposure: one at least."""
    source = reference.meta.source or "the reference file"
    if table is None:
        raise CannotRun(f"{source} has no table {extension}; choose the other method, or another reference file")
    subarray, pattern = str(meta["SUBARRAY"]).upper(), str(meta["READPATT"]).upper()
    ours, patterns = RENAMED.get(subarray, subarray), (pattern, pattern.removesuffix("R1"))
    found = [row for row in table if _name(row["subarray"]) == ours and _text(row["readpatt"]) in patterns]
    if not found:
        raise Skip(f"{source} has no row for SUBARRAY {ours}, READPATT {pattern}")
    return found


def _name(subarray: Any) -> str:
    return RENAMED.get(_text(subarray), _text(subarray))


def _text(value: Any) -> str:
    return str(value).strip().upper()


def _leave_out(ramp: Ramp, integrations: slice, which: int, wanted: int) -> Ramp:
    """Flag the first groups of these integrations, and count the pixels that keep some (INT1... or INT2...)."""
    flags = ramp.groupdq[integrations]
    skipped = kernel.skips(flags, int(DQ.SATURATED), wanted)
    kernel.leave_out(flags, skipped, int(DQ.DO_NOT_USE))
    fewer = np.any(skipped < wanted, axis=0)
    none = np.any(fewer & (skipped == 0), axis=0)
    ramp.pixeldq[fewer] |= np.uint32(DQ.FLUX_ESTIMATED)
    numbers = {
        f"INT{which}BORS": int(np.count_nonzero(fewer[ramp.own])),
        f"INT{which}UGP1": int(np.count_nonzero(none[ramp.own])),
    }
    ramp = replace(ramp, meta=ramp.meta.updated(**{f"INT{which}SKIP": wanted}))
    return ramp.leaving_out(slice(0, wanted), integrations).counting(**numbers)


def _undo_decay(ramp: Ramp, reference: Rscd) -> Ramp:
    rows = {_text(row["rows"]): row for row in _rows(reference, reference.decay, "RSCD", ramp.meta)}
    if missing := {"ODD", "EVEN"} - rows.keys():
        raise CannotRun(f"{reference.meta.source or 'the reference file'}[RSCD] has no row for {sorted(missing)} rows")
    if int(ramp.meta.get("INTSTART", 1)) > 1:
        log.warning("rscd: the first integration of this segment stays as it is: the one before it is not known")
    odd, even = (_decay(rows[kind], ramp.data.shape[1]) for kind in ("ODD", "EVEN"))
    blind = (ramp.pixeldq & np.uint32(DQ.REFERENCE_PIXEL)) != 0
    first_row = int(ramp.meta["SUBSTRT2"])
    kernel.undo_decay(ramp.data, ramp.groupdq, int(DQ.SATURATED), blind, odd, even, first_row)
    return ramp


def _decay(row: Any, ngroups: int) -> kernel.Decay:
    def quadratic(*columns: str) -> float:
        return sum(float(row[column]) * ngroups**power for power, column in enumerate(columns))

    return kernel.Decay(
        tau=float(row["tau"]),
        height=float(row["ascale"]) * quadratic("illum_zp", "illum_slope", "illum2"),
        power=float(row["pow"]),
        width=float(row["param3"]),
        crossover=float(row["crossopt"]),
        slope=quadratic("sat_zp", "sat_slope", "sat_2") + float(row["sat_rowterm"]),
        offset=float(row["sat_mzp"]),
        stretch=float(row["sat_scale"]),
    )
