"""Take off or flag the charge of earlier, brighter signals that a pixel still gives off.

There are two methods. `window`, that of today's official pipeline, flags: a window of `persistence_time` opens when a
pixel saturates, or exceeds `dn_threshold`, and lasts through the groups and integrations that follow. Without
`persistence_time` there is nothing to do. The windows that are open at the end of an exposure are saved on request
(`_persistence.asdf`), and the next exposure of the detector goes on with them where it is given that file (`--reference
persistence_array_file=FILE`); those of another `persistence_time` do not count. Rows and columns in it are those of the
whole detector, so that subarrays can be told from each other; the official pipeline counts within the subarray.

`traps`, that of the documentation, subtracts: families of traps capture charge while a pixel is bright and release it
exponentially. The reference files trapdensity, trappars and persat say how. The traps that are filled at the end of an
exposure are its product `_trapsfilled`. The next exposure of the detector is given that file (`--reference
trapsfilled=FILE`); without it, all traps are empty at its start. What is left of them at EXPSTART follows from the time
since EXPEND. A segment goes on where that of the segment before it ends. The file covers the pixels of its exposure:
one of a subarray serves that subarray. Pixels from which `flag_pers_cutoff` or more is taken off are flagged
PERSISTENCE. Source: JWST documentation, CALWEBB_DETECTOR1, persistence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import persistence as flagging
from jwrules.kernels import traps as kernel
from jwrules.products import windows
from jwrules.products.flags import DQ
from jwrules.products.kinds import Meta, Persat, PersistenceArray, Ramp, TrapDensity, TrapPars, TrapsFilled
from jwrules.steps.declare import Skip, par, step

log = logging.getLogger("jwrules")

NEVER_FULL = 1e7
"""Full well (DN) where the reference file has none."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is done about persistence: how long it lasts and what brings it about, or what is kept of the traps."""

    method: Literal["window", "traps"] = par("window", "flag a time window, or subtract what traps release")
    persistence_time: int | None = par(None, "how long persistence lasts (window)", unit="s", gt=0)
    dn_threshold: float | None = par(
        None, "signal from which on there is persistence; none: saturation (window)", unit="DN"
    )
    persistence_dnu: bool = par(False, "set DO_NOT_USE too (window)")
    flag_pers_cutoff: float | None = par(40.0, "flag pixels from which as much is taken off (traps)", unit="DN")
    save_persistence: bool | None = par(
        None, "write what was taken off as _output_pers (traps), open windows as _persistence.asdf (window)"
    )
    save_trapsfilled: bool = par(True, "write the traps filled at the end as _trapsfilled (traps)")


def _finish(meta: Meta, counts: Mapping[str, float], params: Params) -> Meta:
    if "flagged" in counts:
        log.info("persistence: %d pixels lost %g DN or more", counts["flagged"], params.flag_pers_cutoff)
    return meta


def _changes(params: Params) -> str:
    return "flags" if params.method == "window" else "all"


@step(
    status="S_PERSIS",
    along="ramps",
    changes=_changes,
    finish=_finish,
    wants={
        **{name: {"method": "traps"} for name in ("trapdensity", "trappars", "persat", "trapsfilled")},
        "persistence_array_file": {"method": "window"},
    },
)
def persistence(
    ramp: Ramp,
    params: Params,
    *,
    trapdensity: TrapDensity | None = None,
    trappars: TrapPars | None = None,
    persat: Persat | None = None,
    trapsfilled: TrapsFilled | None = None,
    persistence_array_file: PersistenceArray | None = None,
) -> Ramp:
    """Return the ramp with PERSISTENCE in groupdq, or with less signal, PERSISTENCE in pixeldq, and its traps."""
    if params.method == "window":
        return _flag_windows(ramp, params, persistence_array_file)
    if trapdensity is None or trappars is None or persat is None:
        raise _lacking(ramp, trapdensity=trapdensity, trappars=trappars, persat=persat)
    families = _families(trappars)
    filled = _filled_at_start(ramp, families, trapsfilled)
    subtracted = np.zeros(ramp.data.shape if params.save_persistence else (0, 0, 0, 0), np.float32)
    largest = kernel.subtract(
        ramp.data,
        ramp.groupdq,
        filled,
        kernel.Pixels(_density(trapdensity), _full_well(persat)),
        families,
        _reset_times(ramp.meta),
        kernel.Bits(int(DQ.SATURATED), int(DQ.JUMP_DET)),
        _number(ramp.meta) > 1,
        subtracted,
    )
    ramp = replace(ramp, persistence=subtracted) if params.save_persistence else ramp
    ramp = replace(ramp, traps_filled=filled.astype(np.float32)) if params.save_trapsfilled else ramp
    return ramp if params.flag_pers_cutoff is None else _flag(ramp, largest >= params.flag_pers_cutoff)


def _flag(ramp: Ramp, where: np.ndarray) -> Ramp:
    ramp.pixeldq[where] |= np.uint32(DQ.PERSISTENCE)
    return ramp.counting(flagged=int(np.count_nonzero(where[ramp.own])))


def _lacking(ramp: Ramp, **references: Any) -> Exception:
    names = ", ".join(name for name, reference in references.items() if reference is None)
    if ramp.meta.get("INSTRUME") in ("MIRI", "NIRSPEC"):
        return Skip(f"{ramp.meta['INSTRUME']} has no reference file of type {names}")
    return CannotRun(f"method 'traps' needs a reference file of type {names}; 'window' needs none")


def _families(trappars: TrapPars) -> kernel.Families:
    columns = ("capture0", "capture2", "capture1", "decay_param")
    slow, at_once, capture, release = (np.array(trappars.table[name], np.float64) for name in columns)
    if not slow.size:
        raise CannotRun(f"{trappars.meta.source or 'the trappars reference file'} has no row: there are no traps")
    return kernel.Families(slow, at_once, np.abs(capture), np.abs(release))


def _filled_at_start(ramp: Ramp, families: kernel.Families, trapsfilled: TrapsFilled | None) -> np.ndarray:
    """Return how many traps of each family are filled when the exposure starts, (nfamilies, ny, nx)."""
    wanted = (families.slow.size, *ramp.pixeldq.shape)
    if trapsfilled is None:
        if _number(ramp.meta) > 1:
            log.warning("persistence: without trapsfilled of the segment before it this one starts with empty traps")
        return np.zeros(wanted)
    if trapsfilled.data.shape != wanted:
        raise CannotRun(f"trapsfilled has shape {trapsfilled.data.shape}; the families of trappars need {wanted}")
    filled = np.nan_to_num(trapsfilled.data.astype(np.float64))
    if _is_of_segment_before(trapsfilled.meta, ramp.meta):
        return filled
    seconds = (float(ramp.meta["EXPSTART"]) - float(trapsfilled.meta["EXPEND"])) * windows.SECONDS_PER_DAY
    if seconds < 0:
        raise CannotRun(f"trapsfilled is of an exposure that ends {-seconds:.0f} s after this one starts")
    return kernel.release(filled, families, seconds)


def _is_of_segment_before(before: Meta, meta: Meta) -> bool:
    return before.get("EXPSTART") == meta.get("EXPSTART") and before.get("INTEND") == _number(meta) - 1


def _number(meta: Meta) -> int:
    """Return the number of the first integration in the file."""
    return int(meta.get("INTSTART", 1))


def _density(trapdensity: TrapDensity) -> np.ndarray:
    bad = np.isnan(trapdensity.data) | ((trapdensity.dq & np.uint32(DQ.DO_NOT_USE)) != 0)
    return np.where(bad, np.float32(0), trapdensity.data)


def _full_well(persat: Persat) -> np.ndarray:
    known = np.where(np.isnan(persat.data), np.float32(NEVER_FULL), persat.data)
    return np.where((persat.dq & np.uint32(DQ.DO_NOT_USE)) != 0, np.float32(np.inf), known)


def _reset_times(meta: Meta) -> kernel.Times:
    """Return the times of groups and resets; one reset where the header does not say, none for MIRI."""
    usual, frame = 0 if meta.get("INSTRUME") == "MIRI" else 1, float(meta["TFRAME"])
    first, between = (int(meta.get(keyword, usual)) for keyword in ("NRSTSTRT", "NRESETS"))
    return kernel.Times(float(meta["TGROUP"]), first * frame, between * frame)


def _flag_windows(ramp: Ramp, params: Params, earlier: PersistenceArray | None) -> Ramp:
    if params.persistence_time is None:
        raise Skip("persistence_time is not given")
    if earlier is not None or params.save_persistence:
        windows.refuse_stripes(ramp.meta)
    groups = float(ramp.meta["TGROUP"]) * np.arange(1, ramp.data.shape[1] + 1)
    times, duration = windows.starts(ramp)[:, np.newaxis] + groups, float(params.persistence_time)
    start = 0.0 if earlier is None and not params.save_persistence else windows.start(ramp)
    ends = -np.inf if earlier is None else windows.handed_on(ramp, earlier, duration) - start
    ends = np.where(ends > times[0, 0] + duration, -np.inf, ends) + np.zeros(ramp.pixeldq.shape)
    flagging.flag_windows(
        ramp.data,
        ramp.groupdq,
        times,
        duration,
        np.inf if params.dn_threshold is None else params.dn_threshold,
        int(DQ.SATURATED),
        int(DQ.PERSISTENCE | (DQ.DO_NOT_USE if params.persistence_dnu else 0)),
        ends,
    )
    return replace(ramp, windows=np.where(ends >= times[-1, -1], ends + start, 0)) if params.save_persistence else ramp
