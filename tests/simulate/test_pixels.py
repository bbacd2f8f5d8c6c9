"""What the pixels of a detector are like."""

from dataclasses import replace

import numpy as np
import pytest

from jwrules.simulate import instruments, nircam, pixels

CORNER = nircam.Window("SUB640", 0, 2048 - 96, 128, 96, 1)
MADE = pixels.make(nircam.NRCB1, CORNER, seed=3)
ALIVE = ~MADE.reference


def test_the_polynomial_straightens_the_response_to_a_thousandth_up_to_nine_tenths_of_full_well():
    for share in (0.02, 0.3, 0.6, 0.9):
        linear = share * MADE.well
        read = pixels.response(linear, MADE.well, MADE.bend)
        straight = np.polynomial.polynomial.polyval(read, MADE.linearity, tensor=False)
        assert np.abs(straight / linear - 1)[ALIVE].max() < 1e-3


def test_the_curve_is_the_response():
    linear = 0.7 * MADE.well
    curved = np.polynomial.polynomial.polyval(linear, MADE.curve, tensor=False)
    assert curved[ALIVE] == pytest.approx(pixels.response(linear, MADE.well, MADE.bend)[ALIVE], rel=1e-5)


def test_the_response_falls_behind_by_the_bend_at_full_well():
    well = np.array([50000.0])
    assert pixels.response(well, well, np.array([0.07])) == pytest.approx(50000 * 0.93)


def test_a_full_pixel_takes_nothing_more():
    charge = np.full(CORNER.shape, 1e7)
    assert np.array_equal(MADE.read(charge), MADE.read(2 * charge))


def test_the_outer_four_rows_and_columns_of_the_detector_are_blind():
    expected = np.zeros(CORNER.shape, bool)
    expected[-4:] = expected[:, :4] = True
    assert np.array_equal(MADE.reference, expected)
    assert not MADE.efficiency[MADE.reference].any()
    assert not MADE.dark[MADE.reference].any()


def test_the_gain_of_a_window_is_cut_from_the_full_frame():
    whole = pixels.full_gain(nircam.NRCB1, 3)[CORNER.slices]
    known = np.isfinite(whole)
    assert np.array_equal(MADE.gain[known], whole[known])


def test_another_seed_gives_another_detector():
    assert not np.array_equal(MADE.bias, pixels.make(nircam.NRCB1, CORNER, seed=4).bias)


def test_the_raw_ceiling_stays_below_the_end_of_the_converter():
    deep = replace(MADE, well=MADE.well * 2)
    assert deep.ceiling.max() == 65000
    assert np.all(MADE.ceiling > MADE.bias)


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (nircam.FULL, 10.73677),
        (nircam.Window("SUB640", 0, 1408, 640, 640, 1), 4.18584),
        (nircam.Window("SUBGRISM256", 0, 0, 2048, 256, 4), 1.34669),
        (nircam.Window("SUB160", 0, 0, 160, 160, 1), 0.27864),
        (instruments.window("NIRISS", "SUB80"), 0.07544),
        (instruments.window("NIRISS", "SUBSTRIP256"), 5.494),
        (instruments.window("NIRSPEC", "FULL"), 10.73677),
        (instruments.window("NIRSPEC", "SUB2048"), 0.90156),
        (instruments.window("NIRSPEC", "ALLSLITS"), 5.49132),
        (instruments.window("MIRI", "SLITLESSPRISM"), 0.15904),
        (instruments.window("MIRI", "MASK1550"), 0.23968),
    ],
)
def test_a_frame_takes_as_long_as_on_the_real_detector(window, seconds):
    assert window.frame_time == pytest.approx(seconds, abs=1e-9)
