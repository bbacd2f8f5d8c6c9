"""The truth of where light falls."""

from dataclasses import replace

import numpy as np
import pytest

from jwrules.simulate import nircam, optics
from jwrules.simulate.optics import Attitude, View

LOOK = Attitude(v2=-120.0, v3=-458.0, ra=80.4875, dec=-69.4975, roll=37.2)
VIEW = View(nircam.NRCALONG, nircam.F444W, nircam.FULL, replace(LOOK, v2=86.1035, v3=-493.2275), 1.00004)
X, Y = (grid.ravel() for grid in np.meshgrid(np.linspace(-0.5, 2047.5, 9), np.linspace(-0.5, 2047.5, 9)))


def separation(ra, dec, ra0, dec0):
    """Great circle distance, arcsec (haversine formula)."""
    ra, dec, ra0, dec0 = (np.radians(angle) for angle in (ra, dec, ra0, dec0))
    half = np.sin((dec - dec0) / 2) ** 2 + np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(half))) * 3600


def test_the_reference_point_looks_where_the_attitude_says():
    ra, dec = LOOK.to_sky(np.array([LOOK.v2]), np.array([LOOK.v3]))
    assert ra[0] == pytest.approx(LOOK.ra, abs=1e-11)
    assert dec[0] == pytest.approx(LOOK.dec, abs=1e-11)


def test_v3_points_along_the_roll_angle_and_v2_to_its_left():
    ra, dec = LOOK.to_sky(np.array([LOOK.v2, LOOK.v2 + 1]), np.array([LOOK.v3 + 1, LOOK.v3]))
    east = (ra - LOOK.ra) * np.cos(np.radians(LOOK.dec)) * 3600
    north = (dec - LOOK.dec) * 3600
    roll = np.radians(LOOK.roll)
    assert east == pytest.approx([np.sin(roll), np.cos(roll)], abs=1e-4)
    assert north == pytest.approx([np.cos(roll), -np.sin(roll)], abs=1e-4)


def test_the_roll_angle_at_the_reference_point_is_that_of_the_attitude():
    assert LOOK.roll_at(LOOK.v2, LOOK.v3) == pytest.approx(LOOK.roll, abs=1e-5)


def test_a_pixel_goes_to_the_sky_and_back():
    x, y = VIEW.to_pixel(*VIEW.to_sky(X, Y))
    assert np.abs(x - X).max() < 1e-6
    assert np.abs(y - Y).max() < 1e-6


def test_aberration_stretches_the_field_about_the_reference_point():
    still = replace(VIEW, aberration=1.0)
    pixel = still.to_pixel(*(np.array([value]) for value in (VIEW.attitude.ra, VIEW.attitude.dec)))
    there, moved = still.to_sky(X, Y), VIEW.to_sky(X, Y)
    center = VIEW.to_sky(*pixel)
    assert separation(*center, VIEW.attitude.ra, VIEW.attitude.dec)[0] < 1e-8
    assert separation(*moved, *center) / separation(*there, *center) == pytest.approx(1.00004, abs=1e-7)


def test_the_area_of_a_pixel_is_the_sky_it_covers():
    area = optics.pixel_area(VIEW.detector, VIEW.window) * optics.nominal_area(VIEW.detector)
    still = replace(VIEW, aberration=1.0, band=replace(VIEW.band, offset=(0.0, 0.0)))
    for x, y in ((0, 0), (2047, 0), (1000, 1700)):
        assert area[y, x] == pytest.approx(abs(np.linalg.det(still.jacobian(x - 0.5, y - 0.5))), rel=1e-4)


def test_the_filter_moves_the_image_by_its_offset():
    other = replace(VIEW, band=replace(VIEW.band, offset=(0.0, 0.0)))
    shift = np.transpose(VIEW.band.offset)
    x, y = other.to_pixel(*VIEW.to_sky(X, Y))
    assert np.abs(x - X - shift[0]).max() < 1e-6
    assert np.abs(y - Y - shift[1]).max() < 1e-6


def test_a_pointing_error_is_a_great_circle_distance():
    moved = LOOK.moved(0.06, 0.08)
    assert separation(moved.ra, moved.dec, LOOK.ra, LOOK.dec) == pytest.approx(0.1, rel=1e-5)


def test_the_official_rotation_agrees():
    pointing = pytest.importorskip("jwst.assign_wcs.pointing")
    official = pointing._v23tosky(LOOK.v2 / 3600, LOOK.v3 / 3600, LOOK.roll, LOOK.ra, LOOK.dec)
    v2, v3 = LOOK.v2 + np.array([-60.0, 0.0, 45.0]), LOOK.v3 + np.array([33.0, 0.0, -70.0])
    assert np.abs(np.subtract(LOOK.to_sky(v2, v3), official(v2, v3))).max() < 1e-10
