from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import meta, ramp, rows

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import Rscd
from jwrules.products.reference import open_reference
from jwrules.steps.declare import Skip
from jwrules.steps.rscd import Params, rscd

FULL = {"SUBARRAY": "FULL", "READPATT": "FASTR1"}
NUMBERS = {"tau": 1.5, "ascale": 0.01, "pow": 0.5, "illum_zp": 1.0, "illum_slope": 0.1, "illum2": 0.01}
NUMBERS |= {"param3": 9000.0, "crossopt": 1000.0, "sat_zp": 1e-3, "sat_slope": 1e-5, "sat_2": 1e-6}
NUMBERS |= {"sat_mzp": 2.0, "sat_rowterm": 1e-4, "sat_scale": 1.1}


def reference(*kinds, subarray="FULL", pattern="FAST", **numbers):
    """A file of the older format with a row for these kinds of rows; those of EVEN rows are twice as high."""
    columns = [("subarray", "S13"), ("readpatt", "S4"), ("rows", "S4"), *((name, "f8") for name in NUMBERS)]
    values = [NUMBERS | {"ascale": 0.02 if kind == "EVEN" else 0.01} | numbers for kind in kinds]
    table = np.array([(subarray, pattern, k, *v.values()) for k, v in zip(kinds, values, strict=True)], columns)
    return Rscd(meta=meta(), decay=fits.BinTableHDU(table).data)


BOTH = reference("EVEN", "ODD")


def steady(nints=2, ngroups=8, ny=1, rate=2000.0, **keywords):
    return ramp(
        np.broadcast_to(rate * np.arange(1, ngroups + 1)[:, None, None], (nints, ngroups, ny, 1)), **FULL, **keywords
    )


def corrected(product, file=BOTH):
    return rscd(product, Params(method="decay"), rscd=file)


def share(last, ngroups=8, ascale=0.01):
    """Counts lost in the first instant after an integration that ended at `last`, DN."""
    height = ascale * (1 + 0.1 * ngroups + 0.01 * ngroups**2)
    above = last - 1000
    return last * 0.01 * height * above**0.5 / (np.exp(above / 9000) - 1)


def test_the_decay_that_follows_an_integration_is_given_back_to_the_next():
    product = steady()
    truth = product.data.copy()
    product.data[1, :, 0, 0] -= share(16000.0) * np.exp(-np.arange(1, 9) / 1.5)
    assert share(16000.0) > 4
    np.testing.assert_allclose(corrected(product).data, truth, rtol=1e-6)


def test_what_is_lost_depends_on_the_counts_as_they_were_read():
    product = corrected(steady(nints=3))
    np.testing.assert_array_equal(product.data[2], product.data[1])


def test_the_last_group_is_extrapolated_for_the_reset_has_touched_it():
    product = steady()
    product.data[0, -1] = 3.0
    np.testing.assert_array_equal(corrected(product).data[1], corrected(steady()).data[1])


def test_even_rows_have_numbers_of_their_own_wherever_the_subarray_begins():
    lost = [(corrected(steady(ny=2, SUBSTRT2=first)).data - steady(ny=2).data)[1, 0, :, 0] for first in (1, 2)]
    expected = np.array([share(16000.0), share(16000.0, ascale=0.02)]) * np.exp(-1 / 1.5)
    np.testing.assert_allclose(lost, [expected, expected[::-1]], rtol=1e-3)


def test_below_the_crossover_nothing_is_lost():
    product = corrected(steady(rate=100.0))
    assert np.array_equal(product.data, steady(rate=100.0).data)


def test_after_saturation_it_follows_from_the_counts_that_there_would_have_been():
    product = steady()
    product.data[0, 5:] = 11000.0
    product.groupdq[0, 5:] = DQ.SATURATED
    before = product.data.copy()
    slope = 1e-3 + 8e-5 + 64e-6 + 1e-4
    expected = 11000.0 * 0.01 * (slope * 1.1 * 16000.0 + 2.0) * np.exp(-np.arange(1, 9) / 1.5)
    np.testing.assert_allclose((corrected(product).data - before)[1, :, 0, 0], expected, atol=2e-3)


def test_with_under_three_good_groups_the_last_ones_serve():
    product = steady()
    product.groupdq[0, 2:] = DQ.SATURATED
    slope = 1e-3 + 8e-5 + 64e-6 + 1e-4
    lost = (corrected(product).data - steady().data)[1, 0, 0, 0]
    np.testing.assert_allclose(lost, 160.0 * (slope * 1.1 * 16000.0 + 2.0) * np.exp(-1 / 1.5), rtol=1e-4)


def test_reference_pixels_are_left_alone():
    product = steady()
    product.pixeldq[:] = DQ.REFERENCE_PIXEL
    assert np.array_equal(corrected(product).data, steady().data)


def test_bands_of_rows_give_the_bits_of_the_whole():
    rates = np.linspace(500, 5000, 5)[:, np.newaxis]
    whole = corrected(steady(nints=3, ny=5, rate=rates))
    for start, stop in ((0, 1), (1, 5)):
        band = rows(steady(nints=3, ny=5, rate=rates), slice(start, stop))
        band = replace(band, meta=band.meta.updated(SUBSTRT2=1 + start))
        assert np.array_equal(corrected(band).data, whole.data[:, :, start:stop])


def test_no_group_is_left_out():
    product = corrected(steady())
    assert not product.groupdq.any()
    assert product.left_out is None


def test_a_subarray_is_known_by_its_older_name_in_the_file_too():
    file = reference("EVEN", "ODD", subarray="SUBPRISM")
    product = steady()
    product = replace(product, meta=product.meta.updated(SUBARRAY="SLITLESSPRISM"))
    assert np.array_equal(corrected(product, file).data, corrected(steady()).data)


def test_a_file_without_the_table_of_the_method_cannot_serve():
    with pytest.raises(CannotRun, match="no table RSCD; choose the other method"):
        corrected(steady(), Rscd(meta=meta()))
    with pytest.raises(CannotRun, match="no table RSCD_GROUP_SKIP"):
        rscd(steady(), rscd=BOTH)


def test_a_file_without_one_kind_of_rows_cannot_serve():
    with pytest.raises(CannotRun, match="EVEN"):
        corrected(steady(), reference("ODD"))


def test_a_read_pattern_that_the_file_does_not_know_is_left_alone():
    with pytest.raises(Skip, match="FASTR1"):
        corrected(steady(), reference("EVEN", "ODD", pattern="SLOW"))


def test_a_file_of_the_older_format_is_opened_as_it_is(tmp_path):
    primary = fits.PrimaryHDU(header=fits.Header([("REFTYPE", "RSCD")]))
    table = fits.BinTableHDU(BOTH.decay, name="RSCD")
    fits.HDUList([primary, table]).writeto(tmp_path / "rscd.fits")
    file = open_reference(tmp_path / "rscd.fits", Rscd, steady().meta, (1, 1))
    assert file.table is None
    assert np.array_equal(corrected(steady(), file).data, corrected(steady()).data)
