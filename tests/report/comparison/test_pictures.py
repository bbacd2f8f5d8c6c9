"""Pictures of differences: scales that fit what differs, layouts that fit the image."""

import struct

import numpy as np
import pytest
from comparison_scene import write

from jwrules.kernels import distribution
from jwrules.report import comparison
from jwrules.report.comparison import catalog_picture, pictures
from jwrules.report.comparison.science import Asked
from jwrules.report.comparison.tables import Scatter


def size(path):
    """Return width and height of a PNG, from its first chunk."""
    return struct.unpack(">II", path.read_bytes()[16:24])


def test_the_histogram_ends_beyond_nearly_all_that_differs_but_at_eight_errors():
    counts = distribution.none()
    distribution.add(counts, np.array([0.0] * 9000 + [-0.25] * 999 + [3], "f4"))
    assert pictures._limit(counts) == pytest.approx(1.3 * 0.25)
    distribution.add(counts, np.full(99, 50.0))
    assert pictures._limit(counts) == 8


def test_colours_end_with_nearly_all_places_that_differ_but_at_five_errors():
    assert pictures._scale(np.array([0] * 1000 + [-0.25] * 150 + [3, np.nan])) == 0.25
    assert pictures._scale(np.array([0.25, -100])) == 5
    assert pictures._scale(np.zeros(3)) == 1


def test_strips_stand_below_each_other(tmp_path):
    arrays = {name: np.ones((2, 3, 30), kind) for name, kind in (("SCI", "f4"), ("ERR", "f4"), ("DQ", "u4"))}
    one, two = (write(tmp_path / f"{k}_rateints.fits", more=arrays) for k in "ab")
    (drawn,) = comparison.run(one, two, Asked(), pictures=tmp_path / "p").products[0].pictures
    width, height = size(drawn)
    assert drawn.name == "a_rateints.png"
    assert height < width == 1210


@pytest.mark.parametrize("offsets", [None, np.array([[1.0, -2.0], [0.5, 0.0]])])
def test_catalogues_are_drawn_with_positions_or_without(tmp_path, offsets):
    found = Scatter("mag", np.array([20.0, 21]), np.array([0.5, -30]), offsets)
    assert size(catalog_picture.draw("x", found, tmp_path / "x.png")) == (1210, 550)
