from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling import Model
from astropy.modeling.fitting import LinearLSQFitter
from astropy.modeling.models import Mapping, Polynomial2D, Scale, Shift
from gwcs import WCS

from jwrules.products.kinds import Meta
from jwrules.wcs import imaging

SIDE = 64


@pytest.fixture
def keywords() -> Callable[..., Meta]:
    """Header of an exposure with the Y axis of its aperture to the north, changed by keywords."""

    def make(**changed: object) -> Meta:
        values = {"INSTRUME": "NIRCAM", "FILTER": "F200W", "PUPIL": "CLEAR", "V2_REF": 120.0, "V3_REF": -490.0}
        values |= {"RA_REF": 53.1, "DEC_REF": -27.8, "ROLL_REF": 0.0, "V3I_YANG": 0.0, "VPARITY": -1, "VA_SCALE": 1.0}
        header = fits.Header()
        header.update(values | changed)
        return Meta(primary=header)

    return make


@pytest.fixture
def plain() -> Model:
    """Distortion without distortion: 0.03 arcsec a pixel, the centre of the array on the reference point."""
    middle = (SIDE - 1) / 2
    return Shift(-middle) & Shift(-middle) | Scale(-0.03) & Scale(0.03) | Shift(120.0) & Shift(-490.0)


@pytest.fixture
def bent() -> Model:
    """Quadratic distortion, up to half a pixel in the corners, with a fitted inverse."""
    bend = Polynomial2D(2, c1_0=1, c2_0=3e-4, c1_1=1e-4), Polynomial2D(2, c0_1=1, c0_2=-2e-4, c1_1=2e-4)
    y, x = np.mgrid[-34:34, -34:34].astype(float)
    fit = LinearLSQFitter()
    back = [fit(Polynomial2D(6), bend[0](x, y), bend[1](x, y), target) for target in (x, y)]
    middle = (SIDE - 1) / 2
    scaled = Scale(-0.03) & Scale(0.03) | Shift(120.0) & Shift(-490.0)
    both = Mapping((0, 1, 0, 1))
    model = Shift(-middle) & Shift(-middle) | both | bend[0] & bend[1] | scaled
    model.inverse = scaled.inverse | both | back[0] & back[1] | Shift(middle) & Shift(middle)
    return model


@pytest.fixture
def make_wcs(keywords: Callable[..., Meta], plain: Model) -> Callable[..., WCS]:
    def make(distortion: Model | None = None, shape: tuple[int, int] = (SIDE, SIDE), **changed: object) -> WCS:
        return imaging.build(keywords(**changed), shape, plain if distortion is None else distortion)

    return make
