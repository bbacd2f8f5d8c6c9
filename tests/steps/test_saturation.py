from copy import deepcopy

import numpy as np
import pytest
from ramp_scene import one_pixel, ramp, reference
from saturation_scene import READOUTS, scene

from jwrules.products.flags import DQ
from jwrules.products.kinds import Saturation, Superbias
from jwrules.steps.saturation import Params, saturation

UNUSABLE = DQ.DO_NOT_USE


def threshold(shape, value=60000.0, **more):
    return reference(Saturation, data=np.full(shape, value), **more)


def flags(product):
    return product.groupdq[0, :, 0, 0].tolist()


def test_a_ramp_is_saturated_from_the_first_group_at_the_threshold_on():
    result = saturation(one_pixel([1e4, 6e4, 5e4, 6.5e4]), saturation=threshold((1, 1)))
    assert flags(result) == [0, DQ.SATURATED, DQ.SATURATED, DQ.SATURATED]


@pytest.mark.parametrize("pixels", [0, 1, 2])
def test_saturation_spreads_over_the_asked_layers_of_neighbours(pixels):
    data = np.full((2, 9, 9), 1e4)
    data[1, 4, 4] = 6.1e4
    result = saturation(ramp(data), Params(n_pix_grow_sat=pixels), saturation=threshold((9, 9)))
    area = (2 * pixels + 1) ** 2
    assert np.count_nonzero(result.groupdq[0, 0]) == 0
    assert np.count_nonzero(result.groupdq[0, 1] == DQ.SATURATED) == area
    assert result.groupdq[0, 1, 4 - pixels, 4 + pixels] == DQ.SATURATED


def test_the_floor_of_the_converter_is_flagged_in_its_group_only_and_does_not_spread():
    data = np.full((2, 3, 3), 1e4)
    data[0, 1, 1] = 0.0
    result = saturation(ramp(data), saturation=threshold((3, 3)))
    assert result.groupdq[0, 0, 1, 1] == DQ.AD_FLOOR | UNUSABLE
    assert np.count_nonzero(result.groupdq) == 1


@pytest.mark.parametrize("reference_file", [threshold((1, 1), np.nan), threshold((1, 1), dq=[[DQ.NO_SAT_CHECK]])])
def test_a_pixel_without_a_threshold_is_never_saturated_and_says_so(reference_file):
    result = saturation(one_pixel([1e4, 65535.0]), saturation=reference_file)
    assert flags(result) == [0, 0]
    assert result.pixeldq[0, 0] == DQ.NO_SAT_CHECK


def test_each_integration_starts_afresh():
    result = saturation(ramp(np.reshape([1e4, 6.1e4, 1e4, 2e4], (2, 2, 1, 1))), saturation=threshold((1, 1)))
    assert result.groupdq[1].ravel().tolist() == [0, 0]


def test_a_group_whose_last_frames_may_have_saturated_is_not_used():
    # groups of 4 frames: in the second, the mean of a steady ramp is 6.5/8 of its last frame
    product = [1e4, 5e4, 6.1e4]
    groups = saturation(one_pixel(product, NFRAMES=4), saturation=threshold((1, 1)))
    assert 5e4 > 6e4 * 6.5 / 8
    assert flags(groups) == [0, UNUSABLE, DQ.SATURATED]
    assert flags(saturation(one_pixel(product, NFRAMES=1), saturation=threshold((1, 1)))) == [0, 0, DQ.SATURATED]
    ignored = saturation(one_pixel(product, NFRAMES=4), Params(use_readpatt=False), saturation=threshold((1, 1)))
    assert flags(ignored) == [0, 0, DQ.SATURATED]


def test_a_leap_in_the_second_group_of_averaged_frames_is_not_used():
    # 5000 DN above a bias of 1e4 in the first group would be far from 6e4 in the third; the leap of 2e4 in the second
    # is more than a quarter of the room left: one frame of four was saturated
    product = [1.5e4, 3.5e4, 6.1e4]
    bias = reference(Superbias, data=[[1e4]])
    assert flags(saturation(one_pixel(product, NFRAMES=4), saturation=threshold((1, 1)), superbias=bias)) == [
        0,
        UNUSABLE,
        DQ.SATURATED,
    ]
    # without the bias the first group is bright enough to saturate by the third
    assert flags(saturation(one_pixel(product, NFRAMES=4), saturation=threshold((1, 1)))) == [0, 0, DQ.SATURATED]


def test_the_first_frame_loses_values_that_are_saturated_or_next_to_it_or_at_the_floor():
    zeroframe = np.full((1, 3, 6), 1e4)
    zeroframe[0, 0, 0] = 6.1e4
    zeroframe[0, 2, 5] = -3.0
    result = saturation(ramp(np.full((2, 3, 6), 1e4), zeroframe=zeroframe), saturation=threshold((3, 6)))
    lost = np.zeros((3, 6), bool)
    lost[:2, :2] = lost[2, 5] = True
    assert np.array_equal(result.zeroframe[0] == 0, lost)


def test_the_ceiling_of_the_converter_is_a_threshold_like_others():
    result = saturation(one_pixel([65534.0, 65535.0]), saturation=threshold((1, 1), 65535.0))
    assert flags(result) == [0, DQ.SATURATED]


@pytest.mark.parametrize("ngroups", [1, 2, 5])
def test_all_pixels_can_be_saturated_from_the_first_group_on(ngroups):
    result = saturation(ramp(np.full((ngroups, 4, 4), 65535.0), NFRAMES=4), saturation=threshold((4, 4)))
    assert np.all(result.groupdq == DQ.SATURATED)


def test_of_two_averaged_groups_the_first_may_be_partly_saturated():
    # the mean of four frames is 2.5/4 of the last one
    result = saturation(one_pixel([4e4, 6.1e4], NFRAMES=4), saturation=threshold((1, 1)))
    assert flags(result) == [UNUSABLE, DQ.SATURATED]


def test_the_log_says_how_many_ramps_saturate_and_touch_the_floor(caplog):
    data = np.full((2, 2, 1, 3), 1e4)
    data[0, 1, 0, 0], data[:, 0, 0, 2] = 6.1e4, 0.0
    with caplog.at_level("INFO", logger="jwrules"):
        saturation(ramp(data), Params(n_pix_grow_sat=0), saturation=threshold((1, 3)))
    assert "1 ramps saturate, 2 touch the floor" in caplog.text


def test_without_averaged_frames_the_bias_does_not_matter():
    random = np.random.default_rng(4)
    data = np.sort(random.uniform(0, 8e4, (1, 3, 12, 12)), axis=1)
    results = [
        saturation(ramp(data, NFRAMES=1), saturation=threshold((12, 12)), superbias=reference(Superbias, data=bias))
        for bias in (np.zeros((12, 12)), random.uniform(0, 3e4, (12, 12)))
    ]
    assert np.array_equal(*(result.groupdq for result in results))
    assert (results[0].groupdq[0, 1] & DQ.DO_NOT_USE == 0).all()


def test_the_last_group_is_judged_by_the_rise_to_it():
    # half a group after the mean of frames at 4.6e4 + 1000 (1, 2, 3, 4) the last one is at 5e4
    for highest, expected in ((5e4, [0, 0, UNUSABLE]), (5.02e4, [0, 0, 0])):
        counts = one_pixel([3.85e4, 4.35e4, 4.85e4], NFRAMES=4, GROUPGAP=1)
        assert flags(saturation(counts, saturation=threshold((1, 1), highest))) == expected


def test_a_last_group_that_a_ray_lifts_to_the_threshold_is_not_taken_for_light():
    counts = one_pixel([1e4, 1.1e4, 4.8e4], NFRAMES=4)
    assert flags(saturation(counts, saturation=threshold((1, 1)))) == [0, 0, 0]


@pytest.mark.parametrize(("struck", "expected"), [(2.31e4, UNUSABLE), (2.29e4, 0)])
def test_what_strikes_within_any_group_is_told_by_one_saturated_frame_among_all(struck, expected):
    # steady: 200 DN a frame, so that the third group would be at 1.2e4, its last frame at 1.23e4;
    # one frame of four at the threshold of 5.63e4 lifts the mean by 1.1e4
    counts = [1.04e4, 1.12e4, struck, 6e4]
    result = saturation(one_pixel(counts, NFRAMES=4), saturation=threshold((1, 1), 5.63e4))
    assert flags(result) == [0, 0, expected, DQ.SATURATED]


@pytest.mark.parametrize(("first_frame", "expected"), [(1.01e4, UNUSABLE), (1.5e4, 0)])
def test_in_the_first_group_the_first_frame_tells_a_ray_from_light(first_frame, expected):
    product = one_pixel([2.3e4, 6.1e4], NFRAMES=4, zeroframe=[[[first_frame]]])
    bias = reference(Superbias, data=[[1e4]])
    result = saturation(product, saturation=threshold((1, 1)), superbias=bias)
    assert flags(result) == [expected, DQ.SATURATED]


def test_a_pixel_that_a_neighbour_flags_first_is_judged_by_its_own_saturation():
    # the left pixel saturates in group 2; the middle one in group 3, and within group 2, which spills to the right
    left, middle = [1e4, 3e4, 6.1e4, 6.1e4], [1e4, 3.3e4, 5.6e4, 6.1e4]
    data = np.stack([left, middle, [100.0] * 4, [100.0] * 4], axis=-1)[:, None]
    found = saturation(ramp(data, NFRAMES=4), saturation=threshold((1, 4))).groupdq[0, :, 0, 2]
    assert found.tolist() == [0, 0, UNUSABLE, DQ.SATURATED]
    official = Params(partial_search="official")
    found = saturation(ramp(data, NFRAMES=4), official, saturation=threshold((1, 4))).groupdq[0, :, 0, 2]
    assert found.tolist() == [0, 0, 0, DQ.SATURATED]


def found_in(made, search="ramp"):
    params = Params(partial_search=search)
    return saturation(deepcopy(made.ramp), params, saturation=made.limits, superbias=made.bias).groupdq > 0


@pytest.mark.parametrize("readout", READOUTS)
def test_light_that_saturates_in_any_frame_is_seen_and_so_are_all_that_it_touches(readout):
    made = scene(readout, seed=1)
    flagged, true = found_in(made), made.full | made.touched
    assert made.full.sum() > 5000
    assert not (true & ~flagged).any()
    # of pixels that saturate one in forty loses a group whose last frame is a little below the threshold
    assert np.count_nonzero(flagged & ~true & made.full[:, -1:]) <= 0.025 * np.count_nonzero(made.full[:, -1])


@pytest.mark.parametrize("readout", READOUTS)
def test_a_group_that_a_ray_saturates_in_part_is_seen_by_the_next_one(readout):
    made = scene(readout, seed=1, struck=True)
    flagged, true = found_in(made), made.full | made.touched
    assert not (flagged & ~true).any()
    # of the first group the first frame is needed
    known = slice(0 if made.ramp.zeroframe is not None or readout == "RAPID" else 1, -1)
    assert made.full[:, known].sum() > 4000
    assert not (true & ~flagged)[:, known].any()


@pytest.mark.parametrize("struck", [False, True])
def test_of_single_frames_every_saturated_one_is_flagged_and_all_that_touch_it(struck):
    made = scene("RAPID", seed=2, struck=struck)
    flagged = saturation(made.ramp, saturation=made.limits).groupdq > 0
    assert np.array_equal(flagged, made.full | made.touched)
