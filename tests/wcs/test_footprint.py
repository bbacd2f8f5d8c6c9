import numpy as np
import pytest

from jwrules.wcs import footprint

SQUARE = np.array([[10.0, 20.0], [10.0, 21.0], [11.0, 21.0], [11.0, 20.0]])


def test_s_region_goes_there_and_back():
    polygons = [SQUARE, SQUARE + 5]
    assert np.array_equal(footprint.from_s_region(footprint.to_s_region(polygons)), polygons)


def test_s_region_is_written_as_in_the_archive():
    text = footprint.to_s_region([np.array([[83.647627565, 22.024890559], [1.5, -2.25], [0.0, 1.0]])])
    assert text == "POLYGON ICRS  83.647627565 22.024890559 1.500000000 -2.250000000 0.000000000 1.000000000"


def test_corners_are_the_outer_edges_of_the_image(make_wcs):
    wcs = make_wcs()
    corners = footprint.corners(wcs)
    x, y = wcs.invert(*corners.T, with_bounding_box=False)
    assert np.column_stack([x, y]) == pytest.approx(np.array([[-0.5, -0.5], [-0.5, 63.5], [63.5, 63.5], [63.5, -0.5]]))


def test_the_outline_passes_through_the_corners(make_wcs):
    wcs = make_wcs()
    assert footprint.outline(wcs, per_side=5)[::5] == pytest.approx(footprint.corners(wcs), abs=1e-12)


def test_the_centre_of_footprints_across_ra_zero_lies_between_them():
    ra, dec = footprint.center([np.array([[359.9, 0.0], [359.9, 0.1]]), np.array([[0.1, 0.0], [0.1, 0.1]])])
    assert min(ra, 360 - ra) == pytest.approx(0.0, abs=1e-9)
    assert dec == pytest.approx(0.05, abs=1e-6)


def test_the_area_of_an_octant_boundary_is_an_eighth_of_the_sphere():
    step = np.linspace(0, 90, 500, endpoint=False)
    zero, ninety = np.zeros_like(step), np.full_like(step, 90)
    octant = np.concatenate([np.column_stack(side) for side in ((step, zero), (ninety, step), (zero, 90 - step))])
    assert footprint.area(octant) == pytest.approx(np.pi / 2, rel=1e-4)


def test_only_pixels_inside_the_bounding_box_count(make_wcs):
    wcs = make_wcs()
    wcs.bounding_box = ((3.5, 200.0), (-0.5, 60.2))
    assert footprint.pixels(wcs, (64, 64)) == (4, 63, 0, 60)
