"""What steps find besides the ramp, on its way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jwrules.products import windows
from jwrules.products.kinds import Meta, Persistence, Product, Ramp, StoredTree, TrapsFilled
from jwrules.stages.boxes import Box
from jwrules.stages.chain import Call
from jwrules.stages.exposure import Exposure
from jwrules.stages.shelf import Shelf
from jwrules.steps import find

FINDS_MORE = ("emicorr", "persistence", "dark_current", "picture_frame", "clean_flicker_noise")
"""Steps on ramps that find products of their own."""


def givers(calls: Sequence[Call]) -> list[str]:
    """Return the steps that are asked for more than the ramp; persistence keeps its traps unless it is told not to."""
    found = [call for call in calls if call.step in FINDS_MORE and not call.skip]
    return [one.step for one in found if one.step == "persistence" or _saves(one)]


def _saves(call: Call) -> bool:
    return any(value for name, value in call.params.items() if name.startswith("save_") or name == "dark_output")


def size(calls: Sequence[Call]) -> int:
    """Return the bytes for each group of a pixel of what steps give beside a block."""
    steps = [(find(call.step), call.params) for call in calls if not call.skip]
    return sum(step.beside(step.params(**params)) for step, params in steps)


def _meta(product: Product, ramp: Ramp) -> Meta:
    """Return the keywords of the ramp, stamped by now, and those that the step gave to its product alone."""
    own = {name: value for name, value in product.meta.primary.items() if name not in ramp.meta.primary}
    return replace(ramp.meta.updated(**own), sci=product.meta.sci)


class Beside:
    """The products that steps find besides the ramp of an exposure, on their way to a shelf."""

    def __init__(self, shelf: Shelf, exposure: Exposure) -> None:
        self._shelf, self._exposure = shelf, exposure
        self._trees: dict[str, Mapping[str, Any]] = {}
        self._ramp: Ramp | None = None
        self._windows: np.ndarray | None = None

    def take(self, ramp: Ramp, box: Box) -> None:
        """Write what was found in a block, or keep it until the end."""
        common: dict[str, Any] = {"meta": ramp.meta, "provenance": ramp.provenance}
        products: dict[str, Product] = {}
        if ramp.traps_filled is not None:
            products["trapsfilled"] = TrapsFilled(data=ramp.traps_filled, **common)
        if ramp.persistence is not None:
            products["output_pers"] = Persistence(data=ramp.persistence, **common)
        for suffix, product in ramp.beside.items():
            if isinstance(product, StoredTree):
                self._trees[suffix] = product.tree
                continue
            products[suffix] = replace(product, meta=_meta(product, ramp), provenance=ramp.provenance)
        for suffix, product in products.items():
            self._shelf.put(suffix, product, box)
        if ramp.windows is not None:
            if self._windows is None:
                self._ramp, self._windows = ramp, np.zeros(self._exposure.frame, ramp.windows.dtype)
            self._windows[box.without_margin().of("yx")] = ramp.windows[box.inner("yx")]

    def finish(self) -> None:
        """Write what is known at the end only."""
        for suffix, tree in self._trees.items():
            self._shelf.put_tree(suffix, tree)
        if self._ramp is not None and self._windows is not None:
            tree = windows.tree(self._exposure.unplaced(self._ramp.meta), self._ramp.provenance, self._windows)
            self._shelf.put_tree("persistence", tree)
