import numpy as np
from ramp_scene import ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import Superbias
from jwrules.steps.superbias import superbias


def bias(values, dq=None):
    return reference(Superbias, data=values, dq=np.zeros(np.shape(values)) if dq is None else dq)


def test_the_bias_is_taken_off_every_group_of_every_integration():
    result = superbias(ramp(np.full((2, 3, 1, 2), 100.0)), superbias=bias([[10.0, 20.0]]))
    assert np.all(result.data == np.array([90.0, 80.0]))


def test_where_the_bias_is_unknown_nothing_is_taken_off():
    result = superbias(ramp(np.full((1, 1, 2), 100.0)), superbias=bias([[np.nan, 1.0]]))
    assert result.data.ravel().tolist() == [100.0, 99.0]


def test_its_flags_are_added():
    product = ramp(np.ones((1, 1, 1)))
    product.pixeldq[0, 0] = DQ.HOT
    result = superbias(product, superbias=bias([[0.0]], [[DQ.UNRELIABLE_BIAS]]))
    assert result.pixeldq[0, 0] == DQ.HOT | DQ.UNRELIABLE_BIAS


def test_a_first_frame_without_a_value_stays_without():
    result = superbias(ramp(np.ones((1, 1, 2)), zeroframe=[[[0.0, 50.0]]]), superbias=bias([[10.0, 10.0]]))
    assert result.zeroframe.ravel().tolist() == [0.0, 40.0]


def test_a_bias_that_is_unknown_everywhere_takes_nothing_off_a_single_group():
    assert superbias(ramp(np.full((1, 1, 2), 100.0)), superbias=bias([[np.nan, np.nan]])).data.tolist() == [
        [[[100, 100]]]
    ]
