"""A product on its way out, block by block: complete under its final name at the end, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from jwrules.products import fits
from jwrules.products.kinds import Product
from jwrules.stages.boxes import Box
from jwrules.stages.exposure import Exposure
from jwrules.stages.workbench import Workbench


class Outgoing:
    """A product of a stage, called `name`; the first block brings its keywords, tables and provenance."""

    def __init__(self, bench: Workbench, name: str, made_from: Sequence[Mapping[str, Any]]) -> None:
        self._bench, self._path, self._made_from = bench, bench.output / name, made_from
        self._stack = ExitStack()
        self._file: fits.Growing | None = None
        self._first: Any = None

    def __enter__(self) -> Self:
        self._temporary = self._stack.enter_context(fits.arriving(self._path))
        return self

    def __exit__(self, *error: Any) -> bool | None:
        if self._file is not None:
            self._file.close()
        return self._stack.__exit__(*error)

    def put(self, product: Product, box: Box, exposure: Exposure, shape: Sequence[int] | None = None) -> None:
        """Write a block; the first one is to come alone. `shape` is that of the exposure, where it is another now."""
        axes = {name: where.axes for name, where in fits.declared(type(product)).items()}
        if self._file is None:
            sizes = dict(zip("igyx", shape or exposure.shape, strict=True))
            shapes = {
                name: tuple(sizes.get(letter, size) for letter, size in zip(letters, array.shape, strict=True))
                for name, letters in axes.items()
                if (array := getattr(product, name)) is not None
            }
            provenance = self._bench.provenance(product, self._made_from)
            self._first = replace(product, meta=exposure.unplaced(product.meta), provenance=provenance)
            self._file = fits.Growing(self._temporary, self._path, self._first, shapes)
            # What is said at the end needs no pixels, and those of a long series are many.
            self._first = replace(self._first, **dict.fromkeys(shapes, np.empty(0)))
        inner = box.without_margin()
        now = {name: letters for name, letters in axes.items() if "i" in letters or box.i.start == 0}
        boxes = {name: inner.of(letters) for name, letters in now.items()}
        self._file.put(product, boxes, {name: box.inner(letters) for name, letters in now.items()})

    def finish(self, complete: Callable[[Any], Any]) -> Path:
        """Write what is known at the end only; return the path that the product will have."""
        assert self._file is not None
        self._file.finish(complete(self._first))
        return self._path
