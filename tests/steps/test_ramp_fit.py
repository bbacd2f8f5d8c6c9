import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp

from jwrules.errors import CannotRun
from jwrules.products import fits as products
from jwrules.products.flags import DQ
from jwrules.steps.ramp_fit import Params, ramp_fit

BOTH = pytest.mark.parametrize("weighting", ["unbiased", "official"])


def fitted(product, **params):
    references = gain_and_readnoise(product.pixeldq.shape)
    return ramp_fit(product, Params(**params), **references)


def flagged(product, **groups):
    """Set flags: g3=JUMP_DET marks group 3 of every pixel and integration."""
    for name, flag in groups.items():
        product.groupdq[:, int(name[1:])] |= np.uint8(flag)
    return product


LINE = 100.0 + 50.0 * np.arange(8)  # 5 DN/s in groups of 10 s


@BOTH
def test_a_straight_ramp_gives_its_slope(weighting):
    slopes = fitted(one_pixel(LINE), weighting=weighting)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert np.isclose(slopes.rateints.data.item(), 5.0)


@BOTH
def test_twice_the_counts_give_twice_the_rate_and_a_pedestal_none(weighting):
    data = noisy(5.0, (2, 7, 5, 5))
    once, shifted = fitted(ramp(data), weighting=weighting), fitted(ramp(data + 1000), weighting=weighting)
    assert np.allclose(once.rateints.data, shifted.rateints.data, atol=1e-3)
    if weighting == "unbiased":
        doubled = fitted(ramp(2 * data), weighting=weighting)
        assert np.allclose(doubled.rateints.data, 2 * once.rateints.data, rtol=0.02, atol=0.05)


@BOTH
def test_a_cosmic_ray_between_two_segments_leaves_the_slope(weighting):
    struck = LINE + np.where(np.arange(8) >= 3, 4000.0, 0.0)
    slopes = fitted(flagged(one_pixel(struck), g3=DQ.JUMP_DET), weighting=weighting)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert slopes.rate.dq.item() == DQ.JUMP_DET


@BOTH
def test_the_group_of_a_jump_starts_the_next_segment(weighting):
    # groups 0-1 and 2-3 with a jump in 2: two segments of two groups, each with the slope between its groups
    counts = [0.0, 20.0, 5000.0, 5040.0]
    slopes = fitted(flagged(one_pixel(counts), g2=DQ.JUMP_DET), weighting=weighting)
    assert np.isclose(slopes.rate.data.item(), 3.0)


@BOTH
def test_saturated_groups_are_left_out_and_shown(weighting):
    product = one_pixel(np.where(np.arange(8) < 5, LINE, 60000.0))
    product.groupdq[0, 5:] = DQ.SATURATED
    slopes = fitted(product, weighting=weighting)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert slopes.rate.dq.item() == slopes.rateints.dq.item() == DQ.SATURATED


@BOTH
@pytest.mark.parametrize(
    ("flag", "shown"), [(DQ.SATURATED, DQ.SATURATED | DQ.DO_NOT_USE), (DQ.DO_NOT_USE, DQ.DO_NOT_USE)]
)
def test_a_ramp_without_a_usable_group_has_no_rate(weighting, flag, shown):
    product = one_pixel(LINE)
    product.groupdq[:] = flag
    rate = fitted(product, weighting=weighting).rate
    assert np.isnan(rate.data.item())
    assert rate.err.item() == rate.var_poisson.item() == rate.var_rnoise.item() == 0
    assert rate.dq.item() == shown


def test_an_integration_that_is_lost_does_not_spoil_the_exposure():
    product = ramp(np.tile(LINE.reshape(1, 8, 1, 1), (2, 1, 1, 1)))
    product.groupdq[1] = DQ.SATURATED
    slopes = fitted(product)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert np.isnan(slopes.rateints.data[1, 0, 0])
    assert slopes.rate.dq.item() == DQ.SATURATED
    assert slopes.rateints.dq.ravel().tolist() == [0, DQ.SATURATED | DQ.DO_NOT_USE]


def test_one_good_group_gives_a_rate_only_when_asked():
    product = one_pixel([35.0, 6e4, 6e4])
    product.groupdq[0, 1:] = DQ.SATURATED
    assert np.isnan(fitted(product).rate.data.item())
    # the one frame of group 0 was read 10 s after reset
    assert np.isclose(fitted(product, suppress_one_group=False).rate.data.item(), 3.5)


def test_the_first_group_of_averaged_frames_stands_for_half_of_them():
    product = one_pixel([25.0, 6e4], NFRAMES=4, TFRAME=10.0, TGROUP=40.0)
    product.groupdq[0, 1:] = DQ.SATURATED
    # frames at 10, 20, 30 and 40 s: their mean stands for 25 s
    assert np.isclose(fitted(product, suppress_one_group=False).rate.data.item(), 1.0)


def test_the_first_frame_serves_where_every_group_is_saturated():
    product = one_pixel([6e4, 6e4], zeroframe=[[[40.0]]], NFRAMES=4, TFRAME=10.0, TGROUP=40.0)
    product.groupdq[:] = DQ.SATURATED
    assert np.isclose(fitted(product, suppress_one_group=False).rate.data.item(), 4.0)
    assert np.isnan(fitted(product).rate.data.item())


def test_an_exposure_of_one_group_has_a_rate():
    assert np.isclose(fitted(one_pixel([35.0])).rate.data.item(), 3.5)


def test_groups_outside_first_and_last_are_left_out():
    counts = np.concatenate([[9e3, 9e3], LINE, [9e3]])
    assert np.isclose(fitted(one_pixel(counts), firstgroup=2, lastgroup=9).rate.data.item(), 5.0)
    with pytest.raises(CannotRun, match="firstgroup=5"):
        fitted(one_pixel(counts), firstgroup=5, lastgroup=5)
    for groups in ({"lastgroup": 0}, {"firstgroup": 3, "lastgroup": 0}):
        with pytest.raises(CannotRun, match="lastgroup=0 leave less than two of 11 groups"):
            fitted(one_pixel(counts), **groups)
    with pytest.raises(CannotRun, match="firstgroup=1 and lastgroup=0 leave less than two of 1 groups"):
        fitted(one_pixel(counts[:1]), firstgroup=1)


def test_flags_of_a_last_group_that_is_left_out_as_a_whole_are_not_shown():
    product = flagged(one_pixel(100 * np.arange(8.0)), g7=DQ.SATURATED | DQ.DO_NOT_USE)
    assert fitted(product.leaving_out(slice(-1, None))).rate.dq[0, 0] == 0
    assert fitted(product).rate.dq[0, 0] == DQ.SATURATED


@pytest.mark.parametrize("weighting", ["unbiased", "official"])
def test_groups_that_lost_charge_count_for_the_read_variance_alone(weighting):
    counts = np.tile(100 * np.arange(10.0).reshape(10, 1, 1), (2, 1, 1, 3))
    lossy, without = (ramp(counts) for _ in range(2))
    lossy.groupdq[1, 6:, :, 1] = DQ.CHARGELOSS | DQ.DO_NOT_USE
    without.groupdq[1, 6:, :, 1] = DQ.DO_NOT_USE
    whole, lossy, without = (fitted(one, weighting=weighting) for one in (ramp(counts), lossy, without))
    for one in ("rate", "rateints"):
        lost, kept, plain = (getattr(product, one) for product in (lossy, without, whole))
        assert np.array_equal(lost.var_rnoise, plain.var_rnoise)
        assert np.all(kept.var_rnoise[..., 1].max() > plain.var_rnoise[..., 1].max())
        for name in ("data", "err", "var_poisson"):
            assert np.array_equal(getattr(lost, name), getattr(kept, name))


def test_persistence_is_shown_and_does_no_harm():
    slopes = fitted(flagged(one_pixel(LINE), g2=DQ.PERSISTENCE))
    assert slopes.rate.dq.item() == DQ.PERSISTENCE
    assert np.isclose(slopes.rate.data.item(), 5.0)


def test_a_pixel_without_gain_has_no_rate():
    references = gain_and_readnoise((1, 1), gain=np.nan)
    rate = ramp_fit(one_pixel(LINE), **references).rate
    assert np.isnan(rate.data.item())
    assert rate.dq.item() == DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("params", [{}, {"weighting": "official"}, {"algorithm": "LIKELY"}], ids=str)
def test_a_pixel_without_read_noise_has_no_rate(params, value):
    product = ramp(noisy(5.0, (2, 8, 4, 4)))
    whole = fitted(ramp(product.data), **params)
    noise = np.full((4, 4), 8.0)
    noise[1, 2] = value
    references = gain_and_readnoise((4, 4), readnoise=noise)
    slopes = ramp_fit(product, Params(**params), **references)
    for theirs, ours in ((whole.rate, slopes.rate), (whole.rateints, slopes.rateints)):
        assert np.isnan(ours.data[..., 1, 2]).all()
        assert (ours.dq[..., 1, 2] == DQ.DO_NOT_USE).all()
        for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
            mine, other = getattr(ours, name).copy(), getattr(theirs, name).copy()
            if name in ("err", "var_poisson", "var_rnoise"):
                assert (mine[..., 1, 2] == 0).all()
            mine[..., 1, 2] = other[..., 1, 2] = 0
            np.testing.assert_array_equal(mine, other)


def test_a_path_is_no_name_of_a_product():
    with pytest.raises(CannotRun, match="opt_name=a/b is a path"):
        fitted(one_pixel(LINE), save_opt=True, opt_name="a/b")


def test_variances_of_a_pure_read_noise_fit_are_the_textbook_ones():
    rate = fitted(one_pixel(np.full(8, 100.0))).rate
    # σ² = 8²/2 per read; 12 σ² / (t² n (n²-1)); no photons, no Poisson variance
    assert np.isclose(rate.var_rnoise.item(), 12 * 32 / (100 * 8 * 63))
    assert rate.var_poisson.item() < 1e-3 * rate.var_rnoise.item()


def test_the_variance_of_a_bright_ramp_is_that_of_its_photons():
    rate = fitted(one_pixel(1e4 * np.arange(6.0))).rate
    # 1000 DN/s for 50 s at 2 electron/DN: variance rate / (gain time), plus reads at both ends
    assert np.isclose(rate.err.item() ** 2, 1000 / (2 * 50) + 2 * 32 / 50**2, rtol=1e-3)


def test_dark_current_adds_its_poisson_noise():
    product = one_pixel(np.zeros(3))
    dark = np.full((1, 1), 40.0, np.float32)
    variance = fitted(type(product)(**(vars(product) | {"average_dark": dark}))).rate.var_poisson.item()
    # 40 electron/s over 20 s at 2 electron/DN: 800 electron² are 200 DN², over (20 s)²
    assert np.isclose(variance, 200 / 400, rtol=1e-5)


@pytest.mark.parametrize(
    ("ngroups", "rate", "frames", "gap"), [(10, 1.0, 1, 0), (5, 3.0, 1, 0), (8, 20.0, 1, 0), (6, 3.0, 8, 2)]
)
def test_rates_are_unbiased_and_scatter_as_their_errors_say(ngroups, rate, frames, gap):
    data = noisy(rate, (1, ngroups, 250, 250), frames=frames, gap=gap)
    result = fitted(ramp(data, NFRAMES=frames, GROUPGAP=gap, TFRAME=10 / (frames + gap))).rate
    error = result.err.mean() / 250
    assert abs(result.data.mean(dtype=float) / rate - 1) < 0.003 + 3 * error / rate
    assert abs((result.data - rate).mean(dtype=float)) < 4 * error
    assert 0.97 < ((result.data - rate) / result.err).std() < 1.03


def test_the_official_weighting_shows_the_bias_that_the_default_has_not():
    product = noisy(1.0, (1, 10, 500, 500), seed=5)
    bias = {w: fitted(ramp(product), weighting=w).rate.data.mean(dtype=float) - 1 for w in ("unbiased", "official")}
    error = 0.1 / 500  # a rate has an error of 10 %
    assert abs(bias["unbiased"]) < 3 * error
    assert bias["official"] > 5 * error


def test_many_short_segments_and_integrations_stay_unbiased_together():
    shape = (4, 9, 150, 150)
    product = ramp(noisy(2.0, shape, seed=8))
    struck = np.random.default_rng(9).random(shape) < 0.15
    struck[:, 0] = False
    product.data[:] += np.cumsum(np.where(struck, 500.0, 0.0), axis=1)
    product.groupdq[struck] = DQ.JUMP_DET
    slopes = fitted(product)
    for result in (slopes.rate, slopes.rateints):
        pull = (result.data - 2.0) / result.err
        good = np.isfinite(result.data)
        assert good.mean() > 0.999
        assert abs(np.average(result.data[good]) / 2 - 1) < 0.003 + 3 * result.err[good].mean() / good.sum() ** 0.5 / 2
        assert 0.97 < pull[good].std() < 1.03


def test_a_later_integration_does_not_sway_an_earlier_one():
    # reported for the official pipeline as jwst issue 10447
    data = noisy(5.0, (2, 6, 20, 20))
    brighter = data.copy()
    brighter[1] *= 30
    plain, other = fitted(ramp(data)).rateints, fitted(ramp(brighter)).rateints
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        assert np.array_equal(getattr(plain, name)[0], getattr(other, name)[0])


@BOTH
def test_a_pixel_does_not_depend_on_its_neighbours(weighting):
    product, lonely = ramp(noisy(5.0, (2, 6, 9, 70))), ramp(noisy(5.0, (2, 6, 9, 70)))
    product.data[:, :, 4, 35] = np.nan
    product.groupdq[:, :, 4, 35] = DQ.SATURATED
    slopes, expected = fitted(product, weighting=weighting), fitted(lonely, weighting=weighting)
    others = np.ones((9, 70), bool)
    others[4, 35] = False
    assert np.array_equal(slopes.rateints.data[:, others], expected.rateints.data[:, others])


def test_the_order_of_integrations_does_not_matter_to_the_exposure():
    data = noisy(5.0, (3, 6, 20, 20))
    assert np.allclose(fitted(ramp(data)).rate.data, fitted(ramp(data[::-1])).rate.data, rtol=1e-6)


@pytest.mark.parametrize(
    ("keywords", "model"),
    [
        ({"EXP_TYPE": "NRS_IFU"}, "IFUImageModel"),
        ({"EXP_TYPE": "MIR_MRS"}, "IFUImageModel"),
        ({"EXP_TYPE": "NRS_LAMP", "OPMODE": "IFU"}, "IFUImageModel"),
        ({"EXP_TYPE": "NRS_LAMP", "OPMODE": "IMAGE"}, "ImageModel"),
        ({"EXP_TYPE": "NRS_MSASPEC"}, "ImageModel"),
    ],
)
def test_rates_of_integral_field_units_have_a_model_of_their_own(tmp_path, keywords, model):
    slopes = fitted(ramp(noisy(5.0, (2, 6, 3, 3)), **keywords, FILETYPE="uncalibrated"))
    assert (slopes.rate.meta["DATAMODL"], slopes.rateints.meta["DATAMODL"]) == (model, "CubeModel")
    header = fits.getheader(products.write(tmp_path / "a_rate.fits", slopes.rate))
    assert (header["DATAMODL"], "FILETYPE" in header) == (model, False)


def test_products_are_images_and_cubes_in_dn_per_second_with_their_times():
    product = ramp(noisy(5.0, (2, 6, 3, 3)), TARGNAME="M 31")
    times = fits.FITS_rec.from_columns([fits.Column("integration_number", "J", array=[1, 2])])
    product = type(product)(**(vars(product) | {"tables": {"INT_TIMES": times, "GROUP": times}}))
    slopes = fitted(product)
    assert (slopes.rate.meta["DATAMODL"], slopes.rateints.meta["DATAMODL"]) == ("ImageModel", "CubeModel")
    assert slopes.rate.meta.sci["BUNIT"] == "DN/s"
    assert slopes.rate.meta["TARGNAME"] == "M 31"
    assert list(slopes.rateints.tables) == ["INT_TIMES"]
    assert not slopes.rate.tables
    assert slopes.rateints.data.shape == (2, 3, 3)
