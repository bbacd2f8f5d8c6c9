import numpy as np
import pytest
from ramp_scene import ramp

from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.lastframe import lastframe


def test_the_last_group_of_every_integration_is_left_out():
    product = lastframe(ramp(np.ones((2, 3, 1, 1))))
    assert product.groupdq[..., 0, 0].tolist() == [[0, 0, DQ.DO_NOT_USE]] * 2


def test_its_other_flags_stay():
    product = ramp(np.ones((1, 4, 1, 1)))
    product.groupdq[0, 3] = DQ.SATURATED
    assert lastframe(product).groupdq[0, 3, 0, 0] == DQ.SATURATED | DQ.DO_NOT_USE


def test_an_integration_of_two_groups_keeps_them():
    product = ramp(np.ones((1, 2, 1, 1)))
    with pytest.raises(Skip, match="2 groups"):
        lastframe(product)
    assert not product.groupdq.any()


def test_the_last_group_is_told_to_be_left_out_besides_those_that_were():
    product = lastframe(ramp(np.ones((2, 4, 1, 1))).leaving_out(slice(0, 1)))
    assert product.left_out.tolist() == [[True, False, False, True]] * 2
