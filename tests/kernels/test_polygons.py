"""What two polygons share, and which pixels lie inside one."""

import numpy as np
import pytest

from jwrules.kernels.polygons import area, clip, inside

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])


@pytest.mark.parametrize("turn", [1, -1])
def test_two_squares_share_their_common_corner(turn):
    assert area(clip(SQUARE, SQUARE[::turn] + 3)) == pytest.approx(1.0)


def test_a_square_turned_by_45_degrees_about_the_same_center_leaves_an_octagon():
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (SQUARE - 2) @ turn.T + 2
    assert area(clip(SQUARE, turned)) == pytest.approx(16 * 2 * (np.sqrt(2) - 1))


def test_squares_apart_share_nothing():
    assert len(clip(SQUARE, SQUARE + 5)) == 0


def test_the_whole_image_lies_inside_its_outer_edge():
    edge = np.array([[-0.5, -0.5], [6.5, -0.5], [6.5, 4.5], [-0.5, 4.5]])
    assert inside(edge, (5, 7)).all()


def test_pixels_inside_a_triangle_are_counted_by_hand():
    # x + y < 3.5 with x, y >= 0: 4 + 3 + 2 + 1 pixels
    triangle = np.array([[-0.5, -0.5], [4.0, -0.5], [-0.5, 4.0]])
    mask = inside(triangle, (8, 8))
    assert mask.sum() == 10
    assert mask[0].tolist() == [True] * 4 + [False] * 4


def test_a_polygon_beyond_the_image_covers_none_of_it():
    assert not inside(SQUARE + 100, (8, 8)).any()
