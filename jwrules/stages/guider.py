"""Guide-star exposures: reads (`_uncal`) to count rates (`_cal`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jwrules import names
from jwrules.kernels.compiled import allowed_threads
from jwrules.products import scratch
from jwrules.products.kinds import GuiderCal, GuiderRaw
from jwrules.stages import chain, guide_star
from jwrules.stages.boxes import Box
from jwrules.stages.budget import Budget
from jwrules.stages.outgoing import Outgoing
from jwrules.stages.stream import Stream
from jwrules.stages.workbench import Workbench, member


def run(uncal: Path, bench: Workbench, memory: int | None = None) -> list[Path]:
    """Return the path of `_cal`, made from the reads at `uncal` (documentation: CALWEBB_GUIDER).

    `memory` is what the process may take, in megabytes; no result depends on it.
    """
    chain.check(bench.calls, GuiderRaw, GuiderCal)
    reads = guide_star.opened(uncal)
    with Outgoing(bench, f"{names.stem(uncal)}_cal.fits", [member(uncal, reads.meta)]) as cal:

        def give(rates: GuiderCal, box: Box) -> None:
            nints, images = box.i.stop - box.i.start, len(rates.data)
            if images < nints:  # all integrations together have given one image
                box, shape = replace(box, i=slice(0, images)), (images, *reads.shape[1:])
            else:
                shape = reads.shape
            cal.put(rates, box, reads, shape)

        budget = Budget(memory, allowed_threads(), scratch.folder() or bench.output, reads.beside)
        return [cal.finish(Stream(reads, bench.calls, bench.pieces(reads), budget).run(give))]
