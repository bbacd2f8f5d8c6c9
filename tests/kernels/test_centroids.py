"""Positions of stars in undersampled images."""

import numpy as np
import pytest
from imaging_scene import stars

from jwrules.kernels.centroids import fit

SHAPE = (60, 60)


def _grid(seed=1):
    rng = np.random.default_rng(seed)
    x, y = (axis.ravel() + rng.uniform(-0.5, 0.5, 25) for axis in np.mgrid[6:60:12, 6:60:12][::-1].astype(float))
    return x, y


@pytest.mark.parametrize("fwhm", [1.1, 1.6, 2.3, 3.0])
def test_gaussian_stars_are_placed_exactly_whatever_their_width_and_pixel_phase(fwhm):
    x, y = _grid()
    found = fit(stars(SHAPE, x, y, 100.0, fwhm) + 7, np.ones(SHAPE, bool), np.rint(x), np.rint(y), 2.5)
    np.testing.assert_allclose(found, [x, y], atol=1e-4)


def test_bad_pixels_in_a_star_do_not_move_it():
    x, y = _grid()
    image, usable = stars(SHAPE, x, y, 100.0, 2.0), np.ones(SHAPE, bool)
    usable[np.rint(y).astype(int), np.rint(x).astype(int) + 1] = False
    image[~usable] = np.nan
    np.testing.assert_allclose(fit(image, usable, x + 0.3, y - 0.3, 2.5), [x, y], atol=1e-4)


def test_noise_scatters_positions_as_the_information_in_the_pixels_allows():
    # a fit of position to a Gaussian of flux F, width s in noise n scatters by sqrt(8 pi) s^2 n / F
    fwhm, flux, noise = 2.5, 200.0, 0.5
    x, y = _grid()
    clean = stars(SHAPE, x, y, flux, fwhm)
    rng = np.random.default_rng(5)
    errors = [
        fit(clean + rng.normal(0, noise, SHAPE), np.ones(SHAPE, bool), x, y, fwhm) - np.array([x, y]) for _ in range(20)
    ]
    assert np.std(errors) == pytest.approx(np.sqrt(8 * np.pi) * (fwhm / 2.3548) ** 2 * noise / flux, rel=0.1)


def test_a_star_at_the_edge_is_placed_too():
    image = stars(SHAPE, [0.2], [58.9], 100.0, 2.0)
    np.testing.assert_allclose(
        fit(image, np.ones(SHAPE, bool), np.array([0.0]), np.array([59.0]), 2.5), [[0.2], [58.9]], atol=1e-3
    )


def test_a_fit_that_runs_away_keeps_the_first_position():
    empty = np.random.default_rng(1).normal(0, 1, SHAPE)
    x, y = fit(empty, np.zeros(SHAPE, bool), np.array([30.3]), np.array([20.7]), 2.5)
    assert (x[0], y[0]) == (30.3, 20.7)


def test_the_unit_of_brightness_does_not_matter():
    x, y = _grid()
    image = stars(SHAPE, x, y, 100.0, 1.5) + np.random.default_rng(2).normal(0, 0.2, SHAPE)
    one, other = (fit(factor * image, np.ones(SHAPE, bool), x, y, 2.5) for factor in (1, 2e-9))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_an_unknown_position_stays_unknown():
    x, y = _grid()
    image = stars(SHAPE, x, y, 100.0, 2.0)
    found = fit(image, np.ones(SHAPE, bool), np.array([np.nan, x[1] + 0.2]), np.array([5.0, y[1]]), 2.5)
    np.testing.assert_allclose(found, [[np.nan, x[1]], [5.0, y[1]]], atol=1e-4)


def test_no_star_gives_no_position():
    x, y = fit(np.zeros(SHAPE), np.ones(SHAPE, bool), np.empty(0), np.empty(0), 2.5)
    assert len(x) == len(y) == 0
