"""Steps on blocks of an exposure, as a stage that cannot hold the whole of it runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from ramp_scene import rows, segment

from jwrules.products.kinds import Ramp, Reference
from jwrules.steps.declare import Step


def in_bands(step: Step, product: Ramp, params: Any, bounds: Sequence[int], **inputs: Reference) -> list[Ramp]:
    """Return the bands of rows between `bounds`, each cut out with the margin that each part asks for, and trimmed."""
    ny = product.data.shape[2]
    bands = [(start, stop) for start, stop in zip([0, *bounds], [*bounds, ny], strict=True)]
    blocks = [rows(product, slice(*band)) for band in bands]
    for part in step.parts:
        assert part.along != "frames"
        whole, margin = _joined(blocks), part.rows(params)
        for number, (start, stop) in enumerate(bands):
            first, last = max(start - margin, 0), min(stop + margin, ny)
            block = replace(_at(rows(whole, slice(first, last)), first), counts=blocks[number].counts)
            cut = {name: _cut(reference, slice(first, last)) for name, reference in inputs.items()}
            blocks[number] = _trimmed(part(block, params, **cut), slice(start - first, stop - first))
    return blocks


def in_segments(step: Step, product: Ramp, params: Any, bounds: Sequence[int], **inputs: Reference) -> list[Ramp]:
    """Return the segments of integrations between `bounds`, after all parts of the step."""
    edges = [0, *bounds, len(product.data)]
    blocks = [segment(product, slice(*edge)) for edge in pairwise(edges)]
    for part in step.parts:
        assert part.along != "ramps"
        blocks = [part(block, params, **inputs) for block in blocks]
    return blocks


def counted(blocks: Sequence[Ramp]) -> dict[str, float]:
    """Return the sums of the counts."""
    names = blocks[0].counts
    return {name: sum(block.counts[name] for block in blocks) for name in names}


def _at(block: Ramp, first: int) -> Ramp:
    start = int(block.meta.get("SUBSTRT2", 1)) + first
    return replace(block, meta=block.meta.updated(SUBSTRT2=start, SUBSIZE2=block.data.shape[2]))


def _trimmed(block: Ramp, own: slice) -> Ramp:
    return replace(rows(block, own), counts=block.counts, left_out=block.left_out)


def _joined(blocks: Sequence[Ramp]) -> Ramp:
    joined = {
        name: np.concatenate([getattr(block, name) for block in blocks], axis=-2)
        for name in ("data", "pixeldq", "groupdq", "zeroframe")
        if getattr(blocks[0], name) is not None
    }
    return replace(blocks[0], **joined)


def _cut(reference: Reference, band: slice) -> Reference:
    arrays = {f.name: getattr(reference, f.name) for f in fields(reference) if f.name not in ("meta", "tables")}
    cut = {name: array[..., band, :] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    return replace(reference, **cut)
