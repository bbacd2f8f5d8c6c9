"""Subtract the electromagnetic interference that the readout of MIRI picks up: waves of known frequencies.

Each pixel sees a wave at the phase of the moment in which it is read. The reference file holds the shape of every wave,
which of them a subarray and its read pattern pick up, and the timing of the readout. `joint` looks for the amplitude
and phase of a wave that make the ramps straightest; integrations share one amplitude and keep time with each other
unless `fit_ints_separately`. `sequential` averages by phase what a line leaves of each ramp, and turns and scales the
known wave to that; it wants ten groups or more. With `onthefly_corr_freq` it takes the average itself, at these
frequencies, and needs no reference file. Frequencies are taken off one after the other. Source: JWST documentation,
CALWEBB_DETECTOR1, EMI correction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import interference, interference_folded, interference_joint
from jwrules.kernels.interference import Clock, Wave
from jwrules.products.kinds import Emicorr, Ramp
from jwrules.steps.declare import Skip, par, step

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


class Case(NamedTuple):
    """What a subarray picks up: ticks for a row and for a frame, waves as (name, frequency in Hz, shape or None)."""

    row: int
    frame: int
    waves: list[tuple[str, float, np.ndarray | None]]


@step(status="S_MIREMI")
def emicorr(ramp: Ramp, params: Params, *, emicorr: Emicorr | None = None) -> Ramp:
    """Return the ramp (DN) without the waves."""
    pattern, subarray = str(ramp.meta["READPATT"]).upper(), str(ramp.meta["SUBARRAY"]).upper()
    if pattern not in PATTERNS:
        raise Skip(f"READPATT {pattern} is none of {', '.join(PATTERNS)}")
    if ramp.data.shape[1] < 3:
        raise Skip(f"{ramp.data.shape[1]} groups do not tell a wave from a line")
    speed = "SLOW" if "SLOW" in pattern else "FAST"
    name = f"{subarray}_{speed}" if "FULL" in subarray else subarray
    case = _case(emicorr, name, speed, str(ramp.meta["DETECTOR"]), params)
    clock = _clock(ramp, case, pattern)
    for label, frequency, shape in case.waves:
        found = list(_waves(ramp, clock, case, TICKS / frequency, shape, params))
        for integration, (wave, start) in zip(ramp.data, found, strict=True):
            interference.subtract(integration, clock, wave, start)
        log.info("emicorr: %s, %.3f Hz: %.3f DN from peak to peak", label, frequency, np.ptp(found[0][0].table))
    return ramp


def _case(reference: Emicorr | None, name: str, speed: str, detector: str, params: Params) -> Case:
    if params.onthefly_corr_freq is not None:
        if name not in CLOCKS:
            raise Skip(f"the timing of subarray {name} is not known")
        return Case(*CLOCKS[name], [(f"{one} Hz", one, None) for one in params.onthefly_corr_freq])
    if reference is None:
        raise CannotRun("there is no reference file of type 'emicorr', and no onthefly_corr_freq")
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


def _clock(ramp: Ramp, case: Case, pattern: str) -> Clock:
    rows = ramp.data.shape[2]
    frame = rows * case.row + (ROWS - rows) * IDLE_ROW
    return Clock(int(ramp.meta["NSAMPLES"]), case.row, frame, case.frame if pattern.endswith("R1") else 0)


def _waves(
    ramp: Ramp, clock: Clock, case: Case, period: float, shape: np.ndarray | None, params: Params
) -> Iterator[tuple[Wave, float]]:
    """Yield the wave and its phase at the start of each integration."""
    if shape is not None and params.algorithm == "joint":
        together = not params.fit_ints_separately
        usable = ramp.pixeldq == 0
        yield from interference_joint.waves(ramp.data, usable, clock, period, shape, together=together)
        return
    nints, ngroups = ramp.data.shape[:2]
    if ngroups < 4:
        raise Skip(f"{ngroups} groups are too few to average by phase; algorithm 'joint' needs 3")
    phased = params.nints_to_phase or interference_folded.integrations_for(
        params.use_n_cycles, period, case.frame, ngroups, nints
    )
    bins = min(params.nbins or int(period / 2), MOST_BINS)
    begins = interference.starts(clock, period, nints, ngroups)
    folded = interference_folded.fold(ramp.data[:phased], clock, period, bins, begins[:phased])
    wave = interference_folded.wave_of(folded, period, shape, scaled=params.scale_reference)
    yield from ((wave, begin) for begin in begins)
