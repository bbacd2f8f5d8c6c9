"""The common outline of polygons."""

import numpy as np

from jwrules.kernels.outlines import union

SQUARE = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 10.0], [10.0, 0.0]])


def area(polygon):
    x, y = polygon.T
    return 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def test_overlapping_squares_have_one_outline():
    (outline,) = union([SQUARE, SQUARE + 5])
    assert len(outline) == 8
    assert area(outline) == 175


def test_squares_apart_have_two():
    assert [area(part) for part in union([SQUARE, SQUARE + 20])] == [100, 100]


def test_squares_side_by_side_are_a_rectangle():
    (outline,) = union([SQUARE, SQUARE + np.array([10, 0])])
    assert len(outline) == 4
    assert area(outline) == 200


def test_the_window_cuts():
    (outline,) = union([SQUARE], SQUARE + np.array([5, 0]))
    assert area(outline) == 50


def test_nothing_in_the_window_is_nothing():
    assert union([SQUARE], SQUARE + 100) == []
