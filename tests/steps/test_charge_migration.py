import numpy as np
import pytest
from ramp_scene import one_pixel, ramp

from jwrules.products.flags import DQ
from jwrules.steps.charge_migration import Params, charge_migration
from jwrules.steps.declare import Skip

LOST = int(DQ.CHARGELOSS | DQ.DO_NOT_USE)


def cross(value=100.0, group=1, threshold=50.0, flag=0):
    """Flags after one group of the central pixel of three times three was at `value`."""
    product = ramp(np.zeros((3, 3, 3)))
    product.data[0, group, 1, 1] = value
    product.groupdq[0, group, 1, 1] = flag
    return charge_migration(product, Params(signal_threshold=threshold)).groupdq[0]


def test_a_bright_pixel_and_its_four_neighbours_are_left_out_from_that_group_on():
    plus = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    flags = cross()
    assert not flags[0].any()
    assert np.array_equal(flags[1] == LOST, plus)
    assert np.array_equal(flags[2] == LOST, plus)


def test_the_threshold_itself_is_no_charge_migration():
    assert not cross(value=50.0).any()
    assert cross(value=50.1).any()


def test_a_group_that_is_not_used_does_not_count():
    assert np.array_equal(cross(flag=int(DQ.DO_NOT_USE))[2], np.zeros((3, 3)))


def test_a_group_that_is_not_used_and_saturated_counts():
    assert (cross(flag=int(DQ.DO_NOT_USE | DQ.SATURATED))[2] == LOST).sum() == 5


def test_the_flags_that_were_there_stay():
    flags = cross(flag=int(DQ.JUMP_DET))
    assert flags[1, 1, 1] == LOST | DQ.JUMP_DET


def test_an_integration_does_not_know_of_another():
    product = ramp(np.zeros((2, 3, 1, 1)))
    product.data[0] = 1e5
    assert charge_migration(product).groupdq[:, 0, 0, 0].tolist() == [LOST, 0]


def test_a_ramp_of_two_groups_is_left_alone():
    with pytest.raises(Skip, match="2 groups"):
        charge_migration(one_pixel([0.0, 1e5]))


def test_bands_with_a_row_more_on_either_side_give_the_flags_of_the_whole():
    random = np.random.default_rng(1)
    data = random.uniform(0, 30000, (2, 4, 12, 7))
    whole = charge_migration(ramp(data), Params(signal_threshold=28000.0)).groupdq
    (part,) = charge_migration.parts
    assert part.rows(Params()) == 1
    for first in (0, 4, 8):
        low, high = max(first - 1, 0), min(first + 5, 12)
        band = charge_migration(ramp(data[:, :, low:high]), Params(signal_threshold=28000.0)).groupdq
        assert np.array_equal(band[:, :, first - low : first - low + 4], whole[:, :, first : first + 4])
