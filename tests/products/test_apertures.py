"""Rows of apcorr and abvegaoffset for an optical configuration."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jwrules.errors import CannotRun, ReferenceFault
from jwrules.products.apertures import circles, vega_offset
from jwrules.products.kinds import AbVegaOffset, Apcorr, Meta

ROWS = [
    ("F200W", "CLEAR", 0.3, 1.0, 3.0, 5.0, 8.0),
    ("F200W", "CLEAR", 0.5, 2.0, 2.0, 5.0, 8.0),
    ("F200W", "CLEAR", 0.7, 3.0, 1.4, 5.0, 8.0),
    ("F444W", "CLEAR", 0.3, 9.0, 9.0, 9.0, 9.0),
]


def apcorr(rows=ROWS):
    dtype = [("filter", "S12"), ("pupil", "S15")]
    dtype += [(name, "f4") for name in ("eefraction", "radius", "apcorr", "skyin", "skyout")]
    return Apcorr(meta=Meta(source="apcorr.fits"), table=fits.BinTableHDU(np.array(rows, dtype=dtype)).data)


def meta(**keywords):
    return Meta(primary=fits.Header({"FILTER": "F200W", "PUPIL": "CLEAR", **keywords}))


def test_the_rows_of_the_filter_are_taken():
    found = circles(meta(), apcorr(), (30, 50, 70))
    assert found.radii == (1.0, 2.0, 3.0)
    assert found.corrections == pytest.approx((3.0, 2.0, 1.4))
    assert (found.inner, found.outer) == (5.0, 8.0)


def test_finer_pixels_make_the_circles_wider():
    assert circles(meta(PXSCLRT=0.5), apcorr(), (30, 50, 70)).radii == (2.0, 4.0, 6.0)
    assert circles(meta(PXSCLRT=0.5), apcorr(), (30, 50, 70)).outer == 16.0


def test_an_energy_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ReferenceFault, match=r"apcorr\.fits: 60%.*30, 50, 70"):
        circles(meta(), apcorr(), (30, 50, 60))


def test_a_filter_that_is_not_there_is_named():
    with pytest.raises(CannotRun, match=r"no row for FILTER=F150W, PUPIL=CLEAR"):
        circles(meta(FILTER="F150W"), apcorr(), (30, 50, 70))


def test_an_annulus_that_differs_between_energies_is_refused():
    rows = [*ROWS[:2], (*ROWS[2][:5], 6.0, 9.0)]
    with pytest.raises(ReferenceFault, match="annulus differs"):
        circles(meta(), apcorr(rows), (30, 50, 70))


def test_the_vega_offset_is_that_of_filter_and_pupil():
    table = Table({"filter": ["F200W", "F200W"], "pupil": ["F162M", "CLEAR"], "abvega_offset": [1.0, 1.7]})
    assert vega_offset(meta(), AbVegaOffset(meta=Meta(), tree={"abvega_offset": table})) == pytest.approx(1.7)
