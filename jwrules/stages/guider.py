"""Guide-star exposures: reads (`_uncal`) to count rates (`_cal`)."""

from __future__ import annotations

from pathlib import Path

from jwrules import names
from jwrules.products import fits
from jwrules.products.kinds import GuiderRaw
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(uncal: Path, bench: Workbench) -> list[Path]:
    """Return the path of `_cal`, made from the reads at `uncal` (documentation: CALWEBB_GUIDER)."""
    reads = fits.read(uncal, GuiderRaw)
    made_from = [member(uncal, reads.meta)]
    return [bench.write(f"{names.stem(uncal)}_cal.fits", last(bench.chain(fresh(reads))), made_from)]
