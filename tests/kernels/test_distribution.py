"""Medians and percentiles of counts are those of the numbers that were counted."""

import numpy as np
import pytest

from jwrules.kernels import distribution


def counted(*pieces):
    counts = distribution.none()
    for piece in pieces:
        distribution.add(counts, np.asarray(piece, "f4"))
    return counts


def test_whole_numbers_are_exact():
    counts = counted([-3, 0, 1, 2, 4096])
    assert list(distribution.occupied(counts)[0]) == [-3, 0, 1, 2, 4096]
    assert list(distribution.quantiles(counts, [0, 0.5, 0.625, 1])) == [-3, 1, 1.5, 4096]


def test_the_robust_sigma_of_five_numbers_is_that_of_paper():
    assert distribution.robust_sigma(counted([1, 2, 4, 8, 100])) == pytest.approx(1.4826 * 3)


def test_other_numbers_are_off_by_a_part_in_4096_on_either_side():
    numbers = np.random.default_rng(1).normal(0, 1, 20_000).astype("f4") * 10.0 ** np.arange(20_000).clip(0, 20)
    found, _ = distribution.occupied(counted(numbers))
    nearest = found[np.clip(np.searchsorted(found, numbers), 0, len(found) - 1)]
    below = found[np.clip(np.searchsorted(found, numbers) - 1, 0, None)]
    off = np.minimum(abs(nearest - numbers), abs(below - numbers)) / abs(numbers)
    assert 1e-4 < off.max() <= 1 / 4096


def test_it_does_not_matter_how_numbers_are_cut_into_pieces():
    numbers = np.random.default_rng(2).normal(0, 1, 1000)
    assert (counted(numbers) == counted(numbers[300:], numbers[:300])).all()


def test_minus_zero_is_zero():
    assert list(distribution.occupied(counted([-0.0, 0.0]))[1]) == [2]


def test_nothing_counted_has_no_median():
    assert np.isnan(distribution.quantiles(distribution.none(), [0.5])).all()
    assert np.isnan(distribution.robust_sigma(distribution.none()))
    assert not distribution.without_zero(counted([0, 0])).any()
