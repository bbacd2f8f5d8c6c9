import numpy as np
import pytest
from ramp_scene import ramp

from jwrules.errors import CannotRun
from jwrules.steps.declare import Skip
from jwrules.steps.group_scale import group_scale


def test_groups_of_five_frames_divided_by_eight_are_multiplied_by_eight_fifths():
    scaled = group_scale(ramp(np.full((2, 2, 2), 10.0), NFRAMES=5, FRMDIVSR=8))
    assert np.all(scaled.data == 16.0)


@pytest.mark.parametrize("keywords", [{"NFRAMES": 4, "FRMDIVSR": 4}, {"NFRAMES": 8}, {"NFRAMES": 1}])
def test_there_is_nothing_to_do_where_the_divisor_was_right(keywords):
    with pytest.raises(Skip):
        group_scale(ramp(np.ones((2, 2, 2)), **keywords))


def test_a_divisor_that_is_missing_and_cannot_be_guessed_is_an_error():
    with pytest.raises(CannotRun, match="NFRAMES=5"):
        group_scale(ramp(np.ones((2, 2, 2)), NFRAMES=5))


def test_without_a_number_of_frames_it_is_left_out():
    product = ramp(np.ones((2, 2, 2)), FRMDIVSR=8)
    del product.meta.primary["NFRAMES"]
    with pytest.raises(Skip, match="NFRAMES is not recorded"):
        group_scale(product)


@pytest.mark.parametrize("keywords", [{"NFRAMES": 0}, {"NFRAMES": -4, "FRMDIVSR": 8}])
def test_a_group_of_no_frames_cannot_be(keywords):
    with pytest.raises(CannotRun, match="one frame or more"):
        group_scale(ramp(np.ones((2, 2, 2)), **keywords))


@pytest.mark.parametrize("ngroups", [1, 2])
def test_few_groups_are_scaled_like_many(ngroups):
    assert np.all(group_scale(ramp(np.ones((ngroups, 2, 2)), NFRAMES=5, FRMDIVSR=8)).data == np.float32(1.6))
