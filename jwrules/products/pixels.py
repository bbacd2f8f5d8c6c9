"""What happens to all arrays of an image at once."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from jwrules.products.flags import DQ
from jwrules.products.kinds import Image, Rate

AnyImage = TypeVar("AnyImage", Rate, Image)

_VARIANCES = ("var_poisson", "var_rnoise", "var_flat")
_VALUES = ("data", "err", *_VARIANCES)


def arrays(image: Rate | Image, names: tuple[str, ...] = _VALUES) -> dict[str, Any]:
    """Return the arrays of `image` among `names` (data, err, variances) that it has, by name."""
    known = {f.name for f in fields(image)}
    return {name: getattr(image, name) for name in names if name in known and getattr(image, name) is not None}


def agreed(image: AnyImage) -> AnyImage:
    """Return the image with NaN in data, errors and variances wherever one of them is NaN or DQ has DO_NOT_USE.

    Those pixels are flagged DO_NOT_USE. Source: JWST documentation, data quality flags in stage 2 products.
    """
    values = arrays(image)
    invalid = (image.dq & DQ.DO_NOT_USE) != 0
    for array in values.values():
        invalid |= np.isnan(array)
    dq = np.where(invalid, image.dq | np.uint32(DQ.DO_NOT_USE), image.dq)
    blanked: dict[str, Any] = {name: np.where(invalid, np.float32(np.nan), a) for name, a in values.items()}
    return replace(image, dq=dq, **blanked)


def scaled(image: AnyImage, factor: np.ndarray | float) -> AnyImage:
    """Return the image with data and errors times `factor` (a number or (ny, nx)), variances times its square."""
    factor = np.asarray(factor, dtype=np.float64)
    variances: dict[str, Any] = {name: _single(a * factor**2) for name, a in arrays(image, _VARIANCES).items()}
    return replace(image, data=_single(image.data * factor), err=_single(image.err * abs(factor)), **variances)


def total_error(image: AnyImage) -> np.ndarray:
    """Return the square root of the sum of the variances of `image`, (ny, nx)."""
    variances = list(arrays(image, _VARIANCES).values())
    return _single(np.sqrt(np.sum(variances, axis=0, dtype=np.float64)))


def _single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32)
