"""Stage 1 of a dark exposure: a raw ramp (`_uncal`) to a corrected one (`_dark`), of which no slope is fitted."""

from __future__ import annotations

from pathlib import Path

from jwrules.kernels.compiled import allowed_threads
from jwrules.products import scratch
from jwrules.products.kinds import Ramp
from jwrules.stages import chain
from jwrules.stages import exposure as exposures
from jwrules.stages.beside import Beside, givers, size
from jwrules.stages.boxes import Box
from jwrules.stages.budget import Budget
from jwrules.stages.shelf import Shelf
from jwrules.stages.stream import Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None) -> list[Path]:
    """Return the paths of `_dark`, made from the ramp at `uncal`, and of what else is asked for.

    `memory` is what the process may take, in megabytes; no result depends on it. What steps find besides the ramp is
    written as by `detector1.run`. Source: JWST documentation, CALWEBB_DARK.
    """
    chain.check(bench.calls, Ramp, Ramp)
    exposure = exposures.opened(uncal)
    with Shelf(bench, uncal.name, [member(uncal, exposure.meta)], exposure) as shelf:

        def give(ramp: Ramp, box: Box) -> None:
            shelf.put("dark", ramp, box)

        found = Beside(shelf, exposure)
        sinks = dict.fromkeys(givers(bench.calls), found.take)
        budget = Budget(memory, allowed_threads(), scratch.folder() or bench.output, size(bench.calls))
        shelf.complete(Stream(exposure, bench.calls, bench.pieces(exposure), budget, sinks).run(give))
        found.finish()
    return shelf.paths
