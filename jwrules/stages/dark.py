"""Stage 1 of a dark exposure: a raw ramp (`_uncal`) to a corrected one (`_dark`), of which no slope is fitted."""

from __future__ import annotations

from pathlib import Path

from jwrules import names
from jwrules.kernels.compiled import allowed_threads
from jwrules.products import scratch
from jwrules.products.kinds import Ramp
from jwrules.stages import chain
from jwrules.stages import exposure as exposures
from jwrules.stages.boxes import Box
from jwrules.stages.budget import Budget
from jwrules.stages.outgoing_ramp import OutgoingRamp
from jwrules.stages.stream import Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None) -> list[Path]:
    """Return the path of `_dark`, made from the ramp at `uncal` (documentation: CALWEBB_DARK).

    `memory` is what the process may take, in megabytes; no result depends on it.
    """
    chain.check(bench.calls, Ramp, Ramp)
    exposure = exposures.opened(uncal)
    made_from = [member(uncal, exposure.meta)]
    with OutgoingRamp(bench, names.with_suffix(uncal.name, "dark"), made_from) as dark:

        def give(ramp: Ramp, box: Box) -> None:
            dark.put(ramp, box, exposure)

        budget = Budget(memory, allowed_threads(), scratch.folder() or bench.output)
        stream = Stream(exposure, bench.calls, bench.pieces(exposure), budget)
        return [dark.finish(stream.run(give))]
