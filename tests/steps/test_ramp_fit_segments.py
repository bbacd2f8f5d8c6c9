"""Segments that contradict each other, charge lost to neighbours, and the table of segments."""

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp

from jwrules.products import fits
from jwrules.products.flags import DQ
from jwrules.products.kinds import ChiSquare, FitOpt
from jwrules.steps.gain_scale import gain_scale
from jwrules.steps.ramp_fit import Params, ramp_fit

BOTH = pytest.mark.parametrize("weighting", ["unbiased", "official"])
LINE = 100.0 + 50.0 * np.arange(10)  # 5 DN/s in groups of 10 s
STRUCK = LINE + np.where(np.arange(10) >= 4, 4000.0, 0.0)
LOST = int(DQ.CHARGELOSS | DQ.DO_NOT_USE)


def fitted(product, gain=2.0, readnoise=8.0, **params):
    return ramp_fit(product, Params(**params), **gain_and_readnoise(product.pixeldq.shape, gain, readnoise))


def table(product, **params):
    return fitted(product, save_opt=True, **params).fitopt


def struck(**keywords):
    product = one_pixel(STRUCK, **keywords)
    product.groupdq[0, 4] = DQ.JUMP_DET
    return product


@BOTH
def test_segments_that_contradict_each_other_are_weighted_by_read_noise(weighting):
    # jwst issue 7911: 20 groups of read noise alone, then 80 of 10 DN/s at 100 electron/DN; 9.9 is expected where
    # weights that count photon noise give 9.1: with read noise alone 10 x 80^3 / (80^3 + 20^3)
    light = np.where(np.arange(100) > 20, 10.0, 0.0)[:, None, None]
    data = noisy(0.0, (1, 100, 50, 50), readnoise=11.0)
    photons = np.random.default_rng(5).poisson(np.broadcast_to(light * 1000, (100, 50, 50))).cumsum(axis=0) / 100
    product = ramp(data + photons + np.where(np.arange(100) >= 20, 5000.0, 0.0)[:, None, None])
    product.groupdq[:, 20] = DQ.JUMP_DET
    rate = fitted(product, gain=100.0, readnoise=11.0, weighting=weighting).rate
    assert np.isclose(rate.data.mean(), 9.9, atol=0.1)
    assert np.isclose(rate.data.mean(), 9.846, atol=0.002)
    assert 0.8 < rate.data.std() / rate.err.mean() < 1.25


def test_segments_that_agree_are_weighted_for_photons_too():
    # 1000 DN/s: photons alone count, so that 2 and 8 groups weigh as 1 and 7 differences
    product = one_pixel([0.0, 10050.0, *(1e6 + 1e4 * np.arange(8))])
    product.groupdq[0, 2] = DQ.JUMP_DET
    assert np.isclose(fitted(product).rate.data.item(), (1005 + 7 * 1000) / 8, atol=0.02)


@BOTH
def test_charge_lost_to_neighbours_leaves_the_read_variance(weighting):
    data = np.stack([LINE, 3 * LINE])[:, :, None, None]
    lossy, whole = ramp(data), ramp(data)
    lossy.groupdq[1, 4:] = LOST
    ours, plain = (fitted(product, weighting=weighting) for product in (lossy, whole))
    for mine, other in ((ours.rate, plain.rate), (ours.rateints, plain.rateints)):
        np.testing.assert_allclose(mine.var_rnoise, other.var_rnoise, rtol=1e-6)
    assert ours.rateints.var_poisson[1] > 1.5 * plain.rateints.var_poisson[1]
    assert ours.rateints.err[1] > 1.2 * plain.rateints.err[1]
    assert np.isclose(ours.rateints.data[1, 0, 0], 15.0)


@BOTH
def test_other_groups_that_are_not_to_be_used_do_not_count_for_the_read_variance(weighting):
    lossy, cut = one_pixel(LINE), one_pixel(LINE)
    lossy.groupdq[0, 4:] = LOST
    lossy.groupdq[0, 8:] = DQ.DO_NOT_USE
    cut.groupdq[0, 8:] = DQ.DO_NOT_USE
    assert np.isclose(
        fitted(lossy, weighting=weighting).rate.var_rnoise.item(),
        fitted(cut, weighting=weighting).rate.var_rnoise.item(),
    )


@BOTH
def test_a_ramp_that_lost_all_its_charge_has_no_variance(weighting):
    product = one_pixel(LINE)
    product.groupdq[0] = LOST
    rate = fitted(product, weighting=weighting).rate
    assert np.isnan(rate.data.item())
    assert rate.var_rnoise.item() == 0


@BOTH
def test_each_segment_has_its_slope_and_where_it_starts(weighting):
    found = table(struck(), weighting=weighting)
    assert found.slope.shape == (1, 2, 1, 1)
    np.testing.assert_allclose(found.slope.ravel(), 5.0, rtol=1e-5)
    # at group 0 the first line is at 100 DN, the second one would be at 4100
    np.testing.assert_allclose(found.yint.ravel(), [100.0, 4100.0], rtol=1e-4)
    # 32 DN² per read, 4 and 6 groups: 12 / (n³ - n) over (10 s)²
    np.testing.assert_allclose(found.var_rnoise.ravel(), [12 * 0.32 / 60, 12 * 0.32 / 210], rtol=1e-5)
    assert (found.var_poisson > 0).all()


@BOTH
def test_the_height_of_a_jump_is_the_difference_before_it(weighting):
    found = table(struck(), weighting=weighting)
    assert found.crmag.shape == (1, 1, 1, 1)
    assert found.crmag.item() == 4050.0


def test_the_pedestal_is_the_count_at_reset():
    # 4 frames of 2 s, 2 s skipped: the first group stands for 5 s, and for 9 s after two dropped frames
    for dropped, expected in ((0, 75.0), (2, 55.0)):
        found = table(one_pixel(LINE, NFRAMES=4, GROUPGAP=1, TFRAME=2.0, DRPFRMS1=dropped))
        assert np.isclose(found.pedestal.item(), expected)


def test_the_official_pedestal_counts_time_in_groups():
    found = table(one_pixel(LINE, NFRAMES=4, GROUPGAP=1, TFRAME=2.0), weighting="official")
    assert np.isclose(found.pedestal.item(), 100 - 5 * 0.5)


@BOTH
def test_a_saturated_ramp_has_no_pedestal_and_no_height(weighting):
    product = struck()
    product.groupdq[0, 4:] |= np.uint8(DQ.SATURATED)
    found = table(product, weighting=weighting)
    assert np.isnan(found.crmag.item())
    product.groupdq[0] = DQ.SATURATED
    found = table(product, weighting=weighting)
    assert found.pedestal.item() == found.slope.item() == 0


def test_sigmas_are_those_of_a_straight_line_where_photons_are_few():
    found = table(one_pixel(np.full(10, 100.0)))
    sigma = np.sqrt(12 * 32 / (990 * 100))
    assert np.isclose(found.sigslope.item(), sigma, rtol=1e-3)
    assert np.isclose(found.sigyint.item(), np.sqrt(32 / 10 + (45 * sigma) ** 2), rtol=1e-3)
    assert np.isclose(found.weights.item(), 1 / sigma**2, rtol=1e-3)


def test_official_sigmas_are_in_electron_and_groups():
    found = table(one_pixel(np.full(10, 100.0)), weighting="official")
    sigma = np.sqrt(12 * 32 / 990) * 2
    assert np.isclose(found.sigslope.item(), sigma, rtol=1e-3)
    assert np.isclose(found.sigyint.item(), np.sqrt(128 / 10 + (4.5 * sigma) ** 2), rtol=1e-3)
    assert np.isclose(found.weights.item(), 100 / (12 * 32 / 990), rtol=1e-3)


@BOTH
def test_a_single_group_is_a_segment_without_a_line(weighting):
    product = one_pixel([35.0, 6e4, 6e4])
    product.groupdq[0, 1:] = DQ.SATURATED
    found = table(product, weighting=weighting, suppress_one_group=False)
    assert np.isclose(found.slope.item(), 3.5)
    assert found.sigslope.item() == found.yint.item() == 0


def test_there_is_room_for_the_ramp_with_most_segments_and_jumps():
    product = ramp(np.tile(LINE[:, None, None], (1, 1, 3)))
    product.groupdq[0, [3, 6], 0, 1] = DQ.JUMP_DET
    product.groupdq[0, [3, 4, 5, 6], 0, 2] = DQ.JUMP_DET
    found = table(product)
    assert found.slope.shape == (1, 3, 1, 3)
    assert found.crmag.shape == (1, 4, 1, 3)
    assert np.count_nonzero(found.slope, axis=1).ravel().tolist() == [1, 3, 2]


def test_groups_that_are_left_out_need_no_room():
    product = one_pixel(LINE)
    product.groupdq[0, [3, 6]] = DQ.JUMP_DET
    assert table(product).slope.shape == (1, 3, 1, 1)
    assert table(product, firstgroup=5).slope.shape == (1, 1, 1, 1)


def test_a_band_of_rows_has_the_table_that_it_has_in_the_whole():
    product = ramp(noisy(5.0, (2, 8, 6, 5)))
    product.groupdq[:, 4, 1:3] = DQ.JUMP_DET
    band = ramp(product.data[:, :, 3:6])
    room, references = np.array([2, 1]), gain_and_readnoise((3, 5))
    part = ramp_fit.parts[1](band.noting("room", room, "n"), Params(save_opt=True), **references).fitopt
    whole = table(product)
    for name in ("slope", "sigslope", "yint", "weights", "crmag"):
        assert np.array_equal(getattr(whole, name)[:, :, 3:], getattr(part, name))


def test_the_table_is_kept_on_request_only():
    assert fitted(struck()).fitopt is None


def test_the_table_goes_through_gain_scale_and_to_disk(tmp_path):
    slopes = fitted(struck(GAINFACT=2.0, FILENAME="jw_uncal.fits"), save_opt=True)
    scaled = gain_scale(slopes)
    back = fits.read(fits.write(tmp_path / "jw01234_fitopt.fits", scaled.fitopt), FitOpt)
    assert np.array_equal(back.slope, slopes.fitopt.slope)
    assert back.meta["DATAMODL"] == "RampFitOutputModel"


def test_chi_square_is_an_image(tmp_path):
    slopes = fitted(struck(), save_opt=True, algorithm="LIKELY")
    assert fits.read(fits.write(tmp_path / "x.fits", slopes.chisq), ChiSquare).data.shape == (1, 1)
