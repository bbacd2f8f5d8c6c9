"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.errors import RecipeFault
from jwrules.kernels.compiled import allowed_threads
from jwrules.products import scratch, windows
from jwrules.products.kinds import Persistence, Product, Ramp, Slopes, TrapsFilled
from jwrules.stages import chain
from jwrules.stages import exposure as exposures
from jwrules.stages.boxes import Box
from jwrules.stages.budget import Budget
from jwrules.stages.exposure import Exposure
from jwrules.stages.shelf import Shelf
from jwrules.stages.stream import Sink, Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None, save: Sequence[str] = ()) -> list[Path]:
    """Return the paths of `_rate`, `_rateints` and what else is asked for (documentation: CALWEBB_DETECTOR1).

    `memory` is what the process may take, in megabytes; no result depends on it. `save` names steps whose result is
    written too, under the step's name as suffix, or `ramp`: what ramp_fit is given. What persistence finds is written
    as `_trapsfilled`, `_output_pers` and `_persistence.asdf`, and what ramp_fit finds as `_fitopt` and `_likely_chisq`,
    where their parameters say so.
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
        beside = Beside(shelf, exposure)
        if any(call.step == "persistence" and not call.skip for call in bench.calls):
            sinks["persistence"] = _both(beside.take, sinks.get("persistence"))
        budget = Budget(memory, allowed_threads(), scratch.folder() or bench.output)
        shelf.complete(Stream(exposure, bench.calls, bench.pieces(exposure), budget, sinks).run(give))
        beside.finish()
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


class Beside:
    """What persistence finds besides the ramp, on its way out."""

    def __init__(self, shelf: Shelf, exposure: Exposure) -> None:
        self._shelf, self._exposure = shelf, exposure
        self._ramp: Ramp | None = None
        self._windows: np.ndarray | None = None

    def take(self, ramp: Ramp, box: Box) -> None:
        """Write what was found in a block, or keep it until the end."""
        common: dict[str, Any] = {"meta": ramp.meta, "provenance": ramp.provenance}
        products: dict[str, Product] = {}
        if ramp.traps_filled is not None:
            products["trapsfilled"] = TrapsFilled(data=ramp.traps_filled, **common)
        if ramp.persistence is not None:
            products["output_pers"] = Persistence(data=ramp.persistence, **common)
        for suffix, product in products.items():
            self._shelf.put(suffix, product, box)
        if ramp.windows is not None:
            if self._windows is None:
                self._ramp, self._windows = ramp, np.zeros(self._exposure.frame, ramp.windows.dtype)
            self._windows[box.without_margin().of("yx")] = ramp.windows[box.inner("yx")]

    def finish(self) -> None:
        """Write what is known at the end only."""
        if self._ramp is not None and self._windows is not None:
            tree = windows.tree(self._exposure.unplaced(self._ramp.meta), self._ramp.provenance, self._windows)
            self._shelf.put_tree("persistence", tree)
