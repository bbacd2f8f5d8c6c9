"""Background and noise of an image."""

import numpy as np
import pytest

from jwrules.kernels.starfind import background

SHAPE = (100, 100)


def _sky():
    return np.random.default_rng(1).normal(5, 0.2, SHAPE)


@pytest.mark.parametrize("box", [25, 1000])
def test_level_and_noise_are_found_whatever_the_box(box):
    level, noise = background(_sky(), np.zeros(SHAPE, bool), box)
    assert level.mean() == pytest.approx(5, abs=0.02)
    assert noise.mean() == pytest.approx(0.2, rel=0.05)


def test_an_image_that_is_mostly_outside_still_has_a_background():
    outside = np.ones(SHAPE, bool)
    outside[:20, :20] = False
    level, _ = background(_sky(), outside, 50)
    assert level[10, 10] == pytest.approx(5, abs=0.1)


def test_what_lies_outside_never_matters():
    outside = np.zeros(SHAPE, bool)
    outside[40:60, 40:60] = True
    levels = [background(np.where(outside, value, _sky()), outside, 50)[0][~outside] for value in (1e9, np.nan)]
    np.testing.assert_array_equal(*levels)


def test_an_image_without_usable_pixels_is_refused():
    with pytest.raises(ValueError, match="masked"):
        background(_sky(), np.ones(SHAPE, bool), 50)
