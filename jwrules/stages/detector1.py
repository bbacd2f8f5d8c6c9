"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jwrules.errors import RecipeFault
from jwrules.kernels.compiled import allowed_threads
from jwrules.products import scratch
from jwrules.products.kinds import Ramp, Slopes
from jwrules.stages import chain
from jwrules.stages import exposure as exposures
from jwrules.stages.beside import Beside, givers, size
from jwrules.stages.boxes import Box
from jwrules.stages.budget import Budget
from jwrules.stages.shelf import Shelf
from jwrules.stages.stream import Sink, Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None, save: Sequence[str] = ()) -> list[Path]:
    """Return the paths of `_rate`, `_rateints` and what else is asked for (documentation: CALWEBB_DETECTOR1).

    `memory` is what the process may take, in megabytes; no result depends on it. `save` names steps whose result is
    written too, under the step's name as suffix, or `ramp`: what ramp_fit is given. What emicorr finds is written as
    `_emi_ref_waves.asdf`, what persistence finds as `_trapsfilled`, `_output_pers` and `_persistence.asdf`, what
    dark_current subtracts under the name that it is given, what picture_frame finds as `_pctfrm_mask` and
    `_pctfrm_correction`, what clean_flicker_noise finds as `_mask`, `_flicker_bkg` and `_flicker_noise`, and what
    ramp_fit finds as `_fitopt` and `_likely_chisq`, where their parameters say so.
    """
    chain.check(bench.calls, Ramp, Slopes)
    exposure = exposures.opened(uncal)
    with Shelf(bench, uncal.name, [member(uncal, exposure.meta)], exposure) as shelf:

        def give(slopes: Slopes, box: Box) -> None:
            shelf.put("rate", slopes.rate, box)
            shelf.put("rateints", slopes.rateints, box)
            for suffix, product in (("fitopt", slopes.fitopt), ("likely_chisq", slopes.chisq)):
                if product is not None:
                    shelf.put(suffix, product, box)

        sinks = {step: _saving(shelf, suffix) for suffix, step in _saved(bench, save)}
        found = Beside(shelf, exposure)
        for step in givers(bench.calls):
            sinks[step] = _both(found.take, sinks.get(step))
        budget = Budget(memory, allowed_threads(), scratch.folder() or bench.output, size(bench.calls))
        shelf.complete(Stream(exposure, bench.calls, bench.pieces(exposure), budget, sinks).run(give))
        found.finish()
    return shelf.paths


def _saved(bench: Workbench, save: Sequence[str]) -> list[tuple[str, str]]:
    """Return (suffix, step) of each result that is to be written."""
    steps = [call.step for call in bench.calls]
    fitted = steps.index("ramp_fit")
    known = {**dict.fromkeys(steps[:fitted]), "ramp": None}
    if unknown := [one for one in save if one not in known]:
        raise RecipeFault(f"--save: {', '.join(unknown)} cannot be saved; there are {', '.join(known)}")
    return [(one, steps[fitted - 1] if one == "ramp" else one) for one in save]


def _saving(shelf: Shelf, suffix: str) -> Sink:
    return lambda ramp, box: shelf.put(suffix, ramp, box)


def _both(one: Sink, other: Sink | None) -> Sink:
    def take(product: Any, box: Box) -> None:
        one(product, box)
        if other is not None:
            other(product, box)

    return take
