"""Apertures, local background, magnitudes, shapes, neighbours."""

import numpy as np
import pytest
from imaging_scene import stars

from jwrules.kernels.photometry import ab_magnitude, apertures, local_background, nearest, peak_shape, ratios

SHAPE = (80, 80)
X, Y = np.array([20.3, 60.2]), np.array([20.4, 59.7])


def test_a_circle_on_a_constant_holds_its_area():
    flux, error = apertures(np.full(SHAPE, 3.0), np.ones(SHAPE), X, Y, [2.0, 5.0], np.zeros(2))
    area = np.pi * np.array([[4.0], [25.0]]) * np.ones(2)
    np.testing.assert_allclose(flux, 3 * area)
    np.testing.assert_allclose(error, np.sqrt(area))


def test_the_background_is_taken_off_by_area():
    flux, _ = apertures(np.full(SHAPE, 3.0), np.ones(SHAPE), X, Y, [4.0], np.array([3.0, 2.0]))
    np.testing.assert_allclose(flux, [[0.0, 16 * np.pi]], atol=1e-9)


def test_a_star_loses_nothing_in_a_wide_circle():
    image = stars(SHAPE, X, Y, 100.0, 2.5)
    flux, _ = apertures(image, np.ones(SHAPE), X, Y, [8.0], np.zeros(2))
    np.testing.assert_allclose(flux, 100.0, rtol=1e-4)


def test_the_local_background_does_not_see_the_star_nor_a_bad_pixel():
    image = stars(SHAPE, X, Y, 1e4, 2.5) + 7
    image[20, 30], image[21, 30] = np.nan, 1e6
    level, error = local_background(image, X, Y, 8, 14)
    np.testing.assert_allclose(level, 7.0)
    np.testing.assert_allclose(error, 0.0, atol=1e-6)


def test_the_error_of_the_local_background_is_that_of_a_median():
    image = np.random.default_rng(1).normal(0, 2, SHAPE)
    _, error = local_background(image, X, Y, 8, 14)
    pixels = np.pi * (14**2 - 8**2)
    np.testing.assert_allclose(error, 2 * np.sqrt(np.pi / 2 / pixels), rtol=0.15)


def test_an_unknown_position_has_no_flux_nor_background():
    flux, _ = apertures(np.ones(SHAPE), np.ones(SHAPE), np.array([np.nan]), Y[:1], [2.0], np.zeros(1))
    level, _ = local_background(np.ones(SHAPE), np.array([np.nan]), Y[:1], 5, 8)
    assert np.isnan(flux).all()
    assert np.isnan(level).all()


def test_magnitudes_of_a_microjansky():
    magnitude, error = ab_magnitude(np.array([1e-6, 1e-8, 0.0, -1.0]), np.array([1e-7, 1e-8, 1.0, 1.0]))
    np.testing.assert_allclose(magnitude, [23.9, 28.9, np.nan, np.nan])
    np.testing.assert_allclose(error, [2.5 * np.log10(1.1), 2.5 * np.log10(2), np.nan, np.nan])


def test_concentration_indices_are_ratios_of_larger_to_smaller():
    np.testing.assert_allclose(ratios(np.array([[1.0], [2.0], [6.0]])), [[2.0], [3.0], [6.0]])


def test_a_round_star_is_sharp_and_has_no_roundness():
    image = stars(SHAPE, [40.0], [40.0], 100.0, 2.0) + 5
    sharpness, roundness = peak_shape(image, np.array([40.0]), np.array([40.0]), 2.0)
    assert 0.5 < sharpness[0] < 1.0
    assert roundness[0] == pytest.approx(0, abs=1e-9)


def test_a_hot_pixel_is_sharper_than_a_star():
    image = stars(SHAPE, [20.0], [20.0], 100.0, 2.0)
    image[60, 60] = 50
    sharpness, _ = peak_shape(image, np.array([20.0, 60.0]), np.array([20.0, 60.0]), 2.0)
    assert sharpness[1] > 1.2 > sharpness[0]


@pytest.mark.parametrize(("x", "y", "sign"), [([38, 40, 42], [40] * 3, -1), ([40] * 3, [38, 40, 42], 1)])
def test_a_row_and_a_column_are_out_of_round_the_opposite_way(x, y, sign):
    image = stars(SHAPE, np.array(x, float), np.array(y, float), 100.0, 2.0)
    _, roundness = peak_shape(image, np.array([40.0]), np.array([40.0]), 2.0)
    assert sign * roundness[0] > 0.1


def test_the_nearest_neighbour_of_each_of_three():
    index, distance = nearest(np.array([0.0, 3.0, 10.0, np.nan]), np.array([0.0, 4.0, 4.0, 0.0]))
    assert index.tolist() == [1, 0, 1, -1]
    np.testing.assert_allclose(distance, [5, 5, 7, np.nan])


def test_a_single_source_has_no_neighbour():
    index, distance = nearest(np.array([1.0]), np.array([2.0]))
    assert index.tolist() == [-1]
    assert np.isnan(distance).all()
