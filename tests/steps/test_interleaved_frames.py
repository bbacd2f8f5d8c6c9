"""IRS2 readout before its reference pixels have served: reference files of either form, and saturation of light."""

import numpy as np
import pytest
from interleaved_scene import exposure
from ramp_scene import reference

from jwrules.kernels.irs2_layout import Layout
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ipc, Mask, Saturation, Superbias
from jwrules.steps.dq_init import dq_init
from jwrules.steps.ipc import ipc
from jwrules.steps.saturation import Params, saturation
from jwrules.steps.superbias import superbias

LIGHT = {"NRS1": Layout().light, "NRS2": Layout(backwards=True).light}
FRAME, DETECTOR = (3200, 2048), (2048, 2048)

each_detector = pytest.mark.parametrize("detector", ["NRS1", "NRS2"])


def even(detector="NRS1", level=1000.0, groups=1, **keywords):
    return exposure(np.full((1, groups, *FRAME), level, np.float32), detector, **keywords)


@each_detector
def test_a_mask_of_the_detector_flags_the_rows_that_see_light(detector):
    dq = np.zeros(DETECTOR, np.uint32)
    dq[700, 5] = DQ.DEAD | DQ.DO_NOT_USE
    result = dq_init(even(detector), mask=reference(Mask, dq=dq))
    assert result.pixeldq[LIGHT[detector][700], 5] == DQ.DEAD | DQ.DO_NOT_USE
    assert result.groupdq[0, 0, LIGHT[detector][700], 5] == DQ.DO_NOT_USE
    assert np.count_nonzero(result.pixeldq) == 1


def test_a_mask_of_the_frame_flags_as_it_is():
    dq = np.zeros(FRAME, np.uint32)
    dq[648] = DQ.BAD_REF_PIXEL
    assert np.array_equal(dq_init(even(), mask=reference(Mask, dq=dq)).pixeldq, dq)


@each_detector
def test_a_superbias_of_the_detector_is_taken_off_light(detector):
    bias = np.random.default_rng(1).normal(500, 10, DETECTOR)
    result = superbias(even(detector), superbias=reference(Superbias, data=bias)).data[0, 0]
    assert np.allclose(result[LIGHT[detector]], 1000 - bias, atol=1e-3)
    assert np.count_nonzero(result == 1000) >= 1152 * 2048


def test_a_superbias_of_the_frame_is_taken_off_it():
    bias = np.random.default_rng(1).normal(500, 10, FRAME)
    assert np.allclose(superbias(even(), superbias=reference(Superbias, data=bias)).data[0, 0], 1000 - bias, atol=1e-3)


def test_coupling_leaves_out_what_lies_between():
    product = even(level=0.0)
    product.data[0, 0, LIGHT["NRS1"][7], 100] = 100
    kernel = np.array([[0, -0.1, 0], [0, 1.2, 0], [0, -0.1, 0]])
    data = ipc(product, ipc=reference(Ipc, data=kernel)).data[0, 0]
    # the seventh row is the last before reference pixels: its neighbour on the detector lies behind them
    assert np.allclose(data[[646, 647, 652], 100], [-10, 120, -10])
    assert not data[648:652].any()


def saturated(product, bias=None, form=DETECTOR, **params):
    limit = reference(Saturation, data=np.full(form, 50000.0))
    bias = None if bias is None else reference(Superbias, data=np.full(form, bias))
    return saturation(product, Params(**params), saturation=limit, superbias=bias)


@each_detector
@pytest.mark.parametrize("form", [DETECTOR, FRAME])
def test_saturation_spreads_to_neighbours_on_the_detector(detector, form):
    product, rows = even(detector, groups=3), LIGHT[detector]
    product.data[0, 1, rows[7], 100] = 60000
    flags = saturated(product, form=form).groupdq[0]
    assert not flags[0].any()
    assert np.all(flags[1:, rows[6:9], 99:102] == DQ.SATURATED)
    assert np.count_nonzero(flags[1]) == np.count_nonzero(flags[2]) == 9


def test_saturation_need_not_spread():
    product = even(groups=2)
    product.data[0, 1, 700, 100] = 60000
    assert np.count_nonzero(saturated(product, n_pix_grow_sat=0).groupdq) == 1


def test_reference_pixels_are_neither_saturated_nor_at_the_floor():
    product = even()
    product.data[0, 0, [0, 648]] = 65535
    product.data[0, 0, 650] = 0
    assert not saturated(product).groupdq.any()


def test_light_at_the_floor_is_not_used():
    product = even(groups=2)
    product.data[0, 0, 700, 100] = 0
    flags = saturated(product).groupdq[0]
    assert flags[:, 700, 100].tolist() == [DQ.AD_FLOOR | DQ.DO_NOT_USE, 0]
    assert np.count_nonzero(flags) == 1


def leap(start, bias=None, **params):
    """Groups of five frames of which the second holds one at the threshold."""
    product = even(groups=3, NFRAMES=5)
    product.data[0, :, 700, 100] = start, start + (50000 - start) / 5 + 4000, 60000
    return saturated(product, bias=bias, **params).groupdq[0]


@pytest.mark.parametrize(("search", "flag"), [("ramp", DQ.DO_NOT_USE), ("official", DQ.SATURATED)])
def test_a_second_group_that_something_struck_is_left_out_and_its_neighbours_too(search, flag):
    flags = leap(2000, bias=1000.0, partial_search=search)
    assert flags[:, 700, 100].tolist() == [0, flag, DQ.SATURATED]
    assert np.count_nonzero(flags[1]) == 9


@pytest.mark.parametrize(("search", "flag"), [("ramp", DQ.DO_NOT_USE), ("official", DQ.SATURATED)])
def test_it_is_judged_by_the_read_pattern_and_above_the_bias(search, flag):
    assert not leap(2000, bias=1000.0, partial_search=search, use_readpatt=False)[1].any()
    # 12000 DN in the mean of frames 1 to 5 are 60000 in frame 15, but 2000 above a bias of 10000 are 10000
    for bias, second in ((None, 0), (10000.0, int(flag))):
        assert leap(12000, bias=bias, partial_search=search)[1, 700, 100] == second


def test_pixels_without_a_threshold_are_marked_and_never_saturated():
    limit = np.full(DETECTOR, 50000.0)
    limit[60, 100] = np.nan
    product = even(level=65000.0)
    result = saturation(product, Params(n_pix_grow_sat=0), saturation=reference(Saturation, data=limit))
    row = LIGHT["NRS1"][60]
    assert result.pixeldq[row, 100] == DQ.NO_SAT_CHECK
    assert result.groupdq[0, 0, row, 100] == 0
    assert np.count_nonzero(result.groupdq) == 2048 * 2048 - 1
