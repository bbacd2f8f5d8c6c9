"""Stage 1 of a dark exposure: a raw ramp (`_uncal`) to a corrected one (`_dark`), of which no slope is fitted."""

from __future__ import annotations

from pathlib import Path

from jwrules import names
from jwrules.products import fits
from jwrules.products.kinds import Ramp
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(uncal: Path, bench: Workbench) -> list[Path]:
    """Return the path of `_dark`, made from the ramp at `uncal` (documentation: CALWEBB_DARK)."""
    ramp = fits.read(uncal, Ramp)
    made_from = [member(uncal, ramp.meta)]
    return [bench.write(names.with_suffix(uncal.name, "dark"), last(bench.chain(fresh(ramp))), made_from)]
