"""A ramp on its way out, block by block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.products import fits
from jwrules.products.kinds import Ramp
from jwrules.stages.boxes import Box
from jwrules.stages.exposure import AXES, LARGE, MAPS, Exposure
from jwrules.stages.outgoing import Outgoing


class OutgoingRamp(Outgoing):
    """A ramp as a product. Its maps, PIXELDQ above all, are known when all blocks are."""

    def put(self, ramp: Any, box: Box, exposure: Exposure, shape: Sequence[int] | None = None) -> None:
        """Write the groups of a block; the first one is to come alone."""
        ny, nx = ramp.data.shape[-2:]
        if (ny, nx) != (box.y.stop - box.y.start, box.x.stop - box.x.start):
            box = Box(box.i, slice(0, ny), slice(0, nx))  # a step gave whole frames of another size
            frame = (ny, nx)
        else:
            frame = exposure.frame
        if self._file is None:
            self._begin(ramp, exposure, frame)
        assert self._file is not None
        inner = box.without_margin()
        self._file.put(ramp, {n: inner.of(AXES[n]) for n in LARGE}, {n: box.inner(AXES[n]) for n in LARGE})
        with self._lock:
            for name, whole in self._maps.items():
                index, part = inner.of(AXES[name]), getattr(ramp, name)[box.inner(AXES[name])]
                whole[index] = whole[index] | part if name == "pixeldq" else part

    def _begin(self, ramp: Ramp, exposure: Exposure, frame: tuple[int, int]) -> None:
        sizes = dict(zip("igyx", (*exposure.shape[:2], *frame), strict=True))
        shapes = {name: tuple(sizes[axis] for axis in AXES[name]) for name in fits.declared(Ramp)}
        provenance = self._bench.provenance(ramp, self._made_from)
        meta = exposure.unplaced(ramp.meta)
        self._first = replace(ramp, meta=meta, tables=exposure.tables, provenance=provenance, beside={})
        self._file = fits.Growing(self._temporary, self._path, self._first, shapes)
        self._lock = threading.Lock()
        known = {name: getattr(ramp, name) for name in MAPS if name in shapes and getattr(ramp, name) is not None}
        self._maps = {name: np.zeros(shapes[name], value.dtype) for name, value in known.items()}

    def finish(self, complete: Callable[[Any], Any]) -> Path:
        """Write the maps, and what else is known at the end only; return the path that the product will have."""
        assert self._file is not None
        everywhere = {name: tuple(slice(None) for _ in AXES[name]) for name in self._maps}
        self._file.put(replace(self._first, **self._maps), everywhere, everywhere)
        return super().finish(complete)
