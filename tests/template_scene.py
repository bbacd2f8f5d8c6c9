"""Observing templates, simulated small for a test, and through stage 1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table

from jwrules import headers, house, references, simulate
from jwrules.products import fits as files
from jwrules.products.kinds import Ramp, Slopes
from jwrules.products.reference import open_reference
from jwrules.simulate import templates
from jwrules.stages import chain

PIXELS = 1 << 15


@dataclass(frozen=True)
class Taken:
    """A raw file, a segment of an exposure may be, and what is true of the whole exposure."""

    folder: Path
    raw: Path

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


def make(template: str, folder: Path, **wishes: Any) -> list[Taken]:
    """Simulate a template with few pixels; return its raw files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(templates, "SMALL", PIXELS)
        simulate.run(template, folder, seed=1, **wishes)
    return [Taken(folder, raw) for raw in sorted((folder / "uncal").iterdir())]


def slopes(taken: Taken, **settings: dict[str, Any]) -> Slopes:
    """Return what stage 1 makes of a raw file, by the base recipe of its detector with some steps set differently."""
    header = headers.read(taken.raw)
    chosen = references.open(taken.folder / "references", taken.folder / "ledger.json")

    def opened(kind: Any, product: Any) -> Any:
        one = product.rate if isinstance(product, Slopes) else product
        file = chosen.choose([kind.reftype], header, {"emicorr", "superbias"})[kind.reftype]
        return file and open_reference(file.path, kind, one.meta, one.data.shape[-2:])

    base = "mid_infrared" if header["INSTRUME"] == "MIRI" else "near_infrared"
    calls = [replace(one, params={**one.params, **settings.get(one.step, {})}) for one in _calls(base)]
    *_, (_, made) = chain.run(taken.ramp(), calls, opened, {})
    return made


def _calls(base: str) -> Iterator[chain.Call]:
    recipe = yaml.safe_load((house.root() / f"recipes/base/{base}.yaml").read_text())
    for entry in recipe["stages"]["detector1"]:
        step, options = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
        yield chain.Call(step, {k: v for k, v in options.items() if k != "skip"}, skip=options.get("skip", False))
