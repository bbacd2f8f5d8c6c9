"""Order statistics against numpy, and clipping against astropy."""

import numpy as np
import pytest
from astropy.stats import sigma_clip

from jwrules.kernels import order

RANDOM = np.random.default_rng(1)
NUMBERS = {
    "normal": RANDOM.normal(3, 5, 5001),
    "with outliers": np.concatenate([RANDOM.normal(3, 5, 5000), RANDOM.uniform(100, 1e5, 300)]),
    "few values": RANDOM.integers(0, 3, 4000),
    "over many decades": np.exp(RANDOM.normal(0, 8, 3000)),
    "all the same": np.full(3000, 7.0),
    "two": np.array([1.0, 4.0]),
    "one": np.array([-2.0]),
}
every_kind = pytest.mark.parametrize("numbers", [one.astype(np.float32) for one in NUMBERS.values()], ids=list(NUMBERS))


@every_kind
def test_a_number_by_its_rank_and_the_rank_of_a_number(numbers):
    buckets, ascending = order.gather(numbers, numbers.size), np.sort(numbers)
    for k in range(0, numbers.size, 97):
        assert order.at(buckets, k) == ascending[k]
        value = float(ascending[k])
        assert order.below(buckets, value, False) == np.searchsorted(ascending, value, "left")
        assert order.below(buckets, value, True) == np.searchsorted(ascending, value, "right")


@every_kind
def test_moments_of_a_range(numbers):
    buckets, part = order.gather(numbers, numbers.size), np.sort(numbers)[: numbers.size // 2 + 1].astype(float)
    mean, deviation = order.moments(buckets, 0, part.size)
    assert mean == pytest.approx(part.mean(), rel=1e-9)
    assert deviation == pytest.approx(part.std(), rel=1e-6, abs=1e-9)


@every_kind
def test_clipping_is_that_of_astropy(numbers):
    left = sigma_clip(numbers.astype(float), sigma=3.0, maxiters=5, masked=False)
    mean, median, deviation = order.clipped(order.gather(numbers, numbers.size), 0, numbers.size, 3.0)
    assert median == np.median(left)
    assert (mean, deviation) == pytest.approx((left.mean(), left.std()), rel=1e-6, abs=1e-9)


@every_kind
def test_the_deviation_of_the_lower_half_is_that_of_the_half_and_its_mirror_image(numbers):
    center = float(np.median(numbers))
    low = numbers[numbers <= center].astype(float) - center
    expected = sigma_clip(np.concatenate([low, -low]), sigma=3.0, maxiters=5, masked=False).std()
    found = order.clipped_below(order.gather(numbers, numbers.size), 0, numbers.size, center, 3.0)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@every_kind
def test_the_median_of_a_line(numbers):
    counts = np.empty(order.BINS, np.int64)
    for n in {1, numbers.size // 2 + 1, numbers.size}:
        assert order.median_of(numbers.copy(), n, counts) == pytest.approx(np.median(numbers[:n]), rel=1e-6)


def test_nothing_has_no_median():
    empty = np.empty(1, np.float32)
    assert np.isnan(order.median_of(empty, 0, np.empty(order.BINS, np.int64)))
    assert np.isnan(order.median(order.gather(empty, 0), 0, 0))
