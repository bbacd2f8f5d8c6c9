"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from pathlib import Path

from jwrules import names
from jwrules.products import fits
from jwrules.products.kinds import Product, Ramp, Slopes
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(uncal: Path, bench: Workbench) -> list[Path]:
    """Return the paths of `_rate` and `_rateints`, made from the ramp at `uncal` (documentation: CALWEBB_DETECTOR1)."""
    ramp = fits.read(uncal, Ramp)
    made_from = [member(uncal, ramp.meta)]
    slopes: Slopes = last(bench.chain(fresh(ramp)))
    return [
        bench.write(names.with_suffix(uncal.name, "rate"), slopes.rate, made_from),
        bench.write(names.with_suffix(uncal.name, "rateints"), slopes.rateints, made_from),
        *(bench.write(name, product, made_from) for name, product in on_request(uncal, slopes).items()),
    ]


def on_request(uncal: Path, slopes: Slopes) -> dict[str, Product]:
    """Return what `ramp_fit` keeps with `save_opt`, by file name: that of the exposure, or FILENAME (`opt_name`)."""
    kept = {"fitopt": slopes.fitopt, "likely_chisq": slopes.chisq}
    return {
        f"{names.stem(product.meta.get('FILENAME') or uncal.name)}_{suffix}.fits": product
        for suffix, product in kept.items()
        if product is not None
    }
