"""Medians of exposures, blotting, and the rule by which pixels stand out."""

import numpy as np
import pytest

from jwrules.kernels.outliers import (
    Cutout,
    blot,
    lowest_weight,
    median,
    nan_median,
    noise_of,
    outstanding,
    steepness,
    window,
)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_the_median_is_that_of_numpy(count):
    stack = np.random.default_rng(count).normal(size=(count, 20, 30)).astype(np.float32)
    stack[np.random.default_rng(9).random(stack.shape) < 0.2] = np.nan
    stack[:, 0, 0], stack[:, 1, 1] = np.nan, 1.0
    everywhere = np.ones((20, 30), bool)
    everywhere[np.isnan(stack).all(axis=0)] = False
    expected = np.full((20, 30), np.nan)
    expected[everywhere] = [np.median(column[np.isfinite(column)]) for column in stack[:, everywhere].T]
    np.testing.assert_allclose(nan_median(stack), expected, rtol=1e-6)


def test_cutouts_are_combined_where_they_overlap():
    one = Cutout(data=np.full((70, 5), 1, np.float32), rows=slice(0, 70), columns=slice(0, 5))
    two = Cutout(data=np.full((100, 5), 3, np.float32), rows=slice(50, 150), columns=slice(3, 8))
    result = median([one, two], (200, 8))
    assert result[10, 0] == 1
    assert result[60, 4] == 2
    assert result[100, 7] == 3
    assert np.isnan(result[180]).all()


def test_low_weights_are_those_below_a_share_of_the_mean():
    weight = np.concatenate([np.full(1000, 2.0), np.zeros(500), [np.nan, 1e6]])
    assert lowest_weight(weight, 0.7) == pytest.approx(1.4)


def test_no_weight_at_all_is_no_limit():
    assert lowest_weight(np.zeros(5), 0.7) == 0


def test_blotting_interpolates_linearly():
    y, x = np.mgrid[:20, :20].astype(np.float32)
    places = np.stack([x[2:10, 2:10] + 0.25, y[2:10, 2:10] + 0.5], axis=-1)
    np.testing.assert_allclose(blot(3 * x + y, places), 3 * places[..., 0] + places[..., 1], rtol=1e-6)


def test_blotting_beyond_the_edge_gives_nan():
    places = np.full((2, 2, 2), 50.0)
    places[0, 0] = np.nan
    assert np.isnan(blot(np.ones((20, 20), np.float32), places)).all()


def test_a_place_beside_a_missing_pixel_has_no_value():
    image = np.ones((20, 20), np.float32)
    image[10, 10] = np.nan
    places = np.array([[[9.5, 9.5], [10.5, 9.5], [8.5, 9.5], [18.5, 18.5], [19.2, 3.0]]])
    assert np.isnan(blot(image, places)).tolist() == [[True, True, False, False, True]]


def test_steepness_is_the_largest_step_to_a_neighbour():
    image = np.array([[0.0, 1.0, 4.0], [0.0, 2.0, 4.0], [0.0, 0.0, np.nan]], np.float32)
    np.testing.assert_array_equal(steepness(image), [[1, 3, 3], [2, 2, 2], [0, 2, np.nan]])


def _rule(data, **options):
    size = data.shape
    settings = {"sigmas": (5.0, 4.0), "slopes": (1.2, 0.7), "steep": np.zeros(size), "allowance": 0.0} | options
    return outstanding(data, np.ones(size), np.zeros(size), **settings)


def _spots(*values):
    image = np.zeros((9, 9))
    for column, value in enumerate(values):
        image[4, 3 + column] = value
    return image


def test_five_sigma_stands_out_whatever_its_sign():
    assert _rule(_spots(5.1)).sum() == _rule(_spots(-5.1)).sum() == 1
    assert not _rule(_spots(4.9)).any()


def test_neighbours_of_an_outlier_stand_out_earlier():
    assert _rule(_spots(5.1, 4.1)).sum() == 2
    assert _rule(_spots(5.1, 0, 4.1)).sum() == 1
    assert _rule(_spots(4.1, 4.1)).sum() == 0


def test_steepness_and_allowance_raise_the_threshold():
    assert _rule(_spots(6.1), steep=np.ones((9, 9))).sum() == 0
    assert _rule(_spots(6.3), steep=np.ones((9, 9))).sum() == 1
    assert _rule(_spots(7.9), allowance=3.0).sum() == 0


def test_what_is_not_a_number_is_no_outlier():
    assert not _rule(_spots(np.nan)).any()


def _image_with_poisson_noise(sky=0.0):
    rng = np.random.default_rng(2)
    expected = np.full((50, 50), 4.0)
    expected[::5, ::5] = rng.uniform(100, 1000, (10, 10))
    data = expected.copy()
    data[7, 7] += 300
    variance = 0.02 * (data + sky)
    return data, np.sqrt(0.01 + variance), variance, expected


@pytest.mark.parametrize("sky", [0.0, 50.0])
def test_the_noise_of_a_hit_pixel_is_that_of_what_it_ought_to_show(sky):
    data, err, variance, expected = _image_with_poisson_noise(sky)
    noise = noise_of(data, err, variance, expected)
    assert noise[7, 7] == pytest.approx(np.sqrt(0.01 + 0.02 * (4 + sky)), rel=0.02)
    np.testing.assert_array_equal(noise[expected >= data], err[expected >= data])


def test_without_bright_pixels_the_noise_stays_as_it_is():
    data = np.random.default_rng(1).normal(0, 1, (50, 50))
    err = np.ones((50, 50))
    np.testing.assert_array_equal(noise_of(data, err, 0.5 * err, np.zeros((50, 50))), err)


def test_a_window_holds_all_places_with_room_for_the_drop():
    places = np.moveaxis(np.mgrid[30:40, 50:60].astype(float), 0, -1)[..., ::-1]
    rows, columns = window([places], (100, 100), 1.0)
    assert (rows.start, rows.stop) == (27, 43)
    assert (columns.start, columns.stop) == (47, 63)


def test_an_image_that_misses_the_grid_has_no_window():
    assert window([np.full((5, 5, 2), 500.0)], (100, 100), 1.0) is None
    assert window([np.full((5, 5, 2), np.nan)], (100, 100), 1.0) is None
