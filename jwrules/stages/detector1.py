"""Stage 1: a raw ramp (`_uncal`) to count rates (`_rate`, `_rateints`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwrules import names
from jwrules.products import fits, trees, windows
from jwrules.products.kinds import Persistence, Product, Ramp, Slopes, TrapsFilled
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(uncal: Path, bench: Workbench) -> list[Path]:
    """Return the paths of `_rate` and `_rateints`, made from the ramp at `uncal` (documentation: CALWEBB_DETECTOR1).

    What persistence finds goes before them, where it is asked to keep it: `_trapsfilled`, `_output_pers`, and
    `_persistence.asdf`.
    """
    ramp = fits.read(uncal, Ramp)
    made_from, made = [member(uncal, ramp.meta)], list[Path]()

    def write(products: Mapping[str, Product]) -> None:
        made.extend(bench.write(names.with_suffix(uncal.name, end), one, made_from) for end, one in products.items())

    def write_beside(ramp: Ramp) -> None:
        write(beside(ramp))
        if ramp.windows is not None:
            path = bench.output / names.with_suffix(uncal.name, "persistence")
            made.append(trees.write(path.with_suffix(".asdf"), windows.tree(ramp, ramp.windows)))

    slopes: Slopes = last(bench.chain(fresh(ramp)), {"persistence": write_beside})
    write({"rate": slopes.rate, "rateints": slopes.rateints})
    return made


def beside(ramp: Ramp) -> dict[str, Product]:
    """Return, by suffix, the products that persistence makes besides the ramp."""
    products: dict[str, Product] = {}
    common: dict[str, Any] = {"meta": ramp.meta, "provenance": ramp.provenance}
    if ramp.traps_filled is not None:
        products["trapsfilled"] = TrapsFilled(data=ramp.traps_filled, **common)
    if ramp.persistence is not None:
        products["output_pers"] = Persistence(data=ramp.persistence, **common)
    return products
