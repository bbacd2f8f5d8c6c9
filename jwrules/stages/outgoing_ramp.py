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
from jwrules.products.stored import Source
from jwrules.stages.boxes import Box
from jwrules.stages.exposure import AXES, CARRIED, LARGE, MAPS, Exposure
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
        shapes = {n: tuple(sizes[axis] for axis in AXES[n]) for n in fits.declared(Ramp) if n in AXES}
        provenance = self._bench.provenance(ramp, self._made_from)
        meta = exposure.unplaced(ramp.meta)
        self._first = replace(ramp, meta=meta, tables=exposure.tables, provenance=provenance, beside={})
        self._carried = exposure.sources.get(CARRIED)
        if self._carried is not None:
            shapes[CARRIED] = self._carried.shape
            self._first = replace(self._first, **{CARRIED: np.broadcast_to(np.float32(0), self._carried.shape)})
        self._file = fits.Growing(self._temporary, self._path, self._first, shapes)
        self._lock = threading.Lock()
        known = {name: getattr(ramp, name) for name in MAPS if name in shapes and getattr(ramp, name) is not None}
        self._maps = {name: np.zeros(shapes[name], value.dtype) for name, value in known.items()}

    def finish(self, complete: Callable[[Any], Any]) -> Path:
        """Write the maps, and what else is known at the end only; return the path that the product will have."""
        assert self._file is not None
        everywhere = {name: tuple(slice(None) for _ in AXES[name]) for name in self._maps}
        self._file.put(replace(self._first, **self._maps), everywhere, everywhere)
        if self._carried is not None:
            self._carry(self._carried, self._file)
        return super().finish(complete)

    def _carry(self, source: Source, file: fits.Growing) -> None:
        """Copy what no step sees, group by group."""
        everything = {CARRIED: (slice(None),)}
        for i, g in np.ndindex(*source.shape[:2]):
            piece = slice(i, i + 1), slice(g, g + 1), slice(None), slice(None)
            file.put(replace(self._first, **{CARRIED: source.read(piece)}), {CARRIED: piece}, everything)
