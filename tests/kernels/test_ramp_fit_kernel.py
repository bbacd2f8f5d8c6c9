import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp

from jwrules.kernels import segments
from jwrules.kernels import slope_by_covariance as by_covariance
from jwrules.steps.ramp_fit import ramp_fit

JUMP, BAD, HARMLESS = 4, 1, 32


def found(flags):
    flags = np.array(flags, np.uint8)
    bounds = np.empty((len(flags) // 2 + 1, 2), np.int64)
    n = segments.find(np.zeros(len(flags)), flags, HARMLESS, JUMP, bounds)
    return [tuple(b) for b in bounds[:n].tolist()]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([0, 0, 0], [(0, 3)]),
        ([0, 0, JUMP, 0, 0], [(0, 2), (2, 5)]),
        ([0, 0, JUMP | BAD, 0, 0], [(0, 2), (3, 5)]),
        ([0, 0, JUMP | HARMLESS, 0, HARMLESS], [(0, 2), (2, 5)]),
        ([0, 0, JUMP, JUMP, 0], [(0, 2), (3, 5)]),
        ([0, BAD, 0, 0, BAD, 0], [(2, 4)]),
        ([BAD, 0, BAD, 0, BAD], [(1, 2)]),
        ([0, JUMP], [(0, 1)]),
        ([BAD, JUMP, BAD], []),
    ],
)
def test_segments_are_runs_of_good_groups_that_may_start_with_a_jump(flags, expected):
    assert found(flags) == expected


def generalized(counts, rate, noise):
    """Slope per second and variance by solving with the covariance matrix of the differences."""
    n = len(counts) - 1
    p, b = by_covariance.variance(rate, noise)
    covariance = np.diag(np.full(n, p - 2 * b)) + np.diag(np.full(n - 1, b), 1) + np.diag(np.full(n - 1, b), -1)
    weights = np.linalg.solve(covariance, np.ones(n))
    return weights @ np.diff(counts) / weights.sum() / noise.group_time, 1 / weights.sum() / noise.group_time**2


@pytest.mark.parametrize("rate", [0.0, 1.0, 20.0, 1e4])
@pytest.mark.parametrize("shared", [0.0, 1.3])
@pytest.mark.parametrize("n", [2, 3, 10, 60])
def test_the_closed_form_is_the_solution_with_the_whole_covariance_matrix(rate, shared, n):
    noise = by_covariance.Noise(gain=2.0, read=30.0, dark=0.1, group_time=10.0, shared_time=shared)
    counts = np.random.default_rng(n).normal(0, 100, n)
    slope, variance = generalized(counts, rate, noise)
    p, b = by_covariance.variance(rate, noise)
    weighted, weights = by_covariance.segment(counts, 0, n, p, b, np.empty(n + 1))
    assert np.isclose(weighted / weights / 10, slope, rtol=1e-6, atol=1e-6)
    assert np.isclose(1 / weights / 100, variance, rtol=1e-6)
    assert np.isclose(1 / by_covariance.information(n, p, b) / 100, variance, rtol=1e-6)


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    data = noisy(5.0, (2, 6, 30, 100))
    references = gain_and_readnoise((30, 100))
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 3)
    many = ramp_fit(ramp(data), **references).rateints
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 1)
    one = ramp_fit(ramp(data), **references).rateints
    assert np.array_equal(many.data, one.data)
    assert np.array_equal(many.err, one.err)


def test_many_whole_ramps_at_once_are_fitted_as_each_alone():
    data, references = noisy(np.geomspace(0.1, 1e3, 300), (3, 6, 2, 300)), gain_and_readnoise((2, 300))
    together, alone = ramp(data), ramp(np.concatenate([data, data[:, -1:]], axis=1))
    alone.groupdq[:, 6] = BAD  # a flag anywhere sends a ramp the other way
    whole, apart = (ramp_fit(r, **references) for r in (together, alone))
    for many, each in ((whole.rate, apart.rate), (whole.rateints, apart.rateints)):
        for name in ("data", "err", "var_poisson", "var_rnoise"):
            np.testing.assert_allclose(getattr(many, name), getattr(each, name), rtol=1e-6)
