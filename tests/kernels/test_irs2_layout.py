"""Where the pixels of a frame in IRS2 readout lie, worked out by hand."""

import numpy as np
import pytest
from interleaved_scene import CLOCK

from jwrules.kernels.irs2_layout import Layout
from jwrules.simulate import irs2

NRS1, NRS2 = Layout(), Layout(backwards=True)
BY_DETECTOR = {"NRS1": NRS1, "NRS2": NRS2}


def test_a_line_is_eight_pixels_then_by_turns_four_reference_and_sixteen_others():
    assert np.flatnonzero(NRS1.is_reference)[:9].tolist() == [8, 9, 10, 11, 28, 29, 30, 31, 48]
    assert np.flatnonzero(NRS1.is_reference)[-4:].tolist() == [628, 629, 630, 631]


def test_stepping_out_and_back_takes_the_time_of_a_pixel_each():
    assert NRS1.time[:14].tolist() == [*range(8), 9, 10, 11, 12, 14, 15]
    assert NRS1.time[-1] == 703
    assert NRS1.period == 712


def test_the_reference_output_comes_first_and_every_second_output_is_read_backwards():
    assert NRS1.row[:, 0].tolist() == [639, 640, 1919, 1920, 3199]
    assert NRS1.row[:, -1].tolist() == [0, 1279, 1280, 2559, 2560]


def test_the_other_detector_is_stored_the_other_way_round():
    assert NRS2.row[:, 0].tolist() == [2560, 2559, 1280, 1279, 0]


def test_light_is_what_is_left_of_the_rows():
    assert NRS1.light[:10].tolist() == [640, 641, 642, 643, 644, 645, 646, 647, 652, 653]
    assert NRS2.light[:10].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 12, 13]
    assert NRS1.light.size == 2048


def test_reference_pixels_stand_for_twice_their_time_by_turns():
    times, order = NRS1.spread
    assert times[:8].tolist() == [7, 8, 9, 10, 11, 12, 13, 14]
    assert order[:8].tolist() == [8, 10, 8, 10, 9, 11, 9, 11]
    assert times[8:10].tolist() == [29, 30]
    assert order[8:10].tolist() == [28, 30]


def test_two_reference_pixels_change_places():
    times, order = Layout(16, 2).spread
    assert times[:4].tolist() == [8, 9, 10, 11]
    assert order[:4].tolist() == [9, 8, 9, 8]


def test_light_alternates_in_parity_and_reference_pixels_by_pairs():
    even = NRS1.parity()
    assert even[640:654].tolist() == [True, False] * 4 + [True, True, False, False] + [True, False]


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_what_the_simulator_interleaves_is_found_again(detector):
    frame = np.arange(2048.0 * 2048).reshape(2048, 2048)
    pixels = -1 - np.arange(4.0 * 2048 * 128).reshape(4, 2048, 128)
    output = 0.5 + np.arange(2048.0 * 640).reshape(2048, 640)
    stored, layout = irs2.interleave(frame, pixels, output, detector, CLOCK), BY_DETECTOR[detector]
    assert np.array_equal(stored[layout.light], frame.astype(np.float32))
    lines = stored[:, layout.lines_in_time()]
    assert np.array_equal(lines[layout.row[0]].T, output.astype(np.float32))
    for amplifier in range(4):
        rows = layout.row[amplifier + 1][layout.is_reference]
        assert np.array_equal(lines[rows].T, pixels[amplifier].astype(np.float32))
