"""Whatever the pieces in which arrays are read, every pixel is looked at once, in its place."""

import numpy as np
import pytest

from jwrules.report.comparison import maps, opened


@pytest.mark.parametrize("shape", [(7,), (5, 4), (3, 5, 4), (2, 3, 5, 4), (0, 4), (3, 0)])
@pytest.mark.parametrize("at_once", [1, 9, 45, 1000])
def test_boxes_cover_an_array_once(shape, at_once):
    seen = np.zeros(shape, int)
    for box in opened.boxes(shape, at_once):
        seen[box] += 1
        assert seen[box].size <= max(at_once, shape[-1])
    assert (seen == 1).all()


def test_maps_do_not_depend_on_the_pieces(monkeypatch):
    monkeypatch.setattr(maps, "_SIDE", 4)
    pulls = np.random.default_rng(3).normal(0, 1, (3, 7, 10))
    pulls[:, 2, 3] = np.nan
    kind = np.random.default_rng(4).integers(0, 5, pulls.shape)
    whole, pieces = maps.Maps(pulls.shape), maps.Maps(pulls.shape)
    whole.add((slice(0, 3), slice(0, 7), slice(0, 10)), pulls, kind)
    for box in opened.boxes(pulls.shape, 20):
        pieces.add(box, pulls[box], kind[box])
    assert whole.step == 3
    assert np.array_equal(whole.farthest, pieces.farthest)
    assert np.allclose(whole.mean, pieces.mean)
    assert np.array_equal(whole.classes, pieces.classes)


def test_a_square_shows_the_difference_farthest_from_zero(monkeypatch):
    monkeypatch.setattr(maps, "_SIDE", 2)
    found = maps.Maps((4, 4))
    image = np.zeros((4, 4))
    image[1, 1], image[0, 0], image[3, 2], image[:2, 2:] = -3, 2, 1, np.nan
    found.add((slice(0, 4), slice(0, 4)), image, np.zeros((4, 4), int))
    assert np.array_equal(found.farthest, [[-3, np.nan], [0, 1]], equal_nan=True)
