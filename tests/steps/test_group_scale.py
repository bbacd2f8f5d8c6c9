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
