"""Subtraction of background exposures."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from jwrules.errors import CannotRun
from jwrules.products.kinds import Meta, Rate
from jwrules.steps.background import Params, background
from jwrules.steps.declare import Skip

SHAPE = (6, 8)


def rate(level, *, start=(1, 1), shape=SHAPE, poisson=0.04, rnoise=0.09):
    header = fits.Header({"SUBSTRT1": start[0], "SUBSTRT2": start[1]})
    blank = np.zeros(shape, np.float32)
    return Rate(
        meta=Meta(primary=header),
        data=blank + np.float32(level),
        err=blank + np.float32(np.sqrt(poisson + rnoise)),
        dq=np.zeros(shape, np.uint32),
        var_poisson=blank + np.float32(poisson),
        var_rnoise=blank + np.float32(rnoise),
    )


def spoilt(sky, row, column, *, value=np.nan, flag=0):
    data, dq = sky.data.copy(), sky.dq.copy()
    data[row, column], dq[row, column] = value, flag
    return replace(sky, data=data, dq=dq)


def test_the_mean_of_the_backgrounds_is_subtracted():
    assert np.all(background(rate(5.0), background=(rate(1.0), rate(2.0))).data == 3.5)


def test_without_backgrounds_there_is_nothing_to_do():
    with pytest.raises(Skip, match="no background exposures"):
        background(rate(5.0))


def test_one_background_doubles_the_variances():
    result = background(rate(5.0), background=(rate(1.0),))
    assert result.var_poisson == pytest.approx(np.full(SHAPE, 0.08))
    assert result.var_rnoise == pytest.approx(np.full(SHAPE, 0.18))
    assert result.err == pytest.approx(np.full(SHAPE, np.sqrt(0.26)))


def test_the_error_is_that_of_the_values_left():
    rng = np.random.default_rng(5)
    noisy = [replace(rate(0.0, shape=(200, 200)), data=rng.normal(0, np.sqrt(0.13), (200, 200))) for _ in range(5)]
    result = background(noisy[0], background=tuple(noisy[1:]))
    assert np.std(result.data / result.err) == pytest.approx(1, abs=0.01)


def test_a_flare_in_one_of_many_exposures_is_clipped():
    skies = [rate(1.0 + 0.01 * k) for k in range(20)]
    skies[7] = spoilt(skies[7], 2, 3, value=1000.0)
    result = background(rate(5.0), Params(sigma=3.0), background=tuple(skies))
    assert result.data[2, 3] == pytest.approx(5 - (sum(1.0 + 0.01 * k for k in range(20)) - 1.07) / 19, rel=1e-5)


def test_one_clipping_rejects_less_than_many():
    skies = tuple(rate(v) for v in [*np.linspace(0.9, 1.1, 30), 4.0, 30.0])
    once, often = (background(rate(5.0), Params(maxiters=n), background=skies).data[0, 0] for n in (1, None))
    assert once == pytest.approx(5 - (30 + 4.0) / 31, rel=1e-5)
    assert often == pytest.approx(4.0, rel=1e-5)


def test_flags_of_the_backgrounds_are_added():
    result = background(rate(5.0), background=(spoilt(rate(1.0), 1, 1, value=1.0, flag=4), rate(1.0)))
    assert result.dq[1, 1] == 4
    assert result.dq.sum() == 4


def test_a_bad_pixel_in_one_background_leaves_the_others():
    result = background(rate(5.0), background=(spoilt(rate(1.0), 1, 1), rate(2.0)))
    assert result.data[1, 1] == 3.0
    assert result.data[0, 0] == 3.5


def test_a_pixel_that_no_background_has_is_not_to_be_used():
    result = background(rate(5.0), background=(spoilt(rate(1.0), 1, 1),))
    assert np.isnan(result.data[1, 1])
    assert result.dq[1, 1] == 1


def test_a_background_of_another_subarray_serves_where_they_overlap():
    y, x = np.mgrid[:6, :8]
    sky = replace(rate(0.0, start=(3, 2)), data=(10.0 * y + x).astype(np.float32))
    result = background(rate(100.0, start=(1, 1)), background=(sky,))
    assert result.data[1, 2] == 100.0
    assert result.data[5, 7] == 100.0 - 45.0
    assert np.isnan(result.data[0]).all()
    assert np.isnan(result.data[:, :2]).all()


def test_a_full_frame_serves_a_subarray_of_it():
    y, x = np.mgrid[:20, :30]
    sky = replace(rate(0.0, shape=(20, 30)), data=(100.0 * y + x).astype(np.float32))
    result = background(rate(0.0, start=(11, 4)), background=(sky,))
    assert np.array_equal(result.data, -(100.0 * y + x)[3:9, 10:18])


def test_backgrounds_from_elsewhere_on_the_detector_are_refused():
    with pytest.raises(CannotRun, match="subarrays"):
        background(rate(5.0), background=(rate(1.0, start=(100, 100)),))
