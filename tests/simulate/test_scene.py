"""The sky and how it falls on a detector."""

import numpy as np
import pytest

from jwrules.simulate import nircam, scene
from jwrules.simulate.optics import Attitude, View
from jwrules.simulate.psf import Psf
from jwrules.simulate.scene import Sources

WINDOW = nircam.Window("SUB160", 800, 800, 160, 140, 1)
VIEW = View(nircam.NRCALONG, nircam.F444W, WINDOW, Attitude(86.1, -493.2, 10.0, 20.0, 30.0), 1.0)


def sources(x, y, flux, size=None):
    """Sources at these pixels of VIEW; those with a size are galaxies."""
    ra, dec = VIEW.to_sky(np.array(x, float), np.array(y, float))
    size = np.zeros(len(x)) if size is None else np.array(size, float)
    flux = np.array(flux, float)
    one, none = np.where(size > 0, 1.0, 0.0), np.zeros(len(x))
    return Sources(ra, dec, {"F200W": flux, "F444W": flux}, one, size, 0.7 * one, none + 40.0 * one)


def test_stars_and_galaxies_give_all_their_flux():
    image = scene.draw(sources([50, 100.4], [60, 70.3], [3.0, 5.0], [0, 0.15]), VIEW, Psf(2.3))
    assert image.sum() == pytest.approx(8.0, rel=1e-3)


def test_a_galaxy_is_where_it_was_put_and_wider_than_a_star():
    image = scene.draw(sources([80.3], [70.8], [1.0], [0.2]), VIEW, Psf(2.3))
    star = scene.draw(sources([80.3], [70.8], [1.0]), VIEW, Psf(2.3))
    rows, columns = np.indices(image.shape)
    assert (image * columns).sum() == pytest.approx(80.3, abs=0.05)
    assert (image * rows).sum() == pytest.approx(70.8, abs=0.05)
    assert image.max() < star.max() / 2


def test_a_galaxy_is_stretched_along_its_position_angle():
    image = scene.draw(sources([80], [70], [1.0], [0.25]), VIEW, Psf(2.3))
    rows, columns = np.indices(image.shape)
    east, north = np.tensordot(VIEW.jacobian(80, 70), [columns - 80, rows - 70], axes=1)
    angle = np.radians(40.0)
    along = (image * (east * np.sin(angle) + north * np.cos(angle)) ** 2).sum()
    across = (image * (east * np.cos(angle) - north * np.sin(angle)) ** 2).sum()
    assert along > 1.5 * across


def test_a_source_beyond_the_edge_leaves_nothing_and_raises_nothing():
    assert not scene.draw(sources([-300, 700], [70, 70], [1, 1], [0, 0.2]), VIEW, Psf(2.3)).any()


def test_only_a_companion_that_is_near_and_bright_spoils_a_source():
    near, far = 5.0, 40.0
    table = sources([50, 50 + near, 50 + far], [70, 70, 70], [1.0, 0.5, 100.0])
    assert list(scene.isolated(table, nircam.F444W)) == [False, False, True]
    table = sources([50, 50 + near], [70, 70], [1.0, 0.01])
    assert list(scene.isolated(table, nircam.F444W)) == [True, False]


def test_coverage_counts_the_views_that_hold_a_source():
    table = sources([80, 5], [70, 70], [1, 1])
    assert list(scene.coverage(table, [VIEW, VIEW])) == [2, 0]


def test_a_field_is_filled_with_what_was_asked_for():
    pointing = nircam.imaging("small")[1]
    view = View(pointing.detector, pointing.band, pointing.window, VIEW.attitude, 1.0)
    found = scene.populate([(pointing, view)], np.random.default_rng(0))
    x, y = view.to_pixel(found.ra, found.dec)
    assert np.sum(found.size == 0) == pointing.stars
    assert np.sum(found.size > 0) == pointing.galaxies
    assert 0 < x.min() < x.max() < 2047
    assert 0 < y.min() < y.max() < 255
