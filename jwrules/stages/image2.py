"""Stage 2 for images: count rates (`_rate`) to calibrated exposures (`_cal`) and a resampled one (`_i2d`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jwrules import names
from jwrules.products import fits
from jwrules.products.kinds import Image, Mosaic, Rate
from jwrules.stages.workbench import Workbench, fresh, member


def run(rate: Path, bench: Workbench, background: Sequence[Path] = (), *, save_bsub: bool = False) -> list[Path]:
    """Return the paths of what was made from `rate`: `_cal`, `_i2d` where the recipe resamples, `_bsub` on request.

    `background` are rate files of background exposures (documentation: CALWEBB_IMAGE2).
    """
    science = fits.read(rate, Rate)
    skies = tuple(fits.read(path, Rate) for path in background)
    made_from = [member(rate, science.meta)]
    made_from += [member(p, s.meta, "background") for p, s in zip(background, skies, strict=True)]
    made: dict[str, Rate | Image | Mosaic] = {}
    for step, product in bench.chain(fresh(science), {"background": skies or None}):
        if step == "background" and save_bsub and skies:
            made["bsub"] = product
        made["i2d" if isinstance(product, Mosaic) else "cal"] = product[0] if isinstance(product, tuple) else product
    return [bench.write(names.with_suffix(rate.name, s), p, made_from) for s, p in made.items()]
