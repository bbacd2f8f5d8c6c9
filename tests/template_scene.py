"""Observing templates, simulated small for a test, and through the stage that starts from their ramps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jwrules import headers, plan, simulate
from jwrules.products import fits as files
from jwrules.products.kinds import Ramp, Rate, RateInts, Slopes
from jwrules.simulate import templates
from jwrules.stages import dark, detector1, guider
from jwrules.stages.workbench import Workbench, calls

PIXELS = 1 << 15
STAGES = {"detector1": detector1.run, "dark": dark.run, "guider": guider.run}


@dataclass(frozen=True)
class Taken:
    """A raw file, a segment of an exposure may be, and what is true of the whole exposure."""

    folder: Path
    raw: Path

    @property
    def detector(self) -> str:
        """The detector of the exposure."""
        return str(headers.read(self.raw)["DETECTOR"])

    def ramp(self) -> Ramp:
        return files.read(self.raw, Ramp)

    def truth(self, name: str) -> np.ndarray:
        """Return an array or table of the truth."""
        exposure, _, rest = self.raw.name.partition("-seg")
        name_of_exposure = f"{exposure}{rest[3:]}".replace("_uncal", "_truth")
        with fits.open(self.folder / "truth" / name_of_exposure) as hdus:
            hdu = hdus[name]
            return np.asarray(Table(hdu.data) if isinstance(hdu, fits.BinTableHDU) else hdu.data)

    def rate(self, ramp: Ramp) -> np.ndarray:
        """Return the true rate, DN/s, of the integrations in this file."""
        light = self.truth("LIGHT")["light"]
        first, last = ramp.meta.get("INTSTART", 1), ramp.meta.get("INTEND", len(light))
        return self.truth("RATE") * light[first - 1 : last].mean()

    def reference(self, reftype: str) -> np.ndarray:
        """Return the array of a reference file for the detector."""
        paths = self.folder.glob(f"references/*_{reftype}_*.fits")
        (path,) = (path for path in paths if headers.read(path)["DETECTOR"] == self.detector)
        return np.asarray(fits.getdata(path))


@dataclass(frozen=True)
class Made:
    """What a recipe made of a raw file: products by suffix, with these reference files by type."""

    recipe: str
    products: Mapping[str, Path]
    references: Mapping[str, Path]


def make(template: str, folder: Path, **wishes: Any) -> list[Taken]:
    """Simulate a template with few pixels; return its raw files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "SMALL", PIXELS)
        simulate.run(template, folder, seed=1, **wishes)
    return [Taken(folder, raw) for raw in sorted((folder / "uncal").iterdir())]


def made(taken: Taken, memory: int | None = None, **settings: Mapping[str, Any]) -> Made:
    """Return what the recipe of a raw file makes of it, with some options of its steps set differently."""
    sets = [f"{step}.{name}={json.dumps(value)}" for step, values in settings.items() for name, value in values.items()]
    asked = plan.Settings(taken.raw, str(taken.folder / "references"), sets=tuple(sets))
    planner = plan.planner(asked, taken.folder / "cache")
    header = headers.read(taken.raw)
    recipe = planner.recipe(header)
    assert recipe is not None
    (stage,) = recipe.stages.keys() & STAGES.keys()
    choice = planner.choose(stage, header)
    files = {kind: chosen.path for kind, chosen in choice.references.items()}
    bench = Workbench(stage, calls(choice.steps), files, taken.folder / "products")
    paths = STAGES[stage](taken.raw, bench, *([] if memory is None else [memory]))
    return Made(recipe.name, {path.stem.rpartition("_")[2]: path for path in paths}, files)


def slopes(taken: Taken, **settings: Mapping[str, Any]) -> Slopes:
    """Return the count rates that the recipe of a raw file makes of it."""
    products = made(taken, **settings).products
    return Slopes(rate=files.read(products["rate"], Rate), rateints=files.read(products["rateints"], RateInts))
