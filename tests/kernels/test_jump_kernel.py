import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp

from jwrules.kernels.clipping import clip_bounds, nanmedian, sort
from jwrules.steps.jump import Params, jump


@pytest.mark.parametrize("n", [1, 2, 7, 10, 75])
def test_the_median_is_that_of_numpy(n):
    values = np.random.default_rng(n).normal(size=(3, n))
    values[0, 0] = np.nan
    assert nanmedian(values, np.empty(3 * n)) == np.nanmedian(values)


@pytest.mark.parametrize("n", [0, 1, 2, 9, 40, 333])
def test_the_first_numbers_are_sorted_and_no_others(n):
    values = np.random.default_rng(n).normal(size=n + 2)
    expected = np.concatenate([np.sort(values[:n]), values[n:]])
    sort(values, n)
    assert np.array_equal(values, expected)


def test_the_median_of_nothing_is_not_a_number():
    assert np.isnan(nanmedian(np.full((1, 2), np.nan), np.empty(2)))


def test_clipping_finds_the_outliers_that_astropy_finds():
    from astropy.stats import sigma_clip

    values = np.random.default_rng(1).standard_t(2, 200)
    low, high = clip_bounds(values.copy(), 200, 3.0)
    mask = sigma_clip(values, 3.0).mask
    assert mask.any()
    assert np.array_equal((values < low) | (values > high), mask)


def scene():
    data = noisy(20.0, (2, 7, 40, 150), seed=4)
    hits = np.random.default_rng(5).random(data.shape) < 0.03
    return data + np.cumsum(np.where(hits, 300.0, 0.0), axis=1)


def found(data, **params):
    return jump(ramp(data), Params(**params), **gain_and_readnoise(data.shape[2:])).groupdq


def plain_search(steps, read):
    """The jumps among the differences (electron) of one pixel, one after the other, in plain Python."""
    steps, found = np.abs(steps.ravel()), []
    while np.isfinite(steps).sum() >= 2:
        kept = np.sort(steps[np.isfinite(steps)])
        threshold = {2: 6.0, 3: 5.0}.get(kept.size, 4.0)
        middle = {2: kept[0], 3: kept[1]}.get(kept.size, np.median(kept[:-1]))
        ratio = np.abs(steps - middle) / np.sqrt(middle + read)
        if not np.nanmax(ratio) > threshold:
            break
        found.append(int(np.nanargmax(ratio)))
        steps[found[-1]] = np.nan
    return sorted(found)


@pytest.mark.parametrize("shape", [(2, 7, 10, 20), (1, 3, 20, 20), (1, 4, 20, 20), (1, 5, 20, 20)])
def test_jumps_are_those_that_a_plain_search_finds(shape):
    data = noisy(20.0, shape, seed=6)
    data += np.cumsum(np.where(np.random.default_rng(7).random(shape) < 0.1, 60.0, 0.0), axis=1)
    flags = found(data, flag_4_neighbors=False)
    gain, readnoise = 2.0, 8.0
    for y, x in np.ndindex(shape[2:]):
        steps = np.diff(data[:, :, y, x] * gain, axis=1)
        assert np.flatnonzero(flags[:, 1:, y, x]).tolist() == plain_search(steps, (gain * readnoise) ** 2)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 3)
    many = found(scene())
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 1)
    one = found(scene())
    assert np.array_equal(many, one)


def test_pixels_do_not_depend_on_each_other_beyond_the_four_neighbours():
    data = scene()
    alone = found(data, flag_4_neighbors=False)
    data[:, 3:, 20, 70] += 1e4
    changed = np.argwhere((found(data, flag_4_neighbors=False) != alone).any(axis=(0, 1)))
    assert changed.tolist() == [[20, 70]]


def test_the_order_of_rows_and_columns_does_not_matter():
    data = scene()
    assert np.array_equal(found(data[:, :, ::-1, ::-1].copy()), found(data)[:, :, ::-1, ::-1])
