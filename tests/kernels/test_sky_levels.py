"""The sky level of an image, and the levels that make images agree."""

import numpy as np
import pytest

from jwrules.kernels.sky_levels import Sky, match


@pytest.mark.parametrize("statistic", ["mode", "median", "midpt", "mean"])
def test_every_statistic_moves_with_the_sky(statistic):
    values = np.random.default_rng(1).normal(0, 1, 5000)
    sky = Sky(statistic=statistic)
    assert sky.level(values + 7)[0] == pytest.approx(sky.level(values)[0] + 7, abs=1e-9)


@pytest.mark.parametrize(("statistic", "tolerance"), [("mode", 0.3), ("median", 0.03), ("midpt", 0.03), ("mean", 0.03)])
def test_the_level_of_gaussian_noise_is_its_center(statistic, tolerance):
    values = np.random.default_rng(2).normal(10, 1, 20000)
    assert Sky(statistic=statistic).level(values)[0] == pytest.approx(10, abs=tolerance)


@pytest.mark.parametrize("statistic", ["mode", "median", "midpt", "mean"])
def test_the_level_of_a_constant_is_that_constant(statistic):
    assert Sky(statistic=statistic).level(np.full(10, 3.5)) == (3.5, 10)


def test_the_mode_is_the_top_of_a_parabola_through_the_highest_bin():
    # bins of one unit from 0: 1, 2, 4, 3, 1 values; parabola through (2, 4, 3): shift (2 - 1) / (2 (2 + 1)) = 1/6
    values = np.repeat([0.0, 1.5, 2.5, 3.5, 4.5], [1, 2, 4, 3, 1])
    assert Sky(bin_width=1 / values.std(), clips=0).level(values)[0] == pytest.approx(2 + 0.5 + 1 / 6)


def test_stars_are_clipped_away():
    values = np.random.default_rng(3).normal(5, 0.1, 10000)
    values[:200] += 50
    assert Sky(statistic="mean").level(values) == (pytest.approx(5, abs=0.01), pytest.approx(9800, abs=10))


def test_limits_leave_out_what_lies_beyond():
    assert Sky(statistic="mean", lower=2, upper=4, clips=0).level(np.arange(10.0)) == (3.0, 3)


def test_nothing_left_is_no_level():
    level, count = Sky(lower=100.0).level(np.arange(10.0))
    assert np.isnan(level)
    assert count == 0


def test_levels_of_a_chain_of_overlaps_are_solved_exactly():
    truth = np.array([3.0, 1.0, 2.0])
    counts = np.array([[0, 10, 0], [12, 0, 20], [0, 5, 0]])
    levels = np.repeat(truth[:, None], 3, axis=1)
    solution = match(levels, counts)
    np.testing.assert_allclose(solution - solution[1], truth - 1.0, atol=1e-12)


def test_an_overlap_with_more_pixels_counts_more():
    # three images in a ring whose differences do not close by 0.3: the light overlap (0, 2) takes nearly all of it
    levels = np.zeros((3, 3))
    levels[0, 2] = 0.3
    counts = np.array([[0, 1000, 1], [1000, 0, 1000], [1, 1000, 0]])
    solution = match(levels, counts)
    assert abs(solution[0] - solution[1]) < 1e-3


def test_an_image_without_overlap_has_no_level():
    counts = np.array([[0, 5, 0], [5, 0, 0], [0, 0, 0]])
    assert np.isnan(match(np.zeros((3, 3)), counts)).tolist() == [False, False, True]
