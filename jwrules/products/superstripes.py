"""Superstripe exposures: frames that hold a stripe of the detector each, another one in each integration.

A round of SSTR_NST integrations reads the detector, or a part of it, once. Until the reference pixels have served, its
frames lie side by side in one wide frame, so that every step sees an integration of an exposure that is like any other,
with one PIXELDQ and one cut of each reference file. Then the lines that saw light are put where they belong: what is
left is an exposure of an ordinary subarray. Source: JWST documentation, NIRISS SOSS and NIRCam superstripes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Product, Ramp
from jwrules.products.stripes import DETECTOR, KEYWORDS, Stripes

P = TypeVar("P", bound=Product)

WHOLE = ("SUB17STRIPE_SOSS", "SUB60STRIPE_SOSS", "SUB204STRIPE_SOSS", "SUB680STRIPE_SOSS")
"""Subarrays that are filled up to the whole width of the detector; others end with their stripes."""
UNREAD = {"data": np.nan, "err": np.nan, "pixeldq": int(DQ.REFERENCE_PIXEL)}
"""What lines have that were never read; other fields have 0."""


def cut(product: P, index: tuple[Any, ...]) -> P:
    """Return a product with the pixels at `index` alone of its arrays (..., rows, columns), copied."""
    pieces: dict[str, Any] = {name: np.ascontiguousarray(array[index]) for name, array in _arrays(product).items()}
    return replace(product, **pieces)


def put_together(ramp: Ramp, stripes: Stripes, correct: Callable[[Ramp], Ramp]) -> Ramp:
    """Return the ramp with lines that saw light where they belong, of each frame as `correct` gives it.

    Lines that were not read are NaN, with REFERENCE_PIXEL in pixeldq.
    """
    light = stripes.lines[~stripes.heads]
    whole = ramp.meta.get("SUBARRAY") in WHOLE
    first, size = (0, DETECTOR) if whole else (int(light.min()), int(np.ptp(light)) + 1)
    put: dict[str, Any] = {name: _blank(name, array, stripes.axis, size) for name, array in _arrays(ramp).items()}
    for frame in stripes.frames():
        one = correct(cut(ramp, frame))
        across = frame[stripes.axis]
        lit = ~stripes.heads[across]
        place = stripes.index(stripes.lines[across][lit] - first)
        for name, array in put.items():
            array[place] = getattr(one, name)[stripes.index(lit)]
    number = 2 if stripes.axis == -2 else 1
    meta = ramp.meta.without(*KEYWORDS).updated(**{f"SUBSTRT{number}": first + 1, f"SUBSIZE{number}": size})
    return replace(ramp, meta=meta, **put)


def _blank(name: str, array: np.ndarray, axis: int, size: int) -> np.ndarray:
    shape = list(array.shape)
    shape[axis] = size
    return np.full(shape, UNREAD.get(name, 0), array.dtype)


def _arrays(product: Product) -> dict[str, np.ndarray]:
    """Return the arrays of a product that are stored, by name of field."""
    found = {one.name: getattr(product, one.name) for one in fields(product) if "hdu" in one.metadata}
    return {name: array for name, array in found.items() if array is not None}
