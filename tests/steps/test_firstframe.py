import numpy as np
import pytest
from ramp_scene import ramp

from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.firstframe import Params, firstframe


def with_a_bright_pixel():
    """Two integrations of a faint pixel and one that, in the second integration, saturates in the third group."""
    product = ramp(np.ones((2, 4, 1, 2)))
    product.groupdq[1, 2:, 0, 1] = DQ.SATURATED
    return product


def left_out(product):
    return ((product.groupdq & DQ.DO_NOT_USE) != 0)[:, :, 0]


def test_the_first_group_is_left_out_but_where_a_pixel_saturates_at_once():
    result = left_out(firstframe(with_a_bright_pixel()))
    assert result[:, 0].tolist() == [[True, True], [True, False]]
    assert not result[:, 1:].any()


def test_a_pixel_that_keeps_it_in_one_integration_is_an_estimate():
    assert firstframe(with_a_bright_pixel()).pixeldq.tolist() == [[0, DQ.FLUX_ESTIMATED]]


def test_bright_pixels_can_be_treated_like_the_others():
    product = firstframe(with_a_bright_pixel(), Params(bright_use_group1=False))
    assert left_out(product)[:, 0].all()
    assert not product.pixeldq.any()


def test_an_integration_of_three_groups_keeps_them():
    with pytest.raises(Skip, match="3 groups"):
        firstframe(ramp(np.ones((1, 3, 1, 1))))


def test_the_first_group_is_told_to_be_left_out_though_bright_pixels_keep_it():
    assert firstframe(with_a_bright_pixel()).left_out.tolist() == [[True, False, False, False]] * 2
