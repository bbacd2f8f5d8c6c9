"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from pathlib import Path

from jwrules import names
from jwrules.products import fits
from jwrules.products.kinds import Ramp, Slopes
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(uncal: Path, bench: Workbench) -> list[Path]:
    """Return the paths of `_rate` and `_rateints`, made from the ramp at `uncal` (documentation: CALWEBB_DETECTOR1)."""
    ramp = fits.read(uncal, Ramp)
    made_from = [member(uncal, ramp.meta)]
    slopes: Slopes = last(bench.chain(fresh(ramp)))
    return [
        bench.write(names.with_suffix(uncal.name, "rate"), slopes.rate, made_from),
        bench.write(names.with_suffix(uncal.name, "rateints"), slopes.rateints, made_from),
    ]
