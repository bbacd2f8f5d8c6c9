"""Division by the flat field."""

from dataclasses import replace

import imaging_scene
import numpy as np
import pytest

from jwrules.products.flags import DQ
from jwrules.products.kinds import Flat, Meta
from jwrules.steps.flat_field import Params, flat_field

SHAPE = (12, 10)


def image():
    rng = np.random.default_rng(3)
    exposure = imaging_scene.exposure(rng.uniform(1, 9, SHAPE))
    return replace(exposure, var_poisson=rng.uniform(0.1, 0.2, SHAPE).astype(np.float32))


def flat(value=1.0, error=0.0):
    data = np.broadcast_to(np.float32(value), SHAPE).copy()
    return Flat(meta=Meta(), data=data, err=np.full(SHAPE, error, np.float32), dq=np.zeros(SHAPE, np.uint32))


def uneven():
    return flat(np.random.default_rng(4).uniform(0.8, 1.2, SHAPE))


def test_a_flat_of_ones_changes_nothing():
    result = flat_field(image(), flat=flat())
    assert np.array_equal(result.data, image().data)
    assert np.array_equal(result.dq, image().dq)
    assert result.err == pytest.approx(np.sqrt(image().var_poisson + image().var_rnoise), rel=1e-6)


def test_half_the_response_doubles_signal_and_error():
    result = flat_field(image(), flat=flat(0.5))
    assert result.data == pytest.approx(2 * image().data)
    assert result.var_poisson == pytest.approx(4 * image().var_poisson)
    assert result.var_rnoise == pytest.approx(4 * image().var_rnoise)


def test_the_relative_error_of_the_flat_is_that_of_the_signal():
    result = flat_field(image(), flat=flat(0.8, error=0.08))
    assert np.sqrt(result.var_flat) == pytest.approx(0.1 * result.data, rel=1e-5)
    total = result.var_poisson + result.var_rnoise + result.var_flat
    assert result.err == pytest.approx(np.sqrt(total), rel=1e-6)


def test_inverse_undoes_it():
    there = flat_field(image(), flat=uneven())
    back = flat_field(there, Params(inverse=True), flat=uneven())
    for name in ("data", "var_poisson", "var_rnoise"):
        assert getattr(back, name) == pytest.approx(getattr(image(), name), rel=1e-6)


@pytest.mark.parametrize(("value", "flag"), [(np.nan, 0), (0.0, 0), (1.0, DQ.NO_FLAT_FIELD)])
def test_a_pixel_without_flat_is_flagged_and_nan(value, flag):
    broken = flat()
    broken.data[4, 5], broken.dq[4, 5] = value, flag
    result = flat_field(image(), flat=broken)
    assert result.dq[4, 5] == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert all(np.isnan(array[4, 5]) for array in (result.data, result.err, result.var_poisson, result.var_flat))
    assert np.isnan(result.data).sum() == 1


def test_flags_of_the_flat_are_added():
    doubtful = flat()
    doubtful.dq[4, 5] = DQ.UNRELIABLE_FLAT
    result = flat_field(image(), flat=doubtful)
    assert result.dq[4, 5] == DQ.UNRELIABLE_FLAT
    assert result.data[4, 5] == image().data[4, 5]


def test_a_pixel_not_to_be_used_is_nan_everywhere():
    bad = imaging_scene.without(image(), 2, 3, 7.0)
    result = flat_field(bad, flat=flat())
    assert np.isnan([result.data[2, 3], result.err[2, 3], result.var_rnoise[2, 3]]).all()
    assert np.isnan(result.data).sum() == 1


def test_neither_image_nor_reference_is_written_into():
    before, reference = image(), uneven()
    for array in (before.data, before.dq, reference.data, reference.dq):
        array.flags.writeable = False
    flat_field(before, flat=reference)
