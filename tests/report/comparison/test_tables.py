"""Catalogues are matched by position, and compared in units of their errors."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from jwrules.report.comparison import tables


def catalog(labels, dec_mas, magnitudes, error=0.1):
    sky = SkyCoord(np.full(len(labels), 80.0) * u.deg, (np.array(dec_mas) / 3.6e6 - 69) * u.deg)
    values = {"label": labels, "sky_centroid": sky, "mag": np.array(magnitudes, float)}
    return QTable({**values, "mag_err": np.full(len(labels), error)})


def column(found, name):
    return next(one for one in found.columns if one.name == name)


def test_sources_are_matched_by_position_not_by_label():
    found = tables.compare_catalogs("t", catalog([1, 2], [0, 5000], [20, 21]), catalog([7, 8], [5010, 0], [21, 20]), 0)
    assert (found.matched, column(found, "mag").differ) == (2, 0)
    assert found.north == (pytest.approx(-5, abs=1e-3), pytest.approx(1.4826 * 5, abs=1e-3))


def test_sources_that_only_one_has_are_named():
    found = tables.compare_catalogs("t", catalog([1, 2], [0, 5000], [20, 21]), catalog([4, 5], [0, 9000], [20, 21]), 0)
    assert (found.matched, found.only_a, found.only_b) == (1, ("2",), ("5",))


def test_two_sources_are_not_the_same_one():
    found = tables.compare_catalogs("t", catalog([1, 2], [0, 60], [20, 21]), catalog([4], [50], [20]), 0)
    assert (found.matched, found.only_a) == (1, ("1",))


def test_magnitudes_differ_in_units_of_their_error():
    mine, other = catalog([1, 2, 3], [0, 500, 900], [20, 21, 22]), catalog([1, 2, 3], [0, 500, 900], [20, 20.8, 22.5])
    found = column(tables.compare_catalogs("t", mine, other, 0), "mag")
    assert (found.differ, found.median, found.largest, found.where) == (2, 0, pytest.approx(-5), "3")
    assert column(tables.compare_catalogs("t", mine, other, 2.1), "mag").differ == 1


def test_values_missing_in_both_are_equal():
    mine = catalog([1], [0], [np.nan])
    assert tables.compare_catalogs("t", mine, mine, 0).same


def test_an_empty_catalogue_has_no_match():
    found = tables.compare_catalogs("t", catalog([1], [0], [20])[:0], catalog([1], [0], [20]), 0)
    assert (found.matched, found.only_b) == (0, ("1",))


def test_rows_of_other_tables_are_compared_in_their_order():
    mine = np.array([(1, 2.0), (2, 3.0)], [("INT", "i4"), ("TIME", "f8")])
    other = np.array([(1, 2.0), (2, 3.5), (3, 4.0)], mine.dtype)
    found = tables.compare_rows("INT_TIMES", mine, other, 0)
    assert (column(found, "INT").differ, column(found, "TIME").differ, found.only_b) == (0, 1, ("2",))
