import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import one_pixel, ramp

from jwrules.products.flags import DQ
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
