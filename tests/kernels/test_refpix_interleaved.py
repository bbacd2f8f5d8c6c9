import numpy as np
import pytest

from jwrules.kernels.refpix_interleaved import drifts, subtract

ALL = np.ones((6, 12), bool)


def by_output(even, odd):
    """A plane of 6 by 12 pixels whose outputs are too high by these numbers in even and in odd rows."""
    return np.array([np.tile(even, 3), np.tile(odd, 3)] * 3)[np.newaxis]


def test_the_drift_of_each_output_is_told_by_the_parity_of_rows():
    plane = by_output([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0])
    assert drifts(plane, ALL, 2, 3.0).tolist() == [[[1, 2, 3, 4], [5, 6, 7, 8]]]
    assert drifts(plane, ALL, 1, 3.0).tolist() == [[[3, 4, 5, 6]]]


@pytest.mark.parametrize("parities", [1, 2])
def test_what_is_measured_can_be_taken_off(parities):
    plane = by_output([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    subtract(plane, drifts(plane, ALL, parities, 3.0))
    assert not plane.any()


def test_light_between_the_ends_is_not_looked_at():
    plane = by_output([1.0] * 4, [1.0] * 4)
    plane[:, :, 4:8] += 1000.0
    assert np.all(drifts(plane, ALL, 2, 3.0) == 1)


def test_the_two_ends_count_alike_however_many_pixels_they_have():
    plane, usable = by_output([1.0] * 4, [1.0] * 4), ALL.copy()
    plane[:, :, 8:] = 3.0
    usable[2:, 8:] = False
    assert np.all(drifts(plane, usable, 2, 3.0) == 2)


def test_an_end_without_usable_pixels_leaves_it_to_the_other_and_without_both_there_is_no_number():
    plane, usable = by_output([1.0] * 4, [1.0] * 4), ALL.copy()
    plane[:, :, 8:] = 3.0
    usable[:, 8:] = False
    assert np.all(drifts(plane, usable, 2, 3.0) == 1)
    usable[1::2, 2] = False
    assert np.isnan(drifts(plane, usable, 2, 3.0)).tolist() == [[[False] * 4, [False, False, True, False]]]


def test_a_struck_reference_pixel_is_clipped():
    plane = np.ones((1, 40, 12))
    plane[0, 20, 0] = 5000.0
    assert np.all(drifts(plane, np.ones((40, 12), bool), 2, 3.0) == 1)
