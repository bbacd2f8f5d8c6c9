from dataclasses import replace

import numpy as np
from guide_scene import raw
from ramp_scene import ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import Mask, UserMask
from jwrules.steps.dq_init import dq_init


def test_the_mask_is_added_and_unusable_pixels_are_so_in_every_group():
    product = ramp(np.ones((2, 3, 1, 3)))
    product.pixeldq[0, 2] = DQ.HOT
    mask = reference(Mask, dq=[[DQ.DEAD | DQ.DO_NOT_USE, DQ.LOW_QE, DQ.REFERENCE_PIXEL]])
    result = dq_init(product, mask=mask)
    assert result.pixeldq.tolist() == [[DQ.DEAD | DQ.DO_NOT_USE, DQ.LOW_QE, DQ.REFERENCE_PIXEL | DQ.HOT]]
    assert np.all(result.groupdq == np.array([DQ.DO_NOT_USE, 0, 0]))


def test_the_mask_is_added_to_the_flags_of_a_guide_star():
    mask = reference(Mask, dq=[[DQ.DEAD | DQ.DO_NOT_USE, DQ.LOW_QE]])
    fresh = dq_init(raw(np.ones((2, 2, 1, 2))), mask=mask)
    assert fresh.dq.tolist() == [[DQ.DEAD | DQ.DO_NOT_USE, DQ.LOW_QE]]
    flagged = replace(fresh, dq=np.array([[0, DQ.HOT]], np.uint32))
    assert dq_init(flagged, mask=mask).dq.tolist() == [[DQ.DEAD | DQ.DO_NOT_USE, DQ.LOW_QE | DQ.HOT]]


def test_a_mask_of_ones_own_is_added_to_that_of_the_detector():
    own = reference(UserMask, dq=[[DQ.DO_NOT_USE, DQ.HOT]])
    result = dq_init(ramp(np.ones((1, 2, 1, 2))), mask=reference(Mask, dq=[[DQ.DEAD, 0]]), user_supplied_dq=own)
    assert result.pixeldq.tolist() == [[DQ.DEAD | DQ.DO_NOT_USE, DQ.HOT]]
    assert result.groupdq[0, :, 0].tolist() == [[DQ.DO_NOT_USE, 0]] * 2
