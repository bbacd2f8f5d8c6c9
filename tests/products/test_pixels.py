"""What happens to all arrays of an image at once."""

import imaging_scene
import numpy as np
import pytest

from jwrules.products.pixels import agreed, scaled, total_error


def test_nan_in_one_array_is_nan_in_all():
    image = imaging_scene.flat(1.0, 1)
    image.var_rnoise[3, 4] = np.nan
    result = agreed(image)
    assert np.isnan([result.data[3, 4], result.err[3, 4], result.var_poisson[3, 4]]).all()
    assert result.dq[3, 4] == 1
    assert result.dq.sum() == 1


def test_other_flags_stay_and_do_no_harm():
    image = imaging_scene.flat(1.0, 1)
    image.dq[3, 4] = 4
    result = agreed(image)
    assert result.dq[3, 4] == 4
    assert np.isfinite(result.data).all()


def test_agreement_does_not_change_what_agrees():
    once = agreed(imaging_scene.without(imaging_scene.flat(1.0, 1), 3, 4, 9.0))
    twice = agreed(once)
    assert np.array_equal(once.data, twice.data, equal_nan=True)
    assert np.array_equal(once.dq, twice.dq)


def test_a_negative_factor_leaves_the_error_positive():
    image = imaging_scene.flat(1.0, 1)
    result = scaled(image, -2.0)
    assert result.data == pytest.approx(-2 * image.data)
    assert result.err == pytest.approx(2 * image.err)
    assert result.var_rnoise == pytest.approx(4 * image.var_rnoise)


def test_the_total_error_adds_variances():
    image = imaging_scene.flat(1.0, 1, noise=0.3)
    image.var_poisson[...] = 0.16
    assert total_error(image) == pytest.approx(np.full((60, 60), 0.5))
