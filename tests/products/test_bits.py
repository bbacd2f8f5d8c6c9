"""Flag expressions."""

import numpy as np
import pytest

from jwrules.errors import RecipeFault
from jwrules.products import bits

DQ = np.array([[0, 1, 4, 5, 512]], dtype=np.uint32)  # good, DO_NOT_USE, JUMP_DET, both, NON_SCIENCE


@pytest.mark.parametrize(
    ("expression", "usable"),
    [
        ("~DO_NOT_USE+NON_SCIENCE", [1, 0, 1, 0, 0]),
        ("~DO_NOT_USE", [1, 0, 1, 0, 1]),
        ("JUMP_DET", [1, 0, 1, 0, 0]),
        ("JUMP_DET+DO_NOT_USE", [1, 1, 1, 1, 0]),
        ("4, 1", [1, 1, 1, 1, 0]),
        (None, [1, 1, 1, 1, 1]),
        ("", [1, 1, 1, 1, 1]),
    ],
)
def test_usable_pixels_follow_the_expression(expression, usable):
    assert bits.good(DQ, expression).ravel().tolist() == [bool(one) for one in usable]


def test_a_name_that_is_no_flag_is_refused():
    with pytest.raises(RecipeFault, match=r"DO_NOT_USED.*flags are DO_NOT_USE"):
        bits.good(DQ, "~DO_NOT_USED")
