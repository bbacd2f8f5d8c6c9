import numpy as np
import pytest
from ramp_scene import ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import Reset
from jwrules.steps.reset import reset

# Two integrations of two groups: 1 and 2 DN in the first, 3 and 4 in the second.
RESIDUE = np.arange(1.0, 5.0).reshape(2, 2, 1, 1)


def subtracted(nints, ngroups, **keywords):
    product = ramp(np.zeros((nints, ngroups, 1, 1)), **keywords)
    return (-reset(product, reset=reference(Reset, data=RESIDUE)).data[..., 0, 0]).tolist()


def test_only_the_groups_of_the_file_are_corrected():
    assert subtracted(2, 3) == [[1, 2, 0], [3, 4, 0]]


def test_an_exposure_of_fewer_groups_takes_the_first_ones():
    assert subtracted(1, 1) == [[1]]


def test_later_integrations_have_the_residue_of_the_last_one():
    assert subtracted(4, 2) == [[1, 2], [3, 4], [3, 4], [3, 4]]


@pytest.mark.parametrize(("start", "expected"), [(1, [1, 2]), (2, [3, 4]), (7, [3, 4])])
def test_a_segment_begins_where_it_says(start, expected):
    assert subtracted(1, 2, INTSTART=start) == [expected]


def test_where_the_residue_is_unknown_nothing_is_taken_off_and_its_flags_are_added():
    unknown = reference(Reset, data=np.full((1, 1, 1, 1), np.nan), dq=[[DQ.UNRELIABLE_BIAS]])
    product = reset(ramp(np.full((1, 1, 1, 1), 7.0)), reset=unknown)
    assert product.data.item() == 7.0
    assert product.pixeldq.item() == DQ.UNRELIABLE_BIAS
