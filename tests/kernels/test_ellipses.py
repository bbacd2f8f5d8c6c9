import numpy as np

from jwrules.kernels import ellipses


def disc(y, x, radius, shape=(60, 60)):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(rows - y, columns - x) < radius


def test_a_disc_is_described_by_its_centre_and_diameter():
    (shape,) = ellipses.shapes(disc(20, 35, 8.0), 5)
    assert (shape.y, shape.x) == (20.0, 35.0)
    # the second moment of a disc is r²/4, so that 4 √λ is its diameter
    assert abs(shape.major + 1 - 16) < 0.4
    assert np.isclose(shape.minor, shape.major)


def test_an_inclined_bar_is_described_by_its_direction():
    mask = np.zeros((60, 60), bool)
    for k in range(-12, 13):
        mask[30 + k, 30 + k // 2 - 1 : 30 + k // 2 + 2] = True
    (shape,) = ellipses.shapes(mask, 5)
    assert abs(np.tan(shape.angle) - 0.5) < 0.05
    assert shape.major > 5 * shape.minor


def test_regions_touch_over_corners_and_count_with_their_holes():
    ring = np.zeros((9, 9), bool)
    ring[2:5, 2:5], ring[3, 3], ring[5, 5] = True, False, True
    assert len(ellipses.shapes(ring, 10)) == 1  # 8 around a hole, and one at the corner
    assert len(ellipses.shapes(ring, 11)) == 0


def test_what_is_drawn_of_a_shape_has_that_shape():
    (shape,) = ellipses.shapes(disc(20, 35, 8.0), 5)
    rows, columns = shape.draw(2 * shape.minor, 2 * shape.major, (60, 60))
    drawn = np.zeros((60, 60), bool)
    drawn[rows, columns] = True
    assert np.array_equal(drawn & disc(20, 35, 14), disc(20, 35, 14))
    assert not (drawn & ~disc(20, 35, 16)).any()
    assert rows.min() >= 0
    assert columns.max() < 60


def test_an_inclined_ellipse_holds_the_points_along_its_long_axis():
    long = ellipses.Shape(x=0.0, y=0.0, minor=4.0, major=20.0, angle=0.0)  # along y
    assert long.holds(np.array([0.0, 9.0]), np.array([9.0, 0.0])).tolist() == [True, False]
