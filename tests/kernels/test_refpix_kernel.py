import numpy as np
import pytest
from scipy.stats import sigmaclip

from jwrules.kernels.refpix import clipped_mean


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_clipped_mean_is_that_of_scipy(seed):
    values = np.random.default_rng(seed).standard_t(2, 500)
    assert np.isclose(clipped_mean(values, 0, 500, 3.0), sigmaclip(values, 3.0, 3.0).clipped.mean())


def test_equal_values_are_their_own_mean():
    assert clipped_mean(np.full(5, 7.0), 0, 5, 3.0) == 7.0


def test_the_mean_of_nothing_is_not_a_number():
    assert np.isnan(clipped_mean(np.empty(0), 0, 0, 3.0))
