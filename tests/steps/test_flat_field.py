"""Division by the flat field."""

from dataclasses import replace

import imaging_scene
import numpy as np
import pytest

from jwrules.products.flags import DQ
from jwrules.products.kinds import Flat, GuiderCal, Meta
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


def guide_star():
    rng = np.random.default_rng(6)
    data = rng.uniform(1, 9, (3, *SHAPE)).astype(np.float32)
    return GuiderCal(meta=Meta(), data=data, err=0.1 * data, dq=np.zeros(SHAPE, np.uint32))


def test_every_image_of_a_guide_star_is_divided_with_its_error():
    result = flat_field(guide_star(), flat=uneven())
    assert result.data * uneven().data == pytest.approx(guide_star().data)
    assert result.err == pytest.approx(0.1 * result.data)


def test_the_error_of_the_flat_is_added_to_that_of_a_guide_star():
    result = flat_field(guide_star(), flat=flat(0.8, error=0.08))
    assert result.err == pytest.approx(np.sqrt(0.1**2 + 0.1**2) * result.data, rel=1e-5)


def test_the_official_error_of_a_guide_star_is_kept_as_an_option():
    result = flat_field(guide_star(), Params(guider_error="official"), flat=flat(0.5, error=0.05))
    assert result.err == pytest.approx(np.hypot(guide_star().err, 0.1 * result.data), rel=1e-5)


def test_inverse_undoes_it_for_a_guide_star():
    there = flat_field(guide_star(), flat=uneven())
    back = flat_field(there, Params(inverse=True), flat=uneven())
    assert back.data == pytest.approx(guide_star().data, rel=1e-6)
    assert back.err == pytest.approx(guide_star().err, rel=1e-6)


def test_a_pixel_of_a_guide_star_without_flat_is_flagged_and_keeps_its_value():
    broken = flat()
    broken.data[4, 5] = np.nan
    result = flat_field(guide_star(), flat=broken)
    assert result.dq[4, 5] == DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE
    assert np.array_equal(result.data, guide_star().data)


def test_a_pixel_of_a_guide_star_without_error_is_nan():
    exposure = guide_star()
    exposure.err[1, 4, 5] = np.nan
    result = flat_field(exposure, flat=flat())
    assert np.isnan(result.data[1, 4, 5])
    assert np.isnan(result.data).sum() == np.isnan(result.err).sum() == 1
