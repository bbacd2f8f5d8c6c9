import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp

from jwrules.kernels.clipping import clip_bounds, nanmedian, select, sort
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


def official_search(steps, read):
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


def noise_of(steps, level, frames, gap, read):
    """The covariance of differences (nints, n) of `level` electron, added up from what each frame gets of the light."""
    nints, n = steps.shape
    reads = (n + 1) * (frames + gap)
    light = np.minimum.outer(np.arange(reads), np.arange(reads)) * level / (frames + gap)
    mean = np.kron(np.eye(n + 1), np.r_[np.full(frames, 1 / frames), np.zeros(gap)])
    step = np.diff(np.eye(n + 1), axis=0)
    groups = mean @ light @ mean.T + np.eye(n + 1) * read / (2 * frames)
    return np.kron(np.eye(nints), step @ groups @ step.T)


def excesses_over_mean(values, covariance, level, threshold):
    """What each value exceeds the mean of the others by, in thresholds."""
    contrast = np.eye(values.size) * (1 + 1 / (values.size - 1)) - 1 / (values.size - 1)
    return contrast @ values / np.sqrt(np.diag(contrast @ covariance @ contrast.T)) / threshold


def excesses(values, covariance, level, threshold):
    """What each value exceeds the others by, in thresholds, where all have one mean: generalised least squares.

    Rises have to be higher where photons are so few, beside what the height is known to, that they are skewed.
    """
    weights = np.linalg.inv(covariance)
    ones = weights.sum(axis=1)
    mean = ones @ values / ones.sum()
    spread = np.diag(weights) - ones**2 / ones.sum()
    excess = (weights @ (values - mean)) / np.sqrt(spread)
    more = (threshold**3 - 3 * threshold) / 6 * level * spread**1.5
    return excess / np.where(excess > 0, threshold * np.sqrt(1 + more**2 / (1 + more) / 8), threshold)


def worst_of(excess, few):
    """Where the largest excess is; of few differences, or of two that are alike, the one that rises."""
    if few and excess.max() > 1:
        return int(np.argmax(excess))
    return int(np.argmax(np.abs(excess) * (1 + 1e-5 * (excess > 0))))


def plain_search(steps, read, frames, gap, way):
    """The jumps among the differences (electron) of one pixel, with the whole covariance of those that are left."""
    values, found, integration = steps.ravel().copy(), [], np.repeat(np.arange(len(steps)), steps.shape[1])
    while np.isfinite(values).sum() >= 2:
        usable = np.flatnonzero(np.isfinite(values))
        level = abs(values[usable].mean())
        covariance = noise_of(steps, level, frames, gap, read)[np.ix_(usable, usable)]
        excess = way(values[usable], covariance, level, {2: 6.0, 3: 5.0}.get(usable.size, 4.0))
        few = usable.size <= 4
        worst = worst_of(excess, few)
        if not abs(excess[worst]) > 1:
            break
        least, taken = max(abs(excess[worst]) / 2, 1), [worst]
        for i in np.unique(integration[usable]) if not few else []:
            own = np.flatnonzero(integration[usable] == i)
            taken += [own[worst_of(excess[own], few)]]
        taken = [k for k in taken if k == worst or excess[k] * np.sign(excess[worst]) > least]
        found += usable[np.unique(taken)].tolist()
        values[found] = np.nan
    return sorted(found)


SHAPES = [(2, 7, 10, 20), (1, 3, 20, 20), (1, 4, 20, 20), (1, 5, 20, 20), (6, 9, 8, 10)]


def struck(shape, frames=1, gap=0, height=60.0):
    data = noisy(20.0, shape, seed=6, frames=frames, gap=gap)
    data += np.cumsum(np.where(np.random.default_rng(7).random(shape) < 0.1, height, 0.0), axis=1)
    product = ramp(data, NFRAMES=frames, GROUPGAP=gap)
    product.groupdq[np.random.default_rng(8).random(shape) < 0.03] = 1
    return product


def steps_of(product, y, x):
    counts = np.where(product.groupdq[:, :, y, x] & 1, np.nan, product.data[:, :, y, x])
    return np.diff(counts * np.float32(2.0), axis=1)


@pytest.mark.parametrize(("statistic", "way"), [("calibrated", excesses), ("mean", excesses_over_mean)])
@pytest.mark.parametrize(("frames", "gap"), [(1, 0), (4, 1), (8, 0)])
@pytest.mark.parametrize("shape", SHAPES)
def test_jumps_are_those_that_a_plain_search_finds(shape, frames, gap, statistic, way):
    product, params = struck(shape, frames, gap), Params(flag_4_neighbors=False, flag_rests=False, statistic=statistic)
    flags = jump(product, params, **gain_and_readnoise(shape[2:])).groupdq & 4
    for y, x in np.ndindex(shape[2:]):
        expected = plain_search(steps_of(product, y, x), 16.0**2, frames, gap, way)
        assert np.flatnonzero(flags[:, 1:, y, x]).tolist() == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_official_jumps_are_those_that_a_plain_search_finds(shape):
    product, params = struck(shape), Params(flag_4_neighbors=False, statistic="official")
    flags = jump(product, params, **gain_and_readnoise(shape[2:])).groupdq & 4
    for y, x in np.ndindex(shape[2:]):
        expected = official_search(steps_of(product, y, x), 16.0**2)
        assert np.flatnonzero(flags[:, 1:, y, x]).tolist() == expected


@pytest.mark.parametrize("height", [0.0, 60.0, 3000.0])
@pytest.mark.parametrize("only_use_ints", [True, False])
def test_clipped_jumps_are_those_that_astropy_clips(only_use_ints, height):
    from astropy.stats import sigma_clip

    product = struck((130, 4, 6, 20), height=height)
    params = Params(flag_4_neighbors=False, only_use_ints=only_use_ints)
    flags = jump(product, params, **gain_and_readnoise((6, 20))).groupdq & 4
    steps = np.stack([[steps_of(product, y, x) for x in range(20)] for y in range(6)]).astype(np.float32)
    with np.errstate(invalid="ignore"):
        mask = sigma_clip(np.ma.masked_invalid(steps), 4.0, axis=2 if only_use_ints else (2, 3)).mask
    expected = np.moveaxis(mask & np.isfinite(steps), (2, 3), (0, 1))
    assert expected.any()
    assert np.array_equal(flags[:, 1:] > 0, expected)


def test_rays_of_any_strength_among_many_integrations_are_clipped_as_astropy_does():
    from astropy.stats import sigma_clip

    random, shape = np.random.default_rng(11), (400, 3, 2, 150)
    data = noisy(500.0, shape, seed=12)
    hits = random.random(shape) < np.array([3e-4, 3e-3])[:, None]
    data += np.cumsum(np.where(hits, 10 ** random.uniform(1.5, 4.5, shape), 0.0), axis=1)
    flags = jump(ramp(data), Params(flag_4_neighbors=False), **gain_and_readnoise(shape[2:])).groupdq
    steps = np.diff(ramp(data).data * np.float32(2.0), axis=1)
    expected = sigma_clip(np.ma.array(steps.astype(np.float64)), 4.0, axis=0).mask
    assert expected.sum() > 250
    assert np.array_equal(flags[:, 1:] > 0, expected)


@pytest.mark.parametrize("spread", [(10.0, 1000.0), (0.0, 25.0), (5.0, 30.0)])
@pytest.mark.parametrize("frame", [(6, 20), (1, 250)], ids=["few jumps in a row", "many"])
def test_neighbours_of_clipped_jumps_are_flagged_by_the_median_of_all_differences(spread, frame):
    product = struck((130, 4, *frame), height=300.0)
    limits = {"min_jump_to_flag_neighbors": spread[0], "max_jump_to_flag_neighbors": spread[1]}
    alone = jump(ramp(product.data), Params(flag_4_neighbors=False), **gain_and_readnoise(frame)).groupdq > 0
    flags = jump(ramp(product.data), Params(**limits), **gain_and_readnoise(frame)).groupdq > 0
    steps = np.diff(product.data * np.float32(2.0), axis=1)
    middle = np.median(steps, axis=(0, 1))
    ratio = np.abs(steps - middle) / np.sqrt(np.abs(middle) + 16.0**2)
    medium = np.pad(alone[:, 1:] & (ratio > spread[0]) & (ratio < spread[1]), ((0, 0), (1, 0), (1, 1), (1, 1)))
    around = medium[..., :-2, 1:-1] | medium[..., 2:, 1:-1] | medium[..., 1:-1, :-2] | medium[..., 1:-1, 2:]
    assert np.array_equal(flags, alone | around)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57, 400])
def test_a_number_is_selected_by_its_rank(n):
    for seed in range(20):
        values = np.random.default_rng(seed).integers(0, n, n).astype(float)
        k = seed % n
        expected = np.sort(values)[k]
        select(values, n, k)
        assert values[k] == expected
        assert values[:k].max(initial=-1) <= expected <= values[k:].min()


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
