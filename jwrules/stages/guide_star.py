"""An exposure of a guide star that may be larger than memory: its reads, and flags for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.products import fits
from jwrules.products.kinds import GuiderRaw
from jwrules.stages.boxes import Box
from jwrules.stages.exposure import Exposure
from jwrules.stages.workbench import fresh

WORKED_ON = 40
"""Bytes of an integration of a pixel in a block beside its reads: rates, errors, and what is on the way to them."""


class GuideStar(Exposure):
    """Reads on disk; the flags, where there are any already, are kept as a map."""

    def block(self, box: Box, stored: Sequence[str], *, first: bool = True, without_data: bool = False) -> GuiderRaw:
        """Return a block, as it was read from the file; only the `first` one has a header with comments."""
        known = self._start.get("dq")
        return GuiderRaw(
            meta=self._placed(self.meta if first else self.bare, box),
            tables=self.tables,
            provenance=self.provenance,
            data=self._large("data", box, kept=False),
            dq=None if known is None else known[box.of("yx")].copy(),
        )

    @property
    def beside(self) -> int:
        """The bytes for each read of a pixel of what a block takes beside its reads."""
        return -(-WORKED_ON // self.shape[1])


def opened(path: Path) -> GuideStar:
    """Return the exposure in the file at `path`, nothing of its reads read yet; DataFault as `products.fits.read`."""
    about = fits.described(path, GuiderRaw)
    shape: Any = about.sources["data"].shape
    maps = {"pixeldq": np.zeros(shape[-2:], np.uint32)}
    if "dq" in about.sources:
        maps["dq"] = about.sources["dq"].read((), np.uint32)
    sources = {"data": about.sources["data"]}
    star: GuideStar = fresh(GuideStar(about.meta, about.tables, about.provenance, shape, sources, maps=maps))
    return star
