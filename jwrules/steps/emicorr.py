"""Subtract the electromagnetic interference that the readout of MIRI picks up: waves of known frequencies.

Each pixel sees a wave at the phase of the moment in which it is read. The reference file holds the shape of every wave,
which of them a subarray and its read pattern pick up, and the timing of the readout. `joint` looks for the amplitude
and phase of a wave that make the ramps straightest; integrations share one amplitude and keep time with each other
unless `fit_ints_separately`. `sequential` averages by phase what a line leaves of each ramp, and turns and scales the
known wave to that; it wants ten groups or more. With `onthefly_corr_freq` it takes the average itself, at these
frequencies, and needs no reference file. Frequencies are taken off one after the other.

Such averages are written as a reference file with `save_intermediate_results`, `_emi_ref_waves.asdf`: the waves (DN) in
equal parts of their period, and the timing of the subarray. `--reference emicorr=FILE` takes it. With a reference file
of its own the step writes none, as the official one. That names full frames FULL and read patterns FASTR1 and the like
in its file, where it does not find them again; here they are named as in any file of this type. Source: JWST
documentation, CALWEBB_DETECTOR1, EMI correction.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import interference, interference_folded, interference_joint
from jwrules.kernels.interference import Clock, Wave
from jwrules.products.kinds import Emicorr, Meta, Note, Ramp, StoredTree
from jwrules.steps.declare import Part, Skip, par, step

log = logging.getLogger("jwrules")

TICKS = 100_000
"""Ticks of the pixel clock in a second."""
ROWS, IDLE_ROW = 1024, 7
"""Rows of the detector, and ticks that each row takes which a subarray passes over."""
PATTERNS = ("FAST", "FASTR1", "SLOW", "SLOWR1")
MOST_BINS = 500
CLOCKS = {
    "SLITLESSPRISM": (28, 15904),
    "MASKLYOT": (90, 32400),
    "SUB64": (28, 8512),
    "SUB128": (44, 11904),
    "MASK1140": (82, 23968),
    "MASK1550": (82, 23968),
    "MASK1065": (82, 23968),
    "FULL_FAST": (271, 277504),
    "FULL_SLOW": (2333, 2388992),
    "BRIGHTSKY": (162, 86528),
    "SUB256": (96, 29952),
}
"""Ticks for a row and for a frame, where no reference file tells them."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """How a wave is found, in how much of the exposure, and which ones."""

    algorithm: Literal["sequential", "joint"] = par("joint", "how amplitude and phase are found")
    nints_to_phase: int | None = par(None, "integrations that are averaged by phase (sequential)", ge=1)
    nbins: int | None = par(None, "parts of the period that are averaged (sequential); half its ticks if none", ge=2)
    scale_reference: bool = par(True, "scale the known wave to the one found (sequential)")
    onthefly_corr_freq: tuple[float, ...] | None = par(None, "frequencies to take off without reference", unit="Hz")
    use_n_cycles: int | None = par(3, "periods that are averaged, in whole integrations; all if none", ge=1)
    fit_ints_separately: bool = par(False, "an amplitude and phase for each integration (joint)")
    save_intermediate_results: bool = par(False, "write the waves of onthefly_corr_freq as _emi_ref_waves")


class Case(NamedTuple):
    """What a subarray picks up: ticks for a row and for a frame, waves as (name, frequency in Hz, shape or None)."""

    row: int
    frame: int
    waves: list[tuple[str, float, np.ndarray | None]]


def _rounds(meta: Meta, params: Params, *, emicorr: Emicorr | None = None) -> int:
    """Return how many waves there are."""
    return len(_case(emicorr, meta, params).waves)


def _listen(ramp: Ramp, params: Params, *, emicorr: Emicorr | None = None) -> Ramp:
    """Note what tells the wave of this round from the ramps."""
    if ramp.data.shape[1] < 3:
        raise Skip(f"{ramp.data.shape[1]} groups do not tell a wave from a line")
    case = _case(emicorr, ramp.meta, params)
    clock, (_, frequency, shape) = _clock(ramp.meta, case, ramp.pixeldq.shape[0]), case.waves[ramp.round]
    if shape is not None and params.algorithm == "joint":
        sums = interference_joint.sums_of(ramp.data, ramp.pixeldq == 0, clock, TICKS / frequency)
        ramp = ramp.noting("ramps", sums.ramps, "ig-").noting("pixels", sums.pixels, "i-")
    else:
        ramp = _fold(ramp, clock, case, frequency, params)
    about = np.array([ramp.round, *clock, int(ramp.meta.get("NINTS", len(ramp.data))), ramp.data.shape[1]])
    return ramp.noting("about", about, "-")


def _fold(ramp: Ramp, clock: Clock, case: Case, frequency: float, params: Params) -> Ramp:
    """Note what lines leave of the first integrations, beside what was noted of those before these."""
    nints, ngroups = int(ramp.meta.get("NINTS", len(ramp.data))), ramp.data.shape[1]
    if ngroups < 4:
        raise Skip(f"{ngroups} groups are too few to average by phase; algorithm 'joint' needs 3")
    period, first = TICKS / frequency, ramp.corner[0]
    phased = params.nints_to_phase or interference_folded.integrations_for(
        params.use_n_cycles, period, case.frame, ngroups, nints
    )
    mine = ramp.data[: max(phased - first, 0)]
    if not len(mine):
        return ramp
    begins = interference.starts(clock, period, first + len(mine), ngroups)[first:]
    values, indices = interference_folded.rests(mine, clock, period, _bins(period, params), begins)
    if first:
        values = np.concatenate([ramp.notes["values"].array, values])
        indices = np.concatenate([ramp.notes["indices"].array, indices])
    return ramp.noting("values", values, "-").noting("indices", indices, "-")


def _bins(period: float, params: Params) -> int:
    return min(params.nbins or int(period / 2), MOST_BINS)


def _settle(
    notes: Mapping[str, Note], meta: Meta, params: Params, *, emicorr: Emicorr | None = None
) -> Mapping[str, Note]:
    """Return the notes with the wave of this round: its table, and amplitude and phase for each integration."""
    number, *ticks, nints, ngroups = notes["about"].array
    clock = Clock(*ticks)
    label, frequency, shape = _case(emicorr, meta, params).waves[int(number)]
    period = TICKS / frequency
    if "ramps" in notes:
        assert shape is not None
        sums = interference_joint.Sums(notes["ramps"].array, notes["pixels"].array)
        separately = params.fit_ints_separately
        heights, phases = interference_joint.fits(sums, clock, period, shape, together=not separately)
        table, steps = interference_joint.table_of(shape), float(interference_joint.STEPS)
    else:
        bins = _bins(period, params)
        folded = interference_folded.fold(notes["values"].array, notes["indices"].array, bins)
        wave = interference_folded.wave_of(folded, period, shape, scaled=params.scale_reference)
        table, steps = wave.table, wave.steps
        phases = interference.starts(clock, period, int(nints), int(ngroups))
        heights = np.ones(len(phases))
    log.info("emicorr: %s, %.3f Hz: %.3f DN from peak to peak", label, frequency, np.ptp(table) * abs(heights[0]))
    found = {name: note for name, note in notes.items() if name[-1].isdigit()}
    k = int(number)
    found |= {} if "ramps" in notes else {f"folded{k}": Note(folded, "-")}
    found |= {f"table{k}": Note(table, "-"), f"clock{k}": Note(np.array([*clock, period, steps]), "-")}
    return found | {f"heights{k}": Note(heights, "i"), f"phases{k}": Note(phases, "i")}


@step(
    status="S_MIREMI",
    blind_to_flags=True,
    before=[Part(_listen, along="frames", awaited=True, settle=_settle, changes="nothing")],
    rounds=_rounds,
    wants={"emicorr": {"onthefly_corr_freq": None}},
)
def emicorr(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp (DN) without the waves, and what is to be written of them."""
    table, clock, heights, phases = (
        ramp.notes[f"{name}{ramp.round}"].array for name in ("table", "clock", "heights", "phases")
    )
    *ticks, period, steps = clock
    for integration, height, phase in zip(ramp.data, heights, phases, strict=True):
        wave = Wave(period, (height * table).astype(np.float32), steps)
        interference.subtract(integration, Clock(*ticks), wave, phase, ramp.corner[1:])
    if params.save_intermediate_results and params.onthefly_corr_freq is not None:
        ramp = replace(ramp, beside={"emi_ref_waves": StoredTree(meta=ramp.meta, tree=_tree(ramp, params))})
    return ramp


def _tree(ramp: Ramp, params: Params) -> dict[str, Any]:
    """Return the waves that were found up to this round, as a reference file holds them."""
    case, (name, speed) = _case(None, ramp.meta, params), _readout(ramp.meta)
    found = params.onthefly_corr_freq or ()
    waves = {
        repr(float(one)): {"frequency": float(one), "phase_amplitudes": ramp.notes[f"folded{k}"].array}
        for k, one in enumerate(found[: ramp.round + 1])
    }
    labels: Any = [*waves] if speed == "FAST" else {str(ramp.meta["DETECTOR"]): [*waves]}
    timing = {"rowclocks": case.row, "frameclocks": case.frame, "freqs": {speed: labels}}
    date = ramp.meta.get("DATE-OBS")
    told = {} if date is None else {"useafter": f"{date}T00:00:00", "pedigree": f"INFLIGHT {date} {date}"}
    about = {"reftype": "emicorr", "telescope": "JWST", "instrument": {"name": "MIRI"}, "author": "jwrules", **told}
    about["description"] = "Waves that emicorr found in one exposure"
    return {"meta": about, "frequencies": waves, "subarray_cases": {name: timing}}


def _readout(meta: Meta) -> tuple[str, str]:
    """Return the name of the subarray, as reference files know it, and FAST or SLOW."""
    subarray, speed = str(meta["SUBARRAY"]).upper(), "SLOW" if "SLOW" in str(meta["READPATT"]).upper() else "FAST"
    return f"{subarray}_{speed}" if "FULL" in subarray else subarray, speed


def _case(reference: Emicorr | None, meta: Meta, params: Params) -> Case:
    """Return what the exposure picks up; Skip where it is not known to pick up anything."""
    pattern, (name, speed) = str(meta["READPATT"]).upper(), _readout(meta)
    if pattern not in PATTERNS:
        raise Skip(f"READPATT {pattern} is none of {', '.join(PATTERNS)}")
    if params.onthefly_corr_freq is not None:
        if name not in CLOCKS:
            raise Skip(f"the timing of subarray {name} is not known")
        return Case(*CLOCKS[name], [(f"{one} Hz", one, None) for one in params.onthefly_corr_freq])
    if reference is None:
        raise CannotRun("there is no reference file of type 'emicorr', and no onthefly_corr_freq")
    return _listed(reference, name, speed, str(meta["DETECTOR"]))


def _listed(reference: Emicorr, name: str, speed: str, detector: str) -> Case:
    found = reference.tree["subarray_cases"].get(name)
    labels = None if found is None else _labels(found["freqs"], speed, detector)
    if not labels:
        raise Skip(f"{reference.meta.source} knows no interference of {name}, {speed}, {detector}")
    waves = [reference.tree["frequencies"][label] for label in labels]
    shapes = [np.asarray(wave["phase_amplitudes"], float) for wave in waves]
    frequencies = [float(wave["frequency"]) for wave in waves]
    return Case(int(found["rowclocks"]), int(found["frameclocks"]), list(zip(labels, frequencies, shapes, strict=True)))


def _labels(by_speed: Mapping[str, Any], speed: str, detector: str) -> list[str]:
    """Return the names of the waves: those of slow readout are listed by detector."""
    found = by_speed.get(speed, [])
    return list(found.get(detector, []) if isinstance(found, Mapping) else found)


def _clock(meta: Meta, case: Case, rows: int) -> Clock:
    """Return the clock of a readout of `rows` rows."""
    frame = rows * case.row + (ROWS - rows) * IDLE_ROW
    pattern = str(meta["READPATT"]).upper()
    return Clock(int(meta["NSAMPLES"]), case.row, frame, case.frame if pattern.endswith("R1") else 0)
