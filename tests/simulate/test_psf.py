"""The image of a star."""

import numpy as np
import pytest

from jwrules.simulate.psf import RADIUS, Psf

PSF = Psf(2.1)


def star(x, y, flux=1.0, size=101):
    image = np.zeros((size, size))
    PSF.draw(image, x, y, flux)
    return image


@pytest.mark.parametrize(("x", "y"), [(50.0, 50.0), (50.5, 49.5), (50.21, 50.83)])
def test_a_star_has_its_flux_wherever_in_a_pixel_it_falls(x, y):
    assert star(x, y, 7.0).sum() == pytest.approx(7.0, rel=1e-4)


def test_a_star_is_where_it_was_put():
    image = star(50.21, 49.68)
    rows, columns = np.indices(image.shape)
    assert (image * columns).sum() / image.sum() == pytest.approx(50.21, abs=2e-3)
    assert (image * rows).sum() / image.sum() == pytest.approx(49.68, abs=2e-3)


def test_a_star_has_its_width():
    profile = PSF.pixelated[RADIUS * 9]
    above = np.flatnonzero(profile > profile.max() / 2)
    assert (above[-1] - above[0] + 1) / 9 == pytest.approx(2.1, abs=0.12)


def test_half_a_star_falls_off_the_edge():
    image = star(0.0, 50.0) + star(0.0, 50.0)
    assert image[:, 1:].sum() + image[:, 0].sum() / 2 == pytest.approx(1.0, rel=1e-3)


def test_a_star_beyond_the_edge_leaves_nothing():
    assert not star(-RADIUS - 5.0, 50.0).any()


def test_encircled_energy_grows_from_nothing_to_all():
    energy = PSF.encircled(np.linspace(0, RADIUS, 200))
    assert energy[0] == 0
    assert np.all(np.diff(energy) >= 0)
    assert energy[-1] == pytest.approx(1.0, abs=1e-3)


def test_the_radius_of_an_energy_encircles_it():
    assert PSF.encircled(np.array(PSF.radius_of(0.7))) == pytest.approx(0.7, abs=1e-9)


def test_apertures_on_drizzled_stars_hold_the_stated_energy():
    rows, columns = np.indices((101, 101))
    held = []
    for x, y, shift, slip in np.random.default_rng(2).uniform(0, 1, (60, 4)):
        image = star(50 + x, 50 + y)
        for axis, part in ((0, slip), (1, shift)):
            image = (1 - part) * image + part * np.roll(image, 1, axis=axis)
        disk = overlap(rows - 50 - y - slip, columns - 50 - x - shift, 2.5)
        held.append((image * disk).sum())
    assert np.mean(held) == pytest.approx(float(PSF.encircled(np.array(2.5))), rel=2e-3)


def overlap(rows, columns, radius):
    """Share of each pixel that lies within the circle, by 9 x 9 points in it."""
    points = (np.arange(9) - 4) / 9
    inside = [np.hypot(rows + dy, columns + dx) < radius for dy in points for dx in points]
    return np.mean(inside, axis=0)


def test_the_aperture_correction_undoes_what_the_aperture_and_the_background_take():
    radius, annulus = PSF.radius_of(0.7), (14.0, 20.0)
    inner, outer = PSF.encircled(np.array(annulus))
    background = (outer - inner) / (20.0**2 - 14.0**2)
    assert (0.7 - background * radius**2) * PSF.correction(radius, annulus) == pytest.approx(1.0)


def test_the_sharpness_is_that_of_a_drawn_star():
    phases = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 2)) + 50
    assert PSF.sharpness == pytest.approx(np.mean([np.sum(star(*p) ** 2) for p in phases]), rel=0.02)
