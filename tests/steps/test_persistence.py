import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import meta, one_pixel, ramp, rows

from jwrules.products.flags import DQ
from jwrules.products.kinds import PersistenceArray
from jwrules.steps.declare import Skip
from jwrules.steps.persistence import Params, persistence

PERSISTENCE = DQ.PERSISTENCE


def flags(product, **params):
    return (persistence(product, Params(**params)).groupdq & np.uint8(PERSISTENCE)).astype(bool)[..., 0, 0].tolist()


def test_the_window_opens_at_saturation_and_lasts_into_the_next_integration():
    product = ramp(np.zeros((2, 3, 1, 1)), EFFINTTM=40.0)
    product.groupdq[0, 1:] = DQ.SATURATED
    # groups are read at 10, 20, 30 and 50, 60, 70 s; the window is 20 to 60 s
    assert flags(product, persistence_time=40) == [[False, True, True], [True, True, False]]


def test_integrations_start_when_the_table_says():
    product = ramp(np.zeros((2, 3, 1, 1)), EFFINTTM=40.0)
    product.groupdq[0, 1:] = DQ.SATURATED
    start = fits.Column("int_start_MJD_UTC", "D", array=[60000.0, 60000.0 + 45 / 86400])
    product = type(product)(**(vars(product) | {"tables": {"INT_TIMES": fits.FITS_rec.from_columns([start])}}))
    # now at 55, 65 and 75 s
    assert flags(product, persistence_time=40) == [[False, True, True], [True, False, False]]


def test_a_signal_above_the_threshold_opens_a_window_too():
    counts = [10.0, 500.0, 20.0, 30.0, 500.0]
    assert flags(one_pixel(counts), persistence_time=10, dn_threshold=400.0) == [[False, True, True, False, True]]
    assert flags(one_pixel(counts), persistence_time=10) == [[False] * 5]


def test_a_signal_within_a_window_does_not_prolong_it():
    counts = [500.0, 500.0, 500.0, 10.0, 10.0]
    assert flags(one_pixel(counts), persistence_time=15, dn_threshold=400.0) == [[True, True, True, True, False]]


def test_the_groups_are_not_used_if_asked():
    product = one_pixel([0.0, 0.0])
    product.groupdq[0, 1] = DQ.SATURATED
    result = persistence(product, Params(persistence_time=10, persistence_dnu=True))
    assert result.groupdq.ravel().tolist() == [0, DQ.SATURATED | PERSISTENCE | DQ.DO_NOT_USE]


def test_without_a_time_there_is_nothing_to_do():
    with pytest.raises(Skip, match="persistence_time"):
        persistence(one_pixel([0.0]))


EPOCH = (60000.0 - 40587.0) * 86400.0
"""MJD 60000 in Unix seconds."""


def earlier(ends, first_row=0, duration=40):
    """Windows of pixels in the first column that end so many seconds after MJD 60000."""
    pixels = {"rows": first_row + np.arange(len(ends)), "cols": np.zeros(len(ends), int)}
    tree = {"NRCALONG": {"filename": "", "vals": EPOCH + np.array(ends, float), "pers_time": duration, **pixels}}
    return PersistenceArray(meta=meta(), tree=tree)


def flagged(product, file, **params):
    result = persistence(product, Params(persistence_time=40, **params), persistence_array_file=file)
    return (result.groupdq[0, :, :, 0] == PERSISTENCE).sum(axis=0).tolist()


def calm(**keywords):
    return ramp(np.zeros((1, 3, 5, 1)), EXPSTART=60000.0, **keywords)


def test_windows_of_an_earlier_exposure_go_on_and_one_that_begins_later_does_not():
    # groups are read at 10, 20 and 30 s; what ends after 50 s began after the first group
    assert flagged(calm(), earlier([-10.0, 10.0, 25.0, 50.0, 51.0])) == [0, 1, 2, 3, 0]


def test_windows_lie_on_the_detector():
    assert flagged(calm(SUBSTRT2=101), earlier([30.0, 30.0, 30.0], first_row=98)) == [3, 0, 0, 0, 0]
    band = rows(calm(), slice(3, 5))
    band = type(band)(**(vars(band) | {"meta": band.meta.updated(SUBSTRT2=4)}))
    assert flagged(band, earlier([0.0, 0.0, 0.0, 30.0, 10.0])) == [3, 1]


@pytest.mark.parametrize("file", [earlier([30.0], duration=41), PersistenceArray(meta=meta(), tree={})])
def test_windows_of_another_length_or_detector_do_not_count(file, caplog):
    assert flagged(calm(), file) == [0] * 5
    assert "no windows of 40 s" in caplog.text


def test_the_windows_that_are_open_at_the_end_are_handed_on():
    product = calm()
    product.groupdq[0, 1, 2] = DQ.SATURATED
    result = persistence(
        product, Params(persistence_time=40, save_persistence=True), persistence_array_file=earlier([25.0, 30.0])
    )
    np.testing.assert_allclose(result.windows[:, 0], [0, EPOCH + 30, EPOCH + 60, 0, 0], rtol=0, atol=1e-5)
    assert persistence(calm(), Params(persistence_time=40)).windows is None


def test_the_windows_begin_when_the_table_says():
    start = fits.Column("int_start_MJD_UTC", "D", array=[60000.0 + 20 / 86400])
    product = type(calm())(**(vars(calm()) | {"tables": {"INT_TIMES": fits.FITS_rec.from_columns([start])}}))
    # groups are read at 30, 40 and 50 s
    assert flagged(product, earlier([29.0, 31.0, 41.0, 51.0, 0.0])) == [0, 1, 2, 3, 0]
