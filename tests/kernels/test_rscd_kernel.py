import numpy as np

from jwrules.kernels.rscd import leave_out, skips

SATURATED = 2


def saturating_at(*groups, ngroups=8):
    """The flags of an integration: a pixel for each number, saturated from that group on (counted from 0)."""
    saturated = np.arange(ngroups)[:, np.newaxis] >= np.array(groups)
    return np.where(saturated, SATURATED, 0).astype(np.uint8)[np.newaxis, :, np.newaxis]


def test_a_pixel_that_does_not_saturate_leaves_out_what_is_wanted():
    assert skips(saturating_at(8), SATURATED, 4).tolist() == [[[4]]]


def test_two_groups_remain_before_saturation():
    # saturated from group 5, 4, 3, 2 and 1 on: groups 3-4, 2-3, 1-2, 0-1 and 0 alone remain
    assert skips(saturating_at(5, 4, 3, 2, 1), SATURATED, 4).tolist() == [[[3, 2, 1, 0, 0]]]


def test_enough_groups_before_saturation_change_nothing():
    assert skips(saturating_at(6, 7), SATURATED, 4).tolist() == [[[4, 4]]]


def test_a_pixel_that_is_always_saturated_is_not_looked_at():
    assert skips(saturating_at(0), SATURATED, 4).tolist() == [[[4]]]


def test_the_first_groups_of_each_pixel_get_the_bit():
    flags = np.full((1, 4, 1, 3), 2, np.uint8)
    leave_out(flags, np.array([[[0, 1, 3]]]), 1)
    assert flags[0, :, 0].tolist() == [[2, 3, 3], [2, 2, 3], [2, 2, 3], [2, 2, 2]]
