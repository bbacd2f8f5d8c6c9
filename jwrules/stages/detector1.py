"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from jwrules import names
from jwrules.kernels.compiled import allowed_threads
from jwrules.products.kinds import Slopes
from jwrules.stages import exposure as exposures
from jwrules.stages.budget import Budget
from jwrules.stages.exposure import Box
from jwrules.stages.outgoing import Outgoing
from jwrules.stages.stream import Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None) -> list[Path]:
    """Return the paths of `_rate` and `_rateints`, made from the ramp at `uncal` (documentation: CALWEBB_DETECTOR1).

    `memory` is what the process may take, in megabytes; no result depends on it.
    """
    exposure = exposures.opened(uncal)
    made_from = [member(uncal, exposure.meta)]
    with ExitStack() as stack:
        rate, rateints = (
            stack.enter_context(Outgoing(bench, names.with_suffix(uncal.name, suffix), made_from))
            for suffix in ("rate", "rateints")
        )

        def give(slopes: Slopes, box: Box) -> None:
            rate.put(slopes.rate, box, exposure)
            rateints.put(slopes.rateints, box, exposure)

        stream = Stream(exposure, bench.calls, bench.pieces(exposure), Budget(memory, allowed_threads(), bench.output))
        complete = stream.run(give)
        return [one.finish(complete) for one in (rate, rateints)]
