"""The fit by likelihood and its own search for jumps."""

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp

from jwrules.kernels import likely_jumps, tridiagonal
from jwrules.products.flags import DQ
from jwrules.steps.ramp_fit import Params, ramp_fit

LINE = 100.0 + 50.0 * np.arange(8)
BOTH = pytest.mark.parametrize("weighting", ["unbiased", "official"])


def fitted(product, algorithm="LIKELY", **params):
    return ramp_fit(product, Params(algorithm=algorithm, **params), **gain_and_readnoise(product.pixeldq.shape))


def jumps(product):
    return np.flatnonzero(product.groupdq[0, :, 0, 0] & np.uint8(DQ.JUMP_DET)).tolist()


def times(groups, frames, gap, drift):
    """Times of reads, the later groups ever further apart."""
    return [g**drift * 10.0 + np.arange(frames) * 10.0 / (frames + gap) + 1.0 for g in range(groups)]


def covariance(read_times, photons, read):
    """The covariance of the rates between groups, read by read: photons are those until the earlier of two reads."""
    owner = np.concatenate([np.full(len(t), g) for g, t in enumerate(read_times)])
    t = np.concatenate(read_times)
    each = photons * np.minimum.outer(t, t) + read * np.eye(t.size)
    mean = np.stack([(owner == g) / np.sum(owner == g) for g in range(len(read_times))])
    rate = np.diff(mean, axis=0) / np.diff([x.mean() for x in read_times])[:, None]
    return rate @ each @ rate.T


def solved(d, cov, columns):
    """Best parameters, χ² and their covariance for a model that is linear in `columns`."""
    inverse = np.linalg.inv(cov)
    variance = np.linalg.inv(columns.T @ inverse @ columns)
    best = variance @ columns.T @ inverse @ d
    residual = d - columns @ best
    return best, residual @ inverse @ residual, variance


@pytest.mark.parametrize(("frames", "gap", "drift"), [(1, 0, 1.0), (8, 2, 1.0), (4, 1, 1.2), (1, 0, 1.5)])
def test_the_fit_is_the_solution_with_the_covariance_of_all_reads(frames, gap, drift):
    at = times(9, frames, gap, drift)
    reads, room = tridiagonal.reads_at(at), tridiagonal.room_for(8)
    d, used = np.random.default_rng(3).normal(5, 3, 8), np.array([1, 1, 0, 1, 1, 1, 0, 1], bool)
    cov = covariance(at, 1.7, 30.0)[np.ix_(used, used)]
    best, chisq, variance = solved(d[used], cov, np.ones((used.sum(), 1)))
    sums = tridiagonal.solve(d, used, 1.7, 30.0, reads, room)
    assert np.isclose(sums.rates / sums.weights, best[0])
    assert np.isclose(1 / sums.weights, variance[0, 0])
    assert np.isclose(sums.squares - sums.rates**2 / sums.weights, chisq)
    by_photons, by_read = tridiagonal.variances(sums.weights, 1.7, 30.0, reads, room)
    assert np.isclose(by_photons + by_read, variance[0, 0])
    weights = variance[0, 0] * np.linalg.inv(cov).sum(axis=0)
    assert np.isclose(by_read, weights @ covariance(at, 0.0, 30.0)[np.ix_(used, used)] @ weights)


@pytest.mark.parametrize("pair", [False, True])
def test_what_is_left_without_a_difference_or_two_is_the_fit_with_free_heights(pair):
    at = times(8, 4, 1, 1.0)
    reads, room = tridiagonal.reads_at(at), tridiagonal.room_for(7)
    d, used, k = np.random.default_rng(4).normal(5, 3, 7), np.ones(7, bool), 3
    columns = np.column_stack([np.ones(7), *np.eye(7)[k : k + 1 + pair]])
    cov = covariance(at, 1.7, 30.0)
    best, chisq, _ = solved(d, cov, columns)
    sums = tridiagonal.solve(d, used, 1.7, 30.0, reads, room)
    out = (likely_jumps._without_two if pair else likely_jumps._without_one)(k, sums, room)
    assert np.isclose(out.rate, best[0])
    assert np.isclose(out.fall, solved(d, cov, np.ones((7, 1)))[1] - chisq)


@BOTH
@pytest.mark.parametrize("algorithm", ["LIKELY", "likelihood"])
def test_a_straight_ramp_gives_its_slope(weighting, algorithm):
    slopes = fitted(one_pixel(LINE), algorithm, weighting=weighting)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert slopes.rate.dq.item() == 0


@BOTH
def test_a_cosmic_ray_is_found_flagged_and_left_out(weighting):
    product = one_pixel(LINE + np.where(np.arange(8) >= 3, 400.0, 0.0))
    slopes = fitted(product, weighting=weighting)
    assert jumps(product) == [3]
    assert slopes.rate.dq.item() == slopes.rateints.dq.item() == DQ.JUMP_DET
    assert np.isclose(slopes.rate.data.item(), 5.0)


def test_a_cosmic_ray_in_the_midst_of_a_group_costs_the_differences_on_both_sides():
    counts = LINE + np.where(np.arange(8) == 3, 200.0, 0.0) + np.where(np.arange(8) > 3, 400.0, 0.0)
    product = one_pixel(counts, NFRAMES=8, GROUPGAP=2, TFRAME=1.0)
    slopes = fitted(product)
    assert jumps(product) == [3, 4]
    assert np.isclose(slopes.rate.data.item(), 5.0)


@pytest.mark.parametrize(("sigma", "found"), [(4.3, []), (4.7, [4])])
def test_a_jump_must_stand_out_by_four_and_a_half_sigma(sigma, found):
    # the height of a jump in the midst of 8 groups scatters as the fit with a free height says
    at = [np.array([10.0 * g]) for g in range(8)]
    cov = covariance(at, 0.0, 32.0)
    spread = solved(np.zeros(7), cov, np.column_stack([np.ones(7), np.eye(7)[3]]))[2][1, 1] ** 0.5
    product = one_pixel(np.where(np.arange(8) >= 4, sigma * spread * 10, 0.0))
    fitted(product)
    assert jumps(product) == found


def test_two_cosmic_rays_are_both_found():
    product = one_pixel(np.array(LINE) + 300.0 * (np.arange(8) >= 2) + 500.0 * (np.arange(8) >= 6))
    assert np.isclose(fitted(product).rate.data.item(), 5.0)
    assert jumps(product) == [2, 6]


def test_with_three_differences_left_nothing_more_is_left_out():
    product = one_pixel([0.0, 0.0, 0.0, 500.0, 1500.0, 3000.0])
    fitted(product)
    assert len(jumps(product)) == 2


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_with_fewer_than_four_groups_segments_are_fitted(groups):
    data = noisy(20.0, (1, groups, 4, 4))
    expected = fitted(ramp(data), "OLS_C").rate
    found = fitted(ramp(data)).rate
    assert np.array_equal(found.data, expected.data)
    assert np.array_equal(found.err, expected.err)


def test_without_jumps_it_is_the_fit_of_segments():
    data = noisy(np.geomspace(0.5, 500, 60), (3, 8, 5, 60), frames=4, gap=1)
    keywords = {"NFRAMES": 4, "GROUPGAP": 1, "TFRAME": 2.0}
    product = ramp(data, **keywords)
    slopes, expected = fitted(product), fitted(ramp(data, **keywords), "OLS_C")
    calm = ~(product.groupdq & np.uint8(DQ.JUMP_DET)).any(axis=(0, 1))
    assert calm.mean() > 0.95
    for name in ("data", "err"):
        np.testing.assert_allclose(
            getattr(slopes.rateints, name)[:, calm], getattr(expected.rateints, name)[:, calm], rtol=2e-6
        )
        np.testing.assert_allclose(getattr(slopes.rate, name)[calm], getattr(expected.rate, name)[calm], rtol=2e-5)


def test_a_jump_flagged_before_costs_one_difference_here_and_two_officially():
    random = np.random.default_rng(2)
    counts = np.cumsum(random.normal(50, 3, 8))
    struck = counts + np.where(np.arange(8) >= 4, 4000.0, 0.0)
    errors = {}
    for weighting in ("unbiased", "official"):
        product = one_pixel(struck)
        product.groupdq[0, 4] = DQ.JUMP_DET
        errors[weighting] = fitted(product, weighting=weighting).rate.err.item()
    product = one_pixel(struck)
    product.groupdq[0, 4] = DQ.JUMP_DET
    assert errors["unbiased"] < 0.97 * errors["official"]
    assert np.isclose(errors["unbiased"], fitted(product, "OLS_C").rate.err.item(), rtol=1e-4)


def test_persistence_does_no_harm():
    product = one_pixel(LINE)
    product.groupdq[0, 3] = DQ.PERSISTENCE
    plain = fitted(one_pixel(LINE)).rate
    marked = fitted(product).rate
    assert marked.err.item() == plain.err.item()
    assert marked.dq.item() == DQ.PERSISTENCE


def test_saturated_groups_do_not_enter_the_first_guess():
    # half of the groups are saturated: their differences of 0 would make the median 0, and photons unexpected
    rates = noisy(3000.0, (1, 12, 40, 40))
    product = ramp(rates)
    product.data[:, 6:], product.groupdq[:, 6:] = 60000.0, DQ.SATURATED
    slopes = fitted(product)
    assert (product.groupdq & np.uint8(DQ.JUMP_DET)).any(axis=(0, 1)).mean() < 0.01
    assert (slopes.rate.dq == DQ.SATURATED).mean() > 0.99


def test_the_zero_frame_is_a_read_like_others():
    # frames at 2, 4, 6, 8 s; 60 DN in the mean of the first group; the second group is saturated
    product = one_pixel([50.0, *[6e4] * 4], zeroframe=[[[20.0]]], NFRAMES=4, GROUPGAP=1, TFRAME=2.0, TGROUP=10.0)
    product.groupdq[0, 1:] = DQ.SATURATED
    # the other three frames have a mean of 60 DN at 6 s, the first one 20 DN at 2 s
    rate = fitted(product).rate
    assert np.isclose(rate.data.item(), 10.0)
    assert np.isclose(rate.var_rnoise.item(), 32 * (1 + 1 / 3) / 4**2)


def test_a_zero_frame_that_is_saturated_itself_is_no_read():
    product = one_pixel([50.0, *[6e4] * 4], zeroframe=[[[0.0]]], NFRAMES=4, GROUPGAP=1, TFRAME=2.0, TGROUP=10.0)
    product.groupdq[0, 1:] = DQ.SATURATED
    assert np.isnan(fitted(product).rate.data.item())


def test_a_pixel_without_a_difference_has_no_rate():
    product = one_pixel(LINE)
    product.groupdq[0, 1::2] = DQ.DO_NOT_USE
    rate = fitted(product).rate
    assert np.isnan(rate.data.item())
    assert rate.err.item() == rate.var_poisson.item() == rate.var_rnoise.item() == 0
    assert rate.dq.item() == DQ.DO_NOT_USE


def test_a_pixel_that_is_not_to_be_used_has_no_rate():
    product = one_pixel(LINE)
    product.pixeldq[:] = DQ.DO_NOT_USE
    assert np.isnan(fitted(product).rate.data.item())


def test_the_rest_of_a_lost_integration_does_not_spoil_the_exposure():
    product = ramp(np.tile(LINE.reshape(1, 8, 1, 1), (2, 1, 1, 1)))
    product.groupdq[1] = DQ.SATURATED
    slopes = fitted(product)
    assert np.isclose(slopes.rate.data.item(), 5.0)
    assert np.isnan(slopes.rateints.data[1, 0, 0])


def test_variance_is_split_into_photons_and_reading():
    rate = fitted(one_pixel(1e4 * np.arange(6.0))).rate
    # bright: the mean of all differences counts; two reads of 32 DN² and 1000 DN/s at 2 electron/DN in 50 s
    assert np.isclose(rate.var_rnoise.item(), 2 * 32 / 50**2, rtol=0.02)
    assert np.isclose(rate.var_poisson.item(), 1000 / 2 / 50, rtol=0.02)
    assert np.isclose(rate.err.item() ** 2, rate.var_poisson.item() + rate.var_rnoise.item(), rtol=1e-6)


def test_dark_current_adds_its_poisson_noise():
    product = one_pixel(np.zeros(5))
    dark = np.full((1, 1), 4000.0, np.float32)
    variance = fitted(type(product)(**(vars(product) | {"average_dark": dark}))).rate.var_poisson.item()
    # 4000 electron/s are 2000 DN/s of 2 electron each: 1000 DN²/s over 40 s
    assert np.isclose(variance, 1000 / 40, rtol=0.01)


@pytest.mark.parametrize(("ngroups", "rate", "frames", "gap"), [(10, 3.0, 1, 0), (5, 20.0, 1, 0), (7, 3.0, 8, 2)])
def test_rates_are_unbiased_and_scatter_as_their_errors_say(ngroups, rate, frames, gap):
    data = noisy(rate, (2, ngroups, 200, 200), frames=frames, gap=gap)
    result = fitted(ramp(data, NFRAMES=frames, GROUPGAP=gap, TFRAME=10 / (frames + gap))).rate
    error = result.err.mean() / 200
    assert abs(result.data.mean(dtype=float) - rate) < 4 * error + 0.001 * rate
    assert 0.97 < ((result.data - rate) / result.err).std() < 1.03


def test_a_later_integration_does_not_sway_an_earlier_one():
    data = noisy(5.0, (2, 6, 20, 20))
    brighter = data.copy()
    brighter[1] *= 30
    plain, other = fitted(ramp(data)).rateints, fitted(ramp(brighter)).rateints
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        assert np.array_equal(getattr(plain, name)[0], getattr(other, name)[0])


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    data = noisy(5.0, (2, 6, 30, 50))
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 3)
    many = fitted(ramp(data)).rateints
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 1)
    assert np.array_equal(many.data, fitted(ramp(data)).rateints.data)


def test_a_band_of_rows_is_fitted_as_in_the_whole():
    data = noisy(5.0, (2, 6, 30, 50))
    whole, band = fitted(ramp(data)).rateints, fitted(ramp(data[:, :, 7:19])).rateints
    assert np.array_equal(whole.data[:, 7:19], band.data)


def test_chi_square_is_kept_on_request():
    data = noisy(20.0, (2, 9, 60, 60))
    slopes = fitted(ramp(data), save_opt=True)
    # eight differences in each of two integrations, less a rate each
    assert np.isclose(np.median(slopes.chisq.data), 14 * (1 - 2 / (9 * 14)) ** 3, rtol=0.03)
    assert slopes.fitopt is None
    assert fitted(ramp(data)).chisq is None


@pytest.mark.parametrize("zeroframe", [False, True])
def test_many_calm_ramps_at_once_are_fitted_as_each_alone(zeroframe):
    data = noisy(np.geomspace(0.1, 1e3, 300), (3, 8, 3, 300), frames=4, gap=1)
    lost = np.concatenate([data, data[:1]])  # an integration that is flagged sends all of a pixel the other way
    keywords = {"NFRAMES": 4, "GROUPGAP": 1, "TFRAME": 2.0}
    together = ramp(data, zeroframe=data[:, 0] - 3 if zeroframe else None, **keywords)
    alone = ramp(lost, zeroframe=lost[:, 0] - 3 if zeroframe else None, **keywords)
    alone.groupdq[3] = DQ.DO_NOT_USE
    many, each = fitted(together, save_opt=True), fitted(alone, save_opt=True)
    assert np.array_equal(together.groupdq, alone.groupdq[:3])
    np.testing.assert_allclose(many.chisq.data, each.chisq.data, rtol=1e-6)
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        np.testing.assert_allclose(getattr(many.rateints, name), getattr(each.rateints, name)[:3], rtol=1e-6)
        np.testing.assert_allclose(getattr(many.rate, name), getattr(each.rate, name), rtol=1e-6)


def test_long_ramps_are_fitted_one_by_one():
    rate = fitted(ramp(noisy(20.0, (1, 50, 60, 60)))).rate
    assert abs(((rate.data - 20) / rate.err).mean()) < 0.06
    assert 0.95 < ((rate.data - 20) / rate.err).std() < 1.05
